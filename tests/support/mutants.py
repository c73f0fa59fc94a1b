"""JSON values with one place changed, as a fault of a disk, another version, or a person would leave them."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

OTHERS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -0.5, 1e308, "", "x", "\0", "é", "9" * 50, [], [[]], [1],
    {}, {"a": 1}, float("nan"), float("inf"), "2026-01-01", "AAAA", [None], {"count": 1},
)  # fmt: skip
Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place within a JSON value, the whole one first."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@st.composite
def mutants(draw: st.DrawFn, value: Any) -> Any:
    """The value with one or two places gone, doubled, renamed or of another type."""
    twin = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from([path for path in places(twin) if path] or [("",)]))
        there = twin
        for key in way:
            there = there[key]
        match draw(st.sampled_from(["other", "gone", "double", "rename"])):
            case "gone":
                del there[last]
            case "double" if isinstance(there, list):
                there.append(there[int(last)])
            case "rename" if isinstance(there, dict):
                there[f"{last}x"] = there.pop(last)
            case _:
                there[last] = copy.deepcopy(draw(st.sampled_from(OTHERS)))
    return twin
