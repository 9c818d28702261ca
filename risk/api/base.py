"""What every view of the desk's API shares: one client, one account, and errors that never read as "allowed"."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import Error
from rest_framework.exceptions import APIException, NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mia_site.audit.actors import Actor, client_actor
from mia_site.ops.http import BodyError, BodyTooLarge
from mia_site.ops.problems import Problem, invalid
from mia_site.ops.retry import DeadlineExceeded
from risk.inputs import InputError, moment_utc
from risk.locking import AccountUnknown
from risk.models import Account, Client
from risk.rules.limits import LimitsError
from risk.selectors.limits import LimitsUnreadable

UNAVAILABLE = "The desk can neither judge nor record now: do not open a trade."


class IsClient(BasePermission):
    """A token of an API client; a person's session or token is none."""

    message = "This address is for API clients: create one with create_client."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(getattr(request.user, "client", None), Client)


def client_of(request: Request) -> Client:
    """The client whose token came with the request."""
    client: Client = request.user.client  # type: ignore[union-attr]
    return client


def actor_of(request: Request) -> Actor:
    return client_actor(client_of(request).id)


def account_check(request: Request, code: str) -> Account:
    """The client's own account; any other is refused, whether it exists or not."""
    account = client_of(request).account
    if code != account.code:
        raise other_account(code)
    return account


def other_account(code: str) -> Problem:
    return Problem(403, "other_account", f"This token is bound to another account than {code[:32]}.")


class DeskView(APIView):
    """Base of the API's views."""

    permission_classes = (IsClient,)
    error_extra: ClassVar[dict[str, Any]] = {}
    """Members that every error of the view carries, for example that nothing was recorded (`problems.handle`)."""

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(problem_of(exc))


def problem_of(error: Exception) -> Exception:
    """The problem to answer with; what is not known stays as it is (a 500 that blocks)."""
    if isinstance(error, BodyTooLarge):
        return Problem(413, "body_too_large", f"The body is larger than {error.limit} bytes.")
    if isinstance(error, BodyError):
        return invalid(error.field or "body", error.value, error.expected)
    if isinstance(error, InputError | LimitsError):
        return invalid(error.field, error.value, error.expected)
    if isinstance(error, AccountUnknown):
        return Problem(404, "account_unknown", str(error))
    if isinstance(error, Error | DeadlineExceeded | LimitsUnreadable):
        detail = str(error) if isinstance(error, LimitsUnreadable) else UNAVAILABLE
        headers = {"Retry-After": "1"}
        return Problem(503, "engine_unavailable", detail, verdict="block", recorded=False, headers=headers)
    if isinstance(error, APIException) and error.status_code in (401, 403) and not isinstance(error, Problem):
        code = "not_authenticated" if error.status_code == 401 else "permission_denied"
        headers = {"WWW-Authenticate": "Token"} if error.status_code == 401 else {}
        return Problem(error.status_code, code, str(error.detail), headers=headers)
    return error


class Page(CursorPagination):
    """Newest first; a cursor costs the same on the first page and on the thousandth."""

    page_size = 100
    max_page_size = 500
    page_size_query_param = "page_size"
    ordering = ("-at", "-id")

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                moment_utc("cursor", datetime.fromisoformat(str(cursor.position)))
            except ValueError as error:  # a cursor of somebody's own making
                raise NotFound(self.invalid_cursor_message) from error
        return cursor


class RecordedPage(Page):
    ordering = ("-recorded_at", "-id")


def created(answer: object) -> Response:
    return Response(answer, status=201)
