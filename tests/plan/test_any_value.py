"""What lint lets pass is planned, or refused in words: no value of any key of the reference's examples ends in a
traceback.
"""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import EXAMPLES, FILES, places, plain, root_table, tree

from vezaflow.diagnostics import Diagnostics, render_text
from vezaflow.errors import VezaflowError
from vezaflow.lint import lint
from vezaflow.plan import Inputs, build

Spot = tuple[Path, tuple[str | int, ...]]
SPOTS: list[Spot] = [
    (path, (*way, entry.key.text))
    for path in FILES
    for table, node, way in places(tree(path), root_table(path))
    for entry in node.entries
]
VALUES: list[object] = [
    0, 1, -1, 1.5, 10**30, 1e300, True, None, "", "x", "é", "\u2028", "a\nb", "none", "${env.A}", "${env.MISSING}",
    "${env.B ?? 3}", "${env.TIME}", "${vu}", "${iteration + 1}", "${[1, 2]}", "${1 / 0}", "${pick([1])}", "${1s..2s}",
    "1s..2s", "0s", "1e300d", "999999999 GiB", "0.000001/s", "1e300/s", "http://127.0.0.1", "http://[::1]:1/",
    "/a?b=${vu}", "*", "$.a[*]", "//a", "a::attr(b)", [], {}, [1, "a"], {"a": 1}, [{"get": "/"}], {"a": "${vu}"},
]  # fmt: skip
ENVIRONMENT = {"BASE_URL": "http://127.0.0.1:1", "USER_TOKEN": "a token", "A": "x", "B": "7", "TIME": "2s"}


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SPOTS), st.sampled_from(VALUES)), min_size=1, max_size=2))
def test_any_value_of_any_key_is_planned_or_refused(changes: list[tuple[Spot, object]]) -> None:
    path = changes[0][0][0]
    document = plain(tree(path))
    for (of, way), value in changes:
        if of == path:
            _put(document, way, value)
    suite, _ = lint([path if path.parent == EXAMPLES else EXAMPLES], overlay={path: json.dumps(document)})
    if suite is None:
        return
    found = Diagnostics()
    with suppress(VezaflowError):
        build(suite, Inputs(ENVIRONMENT, duration=2.0), found)
    assert isinstance(render_text(found.items), str)


def _put(document: object, way: tuple[str | int, ...], value: object) -> None:
    inner = document
    for step in way[:-1]:
        inner = inner[step]  # type: ignore[index]
    inner[way[-1]] = value  # type: ignore[index]
