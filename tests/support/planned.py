"""Flows written in tests: text → plan, on the same way that files go."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from vezaflow.diagnostics import Diagnostics, render_text
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
    overlay = {root / "suite.yml": dedent(suite), root / "flow.yml": dedent(flow)}
    found = read_suite([root], diagnostics, overlay=overlay)
    if found is None or diagnostics.failed:
        return None, diagnostics
    return build(found, inputs or Inputs({}), diagnostics, around), diagnostics


def inputs(environment: Mapping[str, str] | None = None, **options: object) -> Inputs:
    """Inputs with an environment of the test's own."""
    return Inputs(dict(environment or {}), **options)  # type: ignore[arg-type]
