"""The kill switch in the header of every page of the admin."""

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("admin/desk/kill_menu.html", takes_context=True)
def kill_menu(context: template.Context) -> dict[str, Any]:
    """The menu for those who may stop trading; nothing for others. The page's own subject stands first."""
    from risk.admin.kill_menu import menu_context  # libraries of tags are loaded before the admin's pages are

    return {**menu_context(context), "csrf_token": context.get("csrf_token")}
