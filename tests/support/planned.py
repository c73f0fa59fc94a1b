"""Flows written in tests: text → plan, on the same way that files go."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from vezaflow.diagnostics import Diagnostics, render_text
from vezaflow.model import Suite
from vezaflow.plan import NO_SURROUNDINGS, Inputs, Plan, Surroundings, build
from vezaflow.read import read_suite

ROOT = Path("suite")
SUITE = "suite: test\nbase_url: http://127.0.0.1:1"


def plan_of(
    flow: str,
    *,
    suite: str = SUITE,
    inputs: Inputs | None = None,
    root: Path = ROOT,
    around: Surroundings = NO_SURROUNDINGS,
) -> Plan:
    """The plan of a suite of one flow. Fails with the drawn diagnostics where the text is wrong."""
    plan, diagnostics = plan_or_faults(flow, suite=suite, inputs=inputs, root=root, around=around)
    assert plan is not None, render_text(diagnostics.items)
    return plan


def plan_or_faults(
    flow: str,
    *,
    suite: str = SUITE,
    inputs: Inputs | None = None,
    root: Path = ROOT,
    around: Surroundings = NO_SURROUNDINGS,
) -> tuple[Plan | None, Diagnostics]:
    """The plan, or what is wrong."""
    diagnostics = Diagnostics()
    found = _read(flow, suite, root, diagnostics)
    if found is None or diagnostics.failed:
        return None, diagnostics
    return build(found, inputs or Inputs({}), diagnostics, around), diagnostics


def suite_of(flow: str, *, suite: str = SUITE, root: Path = ROOT) -> Suite:
    """The suite of one flow, as it is written."""
    diagnostics = Diagnostics()
    found = _read(flow, suite, root, diagnostics)
    assert found is not None, render_text(diagnostics.items)
    return found


def _read(flow: str, suite: str, root: Path, diagnostics: Diagnostics) -> Suite | None:
    overlay = {root / "suite.yml": dedent(suite), root / "flow.yml": dedent(flow)}
    return read_suite([root], diagnostics, overlay=overlay)


def inputs(environment: Mapping[str, str] | None = None, **options: object) -> Inputs:
    """Inputs with an environment of the test's own."""
    return Inputs(dict(environment or {}), **options)  # type: ignore[arg-type]
