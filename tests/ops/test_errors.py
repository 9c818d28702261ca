"""Pages for what went wrong."""

import json
from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

pytestmark = pytest.mark.django_db


def _fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the database password is hunter2")


def _forbid(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def _suspect(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


class Addresses:
    """The site's addresses, and three that go wrong."""

    from mia_site import urls as _site

    urlpatterns = [
        *_site.urlpatterns,
        path("broken", _fail),
        path("forbidden", _forbid),
        path("suspect", _suspect),
        path("api/v1/broken", _fail),
    ]
    handler400, handler403 = _site.handler400, _site.handler403
    handler404, handler500 = _site.handler404, _site.handler500


@pytest.fixture
def visitor() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=Addresses):
        yield Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "heading"),
    [
        ("/suspect", 400, "This request was not understood"),
        ("/forbidden", 403, "You may not do this"),
        ("/nowhere", 404, "There is no such page"),
        ("/broken", 500, "Something went wrong on our side"),
    ],
)
def test_a_page_says_what_happened_and_loads_nothing(visitor: Client, address: str, status: int, heading: str) -> None:
    response = visitor.get(address)
    page = response.content.decode()
    assert response.status_code == status
    assert heading in page
    assert response["X-Request-Id"] in page
    assert "http://" not in page and "https://" not in page and "src=" not in page
    assert "hunter2" not in page


def test_a_stranger_host_gets_the_page_for_bad_requests(visitor: Client) -> None:
    response = visitor.get("/admin/login/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert "This request was not understood" in response.content.decode()


def test_a_form_without_its_token_says_that_nothing_was_changed() -> None:
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "admin"})
    assert response.status_code == 403
    assert "This form is out of date" in response.content.decode()


def test_an_unknown_address_of_the_api_is_a_problem_document(visitor: Client) -> None:
    response = visitor.get("/api/v1/nowhere")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(response.content)["status"] == 404


def test_a_failure_of_the_api_reads_as_block(visitor: Client) -> None:
    response = visitor.post("/api/v1/broken")
    body = json.loads(response.content)
    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")
    assert (body["verdict"], body["recorded"], body["code"]) == ("block", False, "engine_unavailable")
    assert "hunter2" not in response.content.decode()


def test_a_question_without_its_slash_is_not_sent_to_the_list_of_decisions(visitor: Client) -> None:
    assert visitor.get("/api/v1/decisions").status_code == 301
    response = visitor.post("/api/v1/decisions")
    body = json.loads(response.content)
    assert (response.status_code, body["code"], body["verdict"], body["recorded"]) == (404, "not_found", "block", False)


def test_a_stranger_host_is_told_by_a_code_of_the_api(visitor: Client) -> None:
    response = visitor.post("/api/v1/decisions/", headers={"Host": "evil.example"})
    body = json.loads(response.content)
    assert (response.status_code, body["code"], body["verdict"]) == (400, "invalid_request", "block")
