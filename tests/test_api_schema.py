"""Every address of the API under what its own schema allows and what it does not: no 500, every error a problem."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.test import Client as Web
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from tests.decisions.bots import trading_bot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
EXAMPLES = 6
"""Of each address and each way; a bound, so that the whole takes seconds."""


schemathesis.serializer.alias("application/x-ndjson", "text/plain")


def document() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    schema: dict[str, Any] = generator().get_schema(request=None, public=True)
    return schema


def operations() -> Iterator[Any]:
    """Each operation as it should be called, and, where it takes anything at all, as it should not."""
    schema: Any = schemathesis.openapi.from_dict(document())
    for found in schema.get_all_operations():
        operation = found.ok()
        takes = any((operation.path_parameters, operation.query, operation.headers, operation.body))
        for mode in GenerationMode if takes else [GenerationMode.POSITIVE]:
            yield pytest.param(operation, mode, id=f"{operation.label}, {mode.value}")


def sent(web: Web, case: Any) -> Any:
    """The case as a request of Django's test client."""
    body = case.body if isinstance(case.body, str | bytes) else json.dumps(case.body, default=lambda _: None)
    return web.generic(
        case.method, case.formatted_path, body, case.media_type or "application/json",
        query_params={name: str(value) for name, value in (case.query or {}).items()},
        headers={name: str(value) for name, value in (case.headers or {}).items()},
    )  # fmt: skip


@pytest.mark.parametrize(("operation", "mode"), list(operations()))
def test_no_request_is_a_fault_of_the_desk(operation: Any, mode: GenerationMode) -> None:
    web = Web(headers={"Authorization": f"Token {trading_bot().token}"})

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        response = sent(web, case)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert response.status_code < 500, content
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"

    ask()


def test_a_client_made_from_the_schema_knows_what_every_error_looks_like() -> None:
    for path, methods in document()["paths"].items():
        for operation in methods.values():
            errors = {status: told for status, told in operation["responses"].items() if status >= "400"}
            assert "default" in errors, path
            assert {kind for told in errors.values() for kind in told["content"]} == {"application/problem+json"}, path


def test_a_client_made_from_the_schema_may_send_numbers_and_reads_moments_words_and_whole_rows() -> None:
    schemas = document()["components"]["schemas"]
    assert {"type": "number"} in schemas["DecisionInput"]["properties"]["quantity"]["anyOf"]
    answer = schemas["DecisionAnswer"]["properties"]
    assert answer["verdict"]["enum"] == ["allow", "reduce", "block", None]
    assert (answer["judged_at"]["format"], answer["valid_until"]["format"]) == ("date-time", "date-time")
    assert "reasons" in schemas["DecisionRow"]["required"]
    assert all("." not in name for name in schemas), "names that every generator can use"
