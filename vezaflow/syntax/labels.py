"""Labels that select samples, `step:search,page:1`, as they stand between the braces of a gate."""

import re

Labels = tuple[tuple[str, str], ...]

_NEXT = re.compile(r",\s*(?=\w+\s*:)")


def split_labels(text: str) -> tuple[Labels, tuple[str, ...]]:
    """The labels by name, and the pieces that are none."""
    labels, wrong = [], []
    for piece in _NEXT.split(text) if text else ():
        name, colon, value = piece.partition(":")
        if colon and name.strip() and value.strip():
            labels.append((name.strip(), _unquoted(value.strip())))
        else:
            wrong.append(piece.strip())
    return tuple(sorted(labels)), tuple(wrong)


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
