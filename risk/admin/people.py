"""People and roles. Roles give rights; people get roles. Nobody is deleted: records name people by number for ever."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from mia_site.audit.admin.base import JournalAdmin, ReadOnlyAdmin
from mia_site.audit.admin.filters import FlagFilter

admin.site.unregister(User)
admin.site.unregister(Group)

if TYPE_CHECKING:
    _UserBase = JournalAdmin
else:

    class _UserBase(DjangoUserAdmin, JournalAdmin):
        """Django's user pages in the desk's style."""


@admin.register(User)
class UserAdmin(_UserBase):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "last_login")
    list_filter = (("is_active", FlagFilter),)
    search_fields = ("username__startswith",)
    search_help_text = gettext_lazy("User name")
    export_leave_out = ("password",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Person"), {"fields": (("first_name", "last_name"), "email")}),
        (gettext_lazy("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (gettext_lazy("Dates"), {"fields": (("last_login", "date_joined"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2")}),
        (gettext_lazy("Rights"), {"fields": ("is_staff", "groups")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """People only: the users of API clients have no password and no page here."""
        return super().get_queryset(request).filter(client__isnull=True).prefetch_related("groups")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The few roles as boxes to tick, by their names in the reader's language."""
        if db_field.name == "groups":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.label_from_instance = lambda group: _(group.name)
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ["last_login", "date_joined"]
        return fixed if getattr(request.user, "is_superuser", False) else [*fixed, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a superuser touches a superuser."""
        if obj is not None and obj.is_superuser and not getattr(request.user, "is_superuser", False):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, row: User) -> str:
        return ", ".join(_(group.name) for group in row.groups.all())


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    list_display = ("role", "people")
    fields = ("name", "permissions")
    if not TYPE_CHECKING:
        formfield_for_manytomany = DjangoGroupAdmin.formfield_for_manytomany

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("user_set", "permissions__content_type")

    @admin.display(description=gettext_lazy("role"), ordering="name")
    def role(self, row: Group) -> str:
        return _(row.name)

    @admin.display(description=gettext_lazy("people"))
    def people(self, row: Group) -> str:
        return ", ".join(user.username for user in row.user_set.all())
