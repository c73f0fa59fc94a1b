"""JSON Schema, compiled once: jsonschema-rs, every draft, 2020-12 where `$schema` names none.

A schema stands alone: nothing is fetched, from no file and no network. Its patterns run in linear time, for they see
bodies that nobody trusts. `format` is checked.
"""

from functools import lru_cache
from typing import Any

from vezaflow.syntax.json_text import json_value

LONGEST = 2_000_000
_WIDTH = 160
_MEMORY = 8 << 20  # bytes that one pattern's automaton may take


class JsonSchema:
    """What a document must be like."""

    __slots__ = ("_validator",)

    def __init__(self, document: Any) -> None:
        """ValueError says in one line why the document is no schema."""
        import jsonschema_rs

        elsewhere: list[str] = []

        def refuse(uri: str) -> None:
            elsewhere.append(uri)
            raise ValueError(uri)

        options = jsonschema_rs.RegexOptions(size_limit=_MEMORY, dfa_size_limit=_MEMORY)
        try:
            self._validator = jsonschema_rs.validator_for(
                document, validate_formats=True, retriever=refuse, pattern_options=options
            )
        except jsonschema_rs.ValidationError as error:
            if elsewhere:
                raise ValueError(f"{elsewhere[0]} is another document: a schema must be self-contained") from None
            raise ValueError(_shown(error.message, list(error.instance_path))) from None

    def fault(self, document: Any) -> str:
        """The first thing that is not as it must be, with its place; empty if all is."""
        try:
            if self._validator.is_valid(document):
                return ""
            error = next(self._validator.iter_errors(document))
        except ValueError as reason:  # nested deeper than the library goes
            return f"$: the schema can't be evaluated here: {reason}"
        return _shown(error.message, list(error.instance_path))


@lru_cache(maxsize=256)
def compile_schema(text: bytes) -> JsonSchema:
    """The schema that a JSON text is, UTF-8 with or without its mark. ValueError says in one line why it is none."""
    if len(text) > LONGEST:
        raise ValueError(f"the file is longer than {LONGEST:,} bytes")
    try:
        return JsonSchema(json_value(text.decode().removeprefix("\ufeff")))
    except UnicodeDecodeError as error:
        raise ValueError(f"the file is not UTF-8 text: byte 0x{text[error.start]:02x} can't be read") from None


def _shown(message: str, path: list[str | int]) -> str:
    text = " ".join(message.split())
    at = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return f"{at}: {text if len(text) <= _WIDTH else text[: _WIDTH - 1] + '…'}"
