"""Schemas of bodies and answers for OpenAPI, made from the very types that decode and encode them."""

from typing import Any, Literal

import msgspec

_types: list[type] = []
REFERENCE = "#/components/schemas/{name}"
ROWS = "Row", "RowList"
DECIMAL = {"type": "string", "format": "decimal"}


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong with one field; `index`: in which row of a batch."""

    field: str
    expected: str
    value: str | float | bool | None = None
    index: int | None = None


class ProblemAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457. Branch on `code`. A `verdict` is always block, `stop` and `blocked` always true: no error allows."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    verdict: Literal["block"] | None = None
    recorded: bool | None = None
    stop: bool | None = None
    blocked: bool | None = None
    committed: int | None = None
    reasons: list[dict[str, Any]] = []
    errors: list[FieldError] = []


def body_schema(type_: type) -> dict[str, Any]:
    """A reference to the schema of `type_` (a msgspec Struct), which is added to the document."""
    if type_ not in _types:
        _types.append(type_)
    return {"$ref": REFERENCE.format(name=type_.__name__)}


def json_body(type_: type, *others: type, many: bool = False) -> dict[str, Any]:
    """For `extend_schema(request=…)`: a JSON body of `type_` or one of the others, or an array of it."""
    schema = body_schema(type_)
    if others:
        schema = {"oneOf": [schema, *map(body_schema, others)]}
    return {"application/json": {"type": "array", "items": schema} if many else schema}


def components_add(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular post-processing hook: puts the referenced schemas in, and what every answer is beside its own."""
    components = msgspec.json.schema_components([*_types, ProblemAnswer], ref_template=REFERENCE)[1]
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in schemas.items():
        if name.endswith(ROWS):  # only ever answered, and whole
            schema["required"] = sorted(schema["properties"])
    schemas.update({name: _openapi(schema) for name, schema in components.items()})
    for operations in result["paths"].values():
        for operation in operations.values():
            _problems_add(operation["responses"])
    return result


def _problems_add(responses: dict[str, Any]) -> None:
    """Whatever goes wrong is told as a problem; `default` stands for the codes that are the same everywhere."""
    content = {"application/problem+json": {"schema": {"$ref": REFERENCE.format(name=ProblemAnswer.__name__)}}}
    for status in [*(status for status in responses if status >= "400"), "default"]:
        responses.setdefault(status, {"description": "An error: docs/api.md lists the codes"})["content"] = content


def _openapi(schema: Any) -> Any:
    """OpenAPI 3.0 spells `null` as nullable, has no `propertyNames`, no empty `required`; decimals may be numbers."""
    if isinstance(schema, list):
        return [_openapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {
        key: _openapi(item)
        for key, item in schema.items()
        if key != "propertyNames" and (key, item) != ("required", [])
    }
    if schema.items() >= DECIMAL.items():
        schema = {
            **{key: item for key, item in schema.items() if key not in DECIMAL},
            "anyOf": [DECIMAL, {"type": "number"}],
        }
    variants = schema.get("anyOf")
    if isinstance(variants, list) and {"type": "null"} in variants:
        rest = [item for item in variants if item != {"type": "null"}]
        if len(rest) == 1 and "enum" in rest[0]:
            rest = [{**rest[0], "enum": [*rest[0]["enum"], None]}]
        plain = {key: item for key, item in schema.items() if key != "anyOf"}
        return {
            **plain,
            "nullable": True,
            **(rest[0] if len(rest) == 1 and "$ref" not in rest[0] else {"anyOf": rest}),
        }
    if schema.get("enum") and None in schema["enum"]:
        schema = {**schema, "nullable": True}
    return schema
