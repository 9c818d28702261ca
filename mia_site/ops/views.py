"""Addresses for machines: is the process alive, can the desk record, and what does it count."""

import hmac
import os
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from mia_site.ops.registry import Health, gauges_run, health_run

LOOPBACK = {"127.0.0.1", "::1"}


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers. Looks at nothing else, so that a busy database gets no web server killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 ``ok`` or ``degraded``, 503 ``failed`` only while the gate cannot record; each check with its sentence."""
    checks = health_run()
    status = overall(checks)
    body = {
        "status": status,
        "checks": {
            check.name: {
                "ok": check.ok,
                "essential": check.essential,
                "detail": check.detail,
                "seconds": round(check.seconds, 4),
            }
            for check in checks
        },
    }
    return JsonResponse(body, status=503 if status == "failed" else 200)


def overall(checks: list[Health]) -> str:
    """``failed`` if something essential is not ok, ``degraded`` if anything else is not, else ``ok``."""
    wrong = [check for check in checks if not check.ok]
    if any(check.essential for check in wrong):
        return "failed"
    return "degraded" if wrong else "ok"


class _Gauges(Collector):
    """Gauges of the registry: read once per scrape, not kept per process."""

    def collect(self) -> Iterator[Metric]:
        for gauge in gauges_run():
            family = GaugeMetricFamily(gauge.name, gauge.documentation, labels=list(gauge.labels))
            for labels, value in gauge.samples.items():
                family.add_metric(list(labels), value)
            yield family


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text: counters of all web and worker processes together, then the gauges.

    With `MIA_METRICS_TOKEN` a bearer token opens it; without one, only a direct request from this machine does.
    """
    if not metrics_allowed(request):
        return HttpResponse("not found\n", status=404, content_type="text/plain")
    counters: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counters = CollectorRegistry()
        MultiProcessCollector(counters)  # type: ignore[no-untyped-call]
    gauges = CollectorRegistry()
    gauges.register(_Gauges())
    return HttpResponse(generate_latest(counters) + generate_latest(gauges), content_type=CONTENT_TYPE_LATEST)


def metrics_allowed(request: HttpRequest) -> bool:
    """A proxy on this machine forwards strangers: with its header, loopback proves nothing."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not forwarded
