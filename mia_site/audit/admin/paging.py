"""Pages of long lists without counting ten million rows."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    RowPaginator = Paginator[Any]
else:
    from unfold.views import ChangeList

    RowPaginator = Paginator

CAP = 10_000


class CappedPaginator(RowPaginator):
    """Counts and pages up to `CAP` rows; `capped` says that there are more, to be reached with filters."""

    object_list: QuerySet[Any]

    @cached_property
    def rows(self) -> int:
        """How many rows there are, at most one more than the cap."""
        return self.object_list.order_by()[: CAP + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self.rows, CAP)

    @property
    def capped(self) -> bool:
        return self.rows > CAP


class DeskChangeList(ChangeList):
    """Lets the admin look up what the rows of one page need (names of people, states) in a few queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count  # there is no more to show than what is shown
        rows = list(self.result_list)
        prepare = getattr(self.model_admin, "page_prepare", None)
        if prepare is not None:
            prepare(rows)
        self.result_list = rows
