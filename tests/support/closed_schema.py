"""A JSON Schema made strict: what it does not explain is wrong."""

from typing import Any


def closed(schema: Any) -> Any:
    """The schema, which lets no other fields pass."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(item) for name, item in schema.items()}
    return {**found, "additionalProperties": False} if isinstance(found.get("properties"), dict) else found
