"""Schemas of bodies and answers for OpenAPI, made from the very types that decode and encode them."""

from typing import Any

import msgspec

_types: list[type] = []
REFERENCE = "#/components/schemas/{name}"


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
    """drf-spectacular post-processing hook: puts the referenced schemas in."""
    components = msgspec.json.schema_components(_types, ref_template=REFERENCE)[1]
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update({name: _openapi(schema) for name, schema in components.items()})
    return result


def _openapi(schema: Any) -> Any:
    """OpenAPI 3.0 spells `null` as nullable, knows no `propertyNames`, and no empty `required`."""
    if isinstance(schema, list):
        return [_openapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {
        key: _openapi(item)
        for key, item in schema.items()
        if key != "propertyNames" and (key, item) != ("required", [])
    }
    variants = schema.get("anyOf")
    if isinstance(variants, list) and {"type": "null"} in variants:
        rest = [item for item in variants if item != {"type": "null"}]
        plain = {key: item for key, item in schema.items() if key != "anyOf"}
        return {
            **plain,
            "nullable": True,
            **(rest[0] if len(rest) == 1 and "$ref" not in rest[0] else {"anyOf": rest}),
        }
    if schema.get("enum") and None in schema["enum"]:
        schema = {**schema, "nullable": True}
    return schema
