"""Regular expressions on untrusted bodies: google-re2, linear in time whatever the pattern and the text."""

from functools import lru_cache
from typing import Any

LONGEST = 1_000
_MEMORY = 8 << 20  # bytes that one pattern's automaton may take


@lru_cache(maxsize=256)
def compile_pattern(
    text: str,
) -> Any:  # re2 has no types; the object has re.Pattern's search, match, fullmatch
    """The pattern, ready to search. ValueError gives RE2's reason in one line."""
    import re2

    if len(text) > LONGEST:
        raise ValueError(f"a regular expression of more than {LONGEST:,} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a valid regular expression"
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None
