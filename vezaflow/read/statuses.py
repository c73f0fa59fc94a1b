"""Sets of statuses as authors write them: `200`, `2xx`, or a list of such."""

import re
from collections.abc import Callable

from vezaflow.diagnostics import Diagnostics
from vezaflow.keys import Kind
from vezaflow.model import StatusSet
from vezaflow.syntax import Node, Scalar, Sequence

_CLASS = re.compile(r"([1-9])[xX]{2}")


def read_statuses(node: Node, diagnostics: Diagnostics, other: Callable[[Node], None]) -> StatusSet:
    """The statuses of a node or of its items; what is none is handed to `other`."""
    nodes = node.items if isinstance(node, Sequence) else (node,)
    if not nodes:
        diagnostics.error("VF121", node.span, "the list of statuses is empty", help=f"it must be {Kind.STATUS.value}")
    exact, classes = [], []
    for item in nodes:
        text = item.text if isinstance(item, Scalar) else ""
        if match := _CLASS.fullmatch(text):
            classes.append(int(match[1]))
        elif text.isascii() and text.isdigit() and 100 <= int(text) <= 999:
            exact.append(int(text))
        else:
            other(item)
    shown = " or ".join(item.text for item in nodes if isinstance(item, Scalar))
    return StatusSet(tuple(exact), tuple(classes), shown, node.span)
