"""One run of one tool against one target, and what became of it beside the truth."""

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import Contender
from bench.processes import cost, end, pin
from bench.truth.loads import Load, Target
from bench.truth.server import serving
from bench.truth.tools import TOOLS, ask

WARM = 2.0  # seconds of a run that its CPU share leaves out: interpreters start
COMPLETE = 0.97  # of the load that was asked for: a run's begin and end leave out so much at most
SPARE = 20.0  # seconds a tool may take to start, to stop and to write its figures
Triple = tuple[float, float, float]


class TrialError(Exception):
    """The tool gave no figures."""


@dataclass(frozen=True, slots=True)
class Trial:
    """p50, p95, p99 in seconds; requests per second asked and arrived; `cpu` is a share of the generator's core."""

    asked: float
    rate: float
    cpu: float
    true: Triple
    said: Triple
    verdict: str
    health: dict[str, float]  # what the tool says of itself
    loose: bool  # no rate was asked for: users who don't pause, or who wait for a target that stands still

    @property
    def short(self) -> bool:
        """Whether a part of the load is missing by the generator's fault, more than can't be told from chance."""
        return self.rate < COMPLETE * self.asked and not self.loose

    @property
    def error(self) -> Triple:
        """Reported minus true."""
        low, high, highest = (said - true for said, true in zip(self.said, self.true, strict=True))
        return low, high, highest


@dataclass(frozen=True, slots=True)
class Place:
    """Where trials run."""

    server: Path
    target_core: int
    generator_core: int


def trial(contender: Contender, target: Target, load: Load, place: Place) -> Trial:
    """Raises TrialError with the tool's last words when it has nothing to say."""
    with tempfile.TemporaryDirectory(prefix="truth-") as name:
        folder = Path(name)
        with serving(place.server, folder, place.target_core, target.routes, target.stall) as truth:
            command = pin(place.generator_core, ask(contender, load, truth.base, folder))
            cpu, output = _watch(command, load, folder)
        try:
            said = TOOLS[contender.name].said(folder, output)
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise TrialError(f"{type(e).__name__}: {e}; it said: {output[-400:]}") from e
    loose = not load.rate and (not load.think or target.stall is not None)
    figures = truth.quantiles(), said.quantiles
    return Trial(load.asked(target), truth.rate(), cpu, *figures, said.verdict, dict(said.health), loose)


def _watch(command: list[str], load: Load, folder: Path) -> tuple[float, str]:
    """The share of a core that the command's processes took, and what they printed."""
    log = folder / "output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=folder
        )
    try:
        time.sleep(WARM)
        begun, before = time.monotonic(), cost(process.pid).cpu
        time.sleep(max(0.5, load.seconds - WARM - 0.5))
        cpu, lasted = cost(process.pid).cpu - before, time.monotonic() - begun
        process.wait(SPARE)
    except subprocess.TimeoutExpired:
        raise TrialError(f"it did not end within {SPARE:g} s") from None
    finally:
        end(process)
    return cpu / lasted, log.read_text(errors="replace")
