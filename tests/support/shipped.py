"""The suites that ship, in a hurry: their pauses cut, against a sandbox that behaves or does not."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from vezaflow.diagnostics import Diagnostics, render_text
from vezaflow.gates import Outcome, judge
from vezaflow.metrics import Summary
from vezaflow.plan import Bundle, Division, Inputs, Plan, build
from vezaflow.read import read_suite
from vezaflow.sandbox import SandboxSettings, start
from vezaflow.session import prepare, read, run

FLOWS = Path(__file__).parents[2] / "flows"
GIVEN = {
    "BASE_URL": "https://staging.veza.fr",
    "STREAM_TRACK_ID": "ad8d004e-4ab1-52d0-ac70-2a021fb40e07",
    "USER_TOKEN": "a-token-of-nobody",
}


def shipped(folder: Path, environment: Mapping[str, str]) -> Plan:
    """The plan of a suite that ships."""
    diagnostics = Diagnostics()
    suite = read_suite([folder], diagnostics)
    assert suite is not None
    plan = build(suite, Inputs(environment), diagnostics)
    assert plan is not None, render_text(tuple(diagnostics))
    return plan


def gates_of(plan: Plan) -> set[tuple[str | None, str]]:
    return {(gate.flow, gate.text) for gate in plan.gates}


def hurried(suite: Path, folder: Path, *, think: str = "5ms..15ms", **words: str) -> Path:
    """A copy of a suite with its pauses cut, so that a few VUs do in seconds what they would in minutes, and with other
    words in the place of some (by where they stand: `bound="< 500 ms -> < 50 ms"`)."""
    shutil.copytree(suite, folder, ignore=lambda _, names: [name for name in names if not name.endswith(".yml")])
    for path in folder.glob("*.yml"):
        text = re.sub(r"think: \S+\.\.\S+", f"think: {think}", path.read_text())
        for change in words.values():
            old, new = change.split(" -> ")
            text = text.replace(old, new)
        path.write_text(text)
    return folder


def played(
    folder: Path, settings: SandboxSettings, *only: str, seconds: float = 2.0, scale: float = 0.01
) -> tuple[dict[tuple[str | None, str], Outcome], Summary]:
    """How each gate does over a moment of a suite, turned down, and the figures.

    Judged by the figures alone: on a busy machine a run as short as this may rightly end inconclusive.
    """
    with start(settings) as sandbox:
        suite, inputs = read([folder]), Inputs(sandbox.environment, duration=seconds, scale=scale, only=only)
        plan = prepare(suite, inputs)
        result = run(plan, Bundle.of(suite, inputs), Division(), (), lambda _: None)
    return {(v.gate.flow, v.gate.text): v.outcome for v in judge(plan.gates, result.summary)}, result.summary
