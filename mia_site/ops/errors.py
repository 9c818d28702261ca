"""Pages for what went wrong: problem+json (RFC 9457) under ``/api/``, a page in the reader's language elsewhere."""

from http import HTTPStatus

import structlog
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.csrf import csrf_failure as django_csrf_failure

from mia_site.ops.problems import Problem, problem_response

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


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
    """An unexpected failure of a request that changes something reads as a refusal, never as an allow."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and request.method not in SAFE_METHODS:
        text = "The desk failed on this request; nothing was recorded."
        return problem_response(Problem(status, "engine_unavailable", text, verdict="block", recorded=False))
    return problem_response(Problem(status, status.name.lower(), status.description or status.phrase))
