"""Errors of the API as RFC 9457 problem details: which field, what it held, what was expected."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse
from rest_framework.exceptions import APIException, MethodNotAllowed, Throttled
from rest_framework.response import Response
from rest_framework.views import set_rollback

from mia_site.ops.http import body_encode

log = structlog.get_logger(__name__)
CONTENT_TYPE = "application/problem+json"


class Problem(APIException):
    """An error with a stable `code`. `errors`: one mapping per field (`field`, `value`?, `expected`)."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail=detail, code=code)
        self.status_code = status
        self.problem_code = code
        self.text = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.extra = extra


def invalid(field: str, value: object, expected: str, **extra: Any) -> Problem:
    """400: one field holds something else than expected."""
    told = field_error(field, value, expected)
    return Problem(400, "invalid_request", f"{field}: expected {expected}", errors=[told], **extra)


def field_error(field: str, value: object, expected: str) -> dict[str, Any]:
    """One of a problem's `errors`; long values are cut, one that is absent is left out."""
    told: dict[str, Any] = {"field": field, "expected": expected}
    if value is not None:
        told["value"] = value if isinstance(value, int | float | bool) else str(value)[:200]
    return told


def problem_response(problem: Problem) -> HttpResponse:
    """The problem as an answer."""
    body: dict[str, Any] = {
        "type": f"about:blank#{problem.problem_code}",
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "code": problem.problem_code,
        "detail": problem.text,
        **problem.extra,
    }
    if problem.errors:
        body["errors"] = problem.errors
    response = HttpResponse(body_encode(body), content_type=CONTENT_TYPE, status=problem.status_code)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def handle(error: Exception, context: Mapping[str, Any]) -> HttpResponse | Response | None:
    """Django REST framework's exception handler. What it does not know becomes a 500 that blocks, and is logged.

    Each problem carries what the view says with all of its errors, where it has an `error_extra`.
    """
    view = context.get("view")
    problem = _known(error)
    if problem is None:
        log.error("request_failed", view=type(view).__name__, exc_info=error)
        problem = Problem(
            500, "engine_unavailable", "The desk failed on this request; nothing was recorded.", verdict="block",
            recorded=False,
        )  # fmt: skip
    problem.extra = {**getattr(view, "error_extra", {}), **problem.extra}
    set_rollback()
    return problem_response(problem)


def _known(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, Http404):
        return Problem(404, "not_found", "There is no such object, or it is not yours.")
    if isinstance(error, PermissionDenied):
        return Problem(403, "permission_denied", str(error) or "You may not do this.")
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "body_too_large", "The body is larger than this address takes.")
    if isinstance(error, SuspiciousOperation):
        return Problem(400, "invalid_request", "The request is malformed.")
    if isinstance(error, APIException):
        headers = {}
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        if isinstance(error, Throttled) and (wait := getattr(error, "wait", None)):
            headers["Retry-After"] = str(int(wait))
        code = "method_not_allowed" if isinstance(error, MethodNotAllowed) else str(error.default_code)
        # An ErrorDetail is a text that the encoder of answers does not know as one.
        return Problem(error.status_code, code, str(error.detail), headers=headers)
    return None
