"""What every request passes through: its id, its line in the log, its place in the metrics, the form of its address,
its content policy."""

import re
import time
from collections.abc import Callable
from uuid import uuid4

import structlog
from csp.constants import NONCE, SELF, UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.urls import reverse
from prometheus_client import Counter, Histogram

log = structlog.get_logger("mia_site.request")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
HEADER = "X-Request-Id"
QUIET_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")
"""Asked every few seconds by machines; told only when they fail."""

REQUESTS = Counter("mia_http_requests_total", "Requests by route, method and status", ["route", "method", "status"])
SECONDS = Histogram(
    "mia_http_request_seconds",
    "Duration of requests by route",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def request_id_of(header: str) -> str:
    """The caller's id if it is harmless in a log and in a header, else a new one."""
    return header if REQUEST_ID.fullmatch(header) else uuid4().hex


class RequestMiddleware:
    """First in the list: binds the request id for every log line, answers with it, measures and logs the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_of(request.headers.get(HEADER, ""))
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self._get_response(request)
            seconds = time.perf_counter() - started
            self._measure(request, response, seconds)
            self._tell(request, response, seconds)
        response[HEADER] = request_id
        return response

    @staticmethod
    def _measure(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        """Labelled by route, never by path: paths are endless, and a stranger could fill the memory with them."""
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(route, method, str(response.status_code)).inc()
        SECONDS.labels(route).observe(seconds)

    @staticmethod
    def _tell(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        if response.status_code < 500 and request.path.startswith(QUIET_PATHS):
            return
        write = log.error if response.status_code >= 500 else log.info
        write(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 2),
        )


class AddressMiddleware(CommonMiddleware):
    """Django's own, which sends an address without its last slash to the one with it, but only to read.

    A question would be followed by most clients as a GET: the list of decisions came as its answer.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in ("GET", "HEAD") and bool(super().should_redirect_with_slash(request))


class ContentPolicyMiddleware(CSPMiddleware):
    """The settings' strict policy; the admin may also evaluate expressions, which Alpine's attributes are."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path_info.startswith(reverse("admin:index")):
            parts.replace = {"script-src": [SELF, UNSAFE_EVAL, NONCE], **(parts.replace or {})}
        return parts
