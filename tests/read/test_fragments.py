"""Fragments as they are read: which file is one, and what its inputs take."""

from pathlib import Path
from typing import Any

import pytest

from vezaflow.lint import lint
from vezaflow.model import Include, InputType, fit
from vezaflow.model.steps import Repeat

FLOW = """
base_url: http://127.0.0.1:8080
steps:
  - repeat: 2
    do:
      - include: parts/./sub/login.yml
        with: {name: 007, pause: 90 s}
gates: {http_req_failed: rate < 1 %}
"""
PART = """
inputs: {name: text, pause: duration}
steps:
  - think: ${pause}
  - get: /${name}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "parts" / "sub").mkdir(parents=True)
    (tmp_path / "flow.yml").write_text(FLOW, encoding="utf-8")
    (tmp_path / "parts" / "sub" / "login.yml").write_text(PART, encoding="utf-8")
    return tmp_path


def test_a_fragment_is_no_flow_of_its_own(suite: Path) -> None:
    found, diagnostics = lint([suite])
    assert not len(diagnostics)
    assert found is not None
    assert [flow.name for flow in found.flows] == ["flow"]
    assert [fragment.path for fragment in found.fragments] == ["parts/sub/login.yml"]
    assert str(suite / "parts/sub/login.yml") in found.sources


def test_to_lint_a_fragment_is_to_lint_its_suite(suite: Path) -> None:
    found, diagnostics = lint([suite / "parts" / "sub" / "login.yml"])
    assert not len(diagnostics)
    assert found is not None
    assert found.whole
    assert [flow.name for flow in found.flows] == ["flow"]


def test_values_are_kept_as_the_inputs_have_them(suite: Path) -> None:
    found, _ = lint([suite])
    assert found is not None
    (repeat,) = found.flows[0].steps
    assert isinstance(repeat, Repeat)
    (include,) = repeat.steps
    assert isinstance(include, Include)
    name, pause = (value for _, value, _ in include.values)
    assert name.value == "007"  # type: ignore[union-attr]
    assert pause.value.amount == 90  # type: ignore[union-attr]


def test_a_link_out_of_the_suite_is_not_followed(suite: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "login.yml"
    outside.write_text(PART, encoding="utf-8")
    (suite / "parts" / "sub" / "login.yml").unlink()
    (suite / "parts" / "sub" / "login.yml").symlink_to(outside)
    _, diagnostics = lint([suite])
    assert [d.code for d in diagnostics] == ["VF407"]


@pytest.mark.parametrize(
    ("type_", "value", "found"),
    [
        ("any", None, None),
        ("text", "a", "a"),
        ("number", "1.5", 1.5),
        ("number", "-3", -3),
        ("integer", 4.0, 4),
        ("boolean", "true", True),
        ("boolean", False, False),
        ("duration", "1m30s", 90.0),
        ("duration", 0.5, 0.5),
        ("size", "2 KiB", 2048.0),
        ("list", [1], [1]),
        ("mapping", {"a": 1}, {"a": 1}),
    ],
)
def test_what_fits(type_: str, value: Any, found: Any) -> None:
    fitted = fit(InputType(type_), value)
    assert (fitted, type(fitted)) == (found, type(found))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", 1),
        ("text", None),
        ("number", "many"),
        ("number", True),
        ("integer", 4.5),
        ("integer", "1e999"),
        ("integer", float("nan")),
        ("boolean", 1),
        ("boolean", "yes"),
        ("duration", "5"),
        ("duration", "5 MiB"),
        ("size", "5s"),
        ("list", "a"),
        ("mapping", []),
    ],
)
def test_what_does_not(type_: str, value: Any) -> None:
    with pytest.raises(ValueError, match="expected "):
        fit(InputType(type_), value)
