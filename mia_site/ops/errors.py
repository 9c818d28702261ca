"""Pages for what went wrong: problem+json (RFC 9457) under ``/api/``, a page in the reader's language elsewhere."""

from http import HTTPStatus
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.csrf import csrf_failure as django_csrf_failure

from mia_site.ops.problems import Problem, problem_response

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
PROBLEMS = {
    HTTPStatus.BAD_REQUEST: ("invalid_request", "The request is malformed, or asks for another host."),
    HTTPStatus.FORBIDDEN: ("permission_denied", "You may not do this."),
    HTTPStatus.NOT_FOUND: ("not_found", "There is no such address; mind the slash at its end, or that there is none."),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "engine_unavailable",
        "The desk failed on this request; nothing was recorded.",
    ),
}
"""Code and text under ``/api/``; the codes are those of docs/api.md."""


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """400, also for a Host header that is not ours."""
    return _answer(request, HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """403."""
    return _answer(request, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """404."""
    return _answer(request, HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: nothing is said about the cause; the log has it under the request's id."""
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or old."""
    if request.path.startswith("/api/"):
        return _answer(request, HTTPStatus.FORBIDDEN)
    return django_csrf_failure(request, reason, template_name="403_csrf.html")


def _answer(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    if request.path.startswith("/api/"):
        return _problem(request, status)
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    page = loader.render_to_string(f"{status.value}.html", {"request_id": request_id})
    return HttpResponse(page, status=status.value)


def _problem(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """What a request that changes something is refused with reads as a refusal, never as an allow."""
    code, text = PROBLEMS[status]
    refused: dict[str, Any] = {} if request.method in SAFE_METHODS else {"verdict": "block", "recorded": False}
    return problem_response(Problem(status, code, text, **refused))
