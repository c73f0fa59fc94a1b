"""Who takes part, where each one's program comes from, and how it is started.

Rivals of PyPI get a venv of their own in the cache folder, made once from bench/requirements-<name>.txt.
A contender that isn't on this machine is left out and said to be.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.nginx import CHUNK
from bench.scenarios import Scenario

HERE = Path(__file__).parent
RIVALS = HERE / "rivals"
LOCUST_USERS = {
    "get": "Get",
    "browse": "Browse",
    "streaming": "Streaming",
    "upload": "Upload",
    "upload-form": "UploadForm",
    "checkout": "Checkout",
    "idle": "Idle",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one contender: `seconds` of `scenario` with `vus` against `base`, files in `folder`."""

    scenario: Scenario
    vus: int
    seconds: float
    base: str
    folder: Path
    workers: int = 1  # processes of vezaflow's; the rivals use as many threads as they like


Command = Callable[[tuple[str, ...], Job], list[str]]


@dataclass(frozen=True, slots=True)
class Contender:
    """`command` builds the command line of a job."""

    name: str
    version: str
    program: tuple[str, ...]
    command: Command


def cache_folder() -> Path:
    """Where the rivals' venvs are kept, if nothing else is said."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vezaflow-bench"


def _venv(name: str, cache: Path) -> Path:
    """The bin folder of the rival's own venv."""
    home = cache / name
    wanted = (HERE / f"requirements-{name}.txt").read_text()
    stamp = home / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {name} into {home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        command = [*pip, "-r", str(HERE / f"requirements-{name}.txt")]
        installed = subprocess.run(command, capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            raise SystemExit(f"{name} could not be installed:\n{installed.stderr}")
        stamp.write_text(wanted)
    return home / "bin"


def _first_line(command: list[str]) -> str:
    """What a program says about its version: its first line, whatever its exit code."""
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (said.stdout + said.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


def _run_vezaflow(program: tuple[str, ...], job: Job) -> list[str]:
    flow = HERE / "flows" / f"{job.scenario.script}.yml"
    return [
        *(*program, "run", str(flow), "--quiet", "-e", f"BASE_URL={job.base}", "-e", f"VUS={job.vus}"),
        *("--duration", f"{job.seconds:g}s", "--summary", str(job.folder / "vezaflow.json")),
        *(("--workers", str(job.workers)) if job.workers > 1 else ()),
    ]


def _run_wrk(program: tuple[str, ...], job: Job) -> list[str]:
    script = RIVALS / "wrk" / f"{job.scenario.script}.lua"
    load = ["-t1", f"-c{job.vus}", f"-d{job.seconds:g}s"]
    scripted = ["-s", str(script)] if script.exists() else []
    return [*program, *load, *scripted, f"{job.base}/"]


def _run_k9(program: tuple[str, ...], job: Job) -> list[str]:
    plan = (RIVALS / "k9-load" / f"{job.scenario.script}.yml").read_text()
    values = {"BASE": job.base, "VUS": str(job.vus), "DURATION": f"{job.seconds:g}s", "MIB": "x" * CHUNK}
    for name, value in values.items():
        plan = plan.replace(f"@{name}@", value)
    filled = job.folder / "k9-load.yml"
    filled.write_text(plan)
    (job.folder / "chunk.bin").write_bytes(b"x" * CHUNK)
    return [*program, "run", "--quiet", "--insecure-skip-tls-verify", str(filled)]


def _run_locust(program: tuple[str, ...], job: Job) -> list[str]:
    return [
        *(*program, "-f", str(RIVALS / "locust" / "locustfile.py"), "--headless", "--only-summary"),
        *("-u", str(job.vus), "-r", str(job.vus), "-t", f"{job.seconds:g}s", "--host", job.base),
        LOCUST_USERS[job.scenario.script],
    ]


def _run_k6(program: tuple[str, ...], job: Job) -> list[str]:
    script = RIVALS / "k6" / f"{job.scenario.script}.js"
    load = ["--vus", str(job.vus), "--duration", f"{job.seconds:g}s", "-e", f"BASE={job.base}"]
    return [*program, "run", "--quiet", "--insecure-skip-tls-verify", *load, str(script)]


def _contender(name: str, program: tuple[str, ...], ask: str, run: Command) -> Contender:
    return Contender(name, _first_line([*program, ask]).partition(" from ")[0], program, run)


def _vezaflow(cache: Path) -> Contender | None:
    """The checkout's own, with the interpreter that runs the bench."""
    if importlib.util.find_spec("vezaflow") is None:
        return None
    return _contender("vezaflow", (sys.executable, "-m", "vezaflow"), "--version", _run_vezaflow)


def _before(cache: Path) -> Contender | None:
    """Another checkout of vezaflow, which VEZAFLOW_BEFORE names, with the same interpreter and flows: before and after
    in turn."""
    folder = os.environ.get("VEZAFLOW_BEFORE")
    if not folder:
        return None
    program = ("env", f"PYTHONPATH={Path(folder).resolve()}", sys.executable, "-P", "-m", "vezaflow")
    return _contender("before", program, "--version", _run_vezaflow)


def _k9(cache: Path) -> Contender | None:
    return _contender("k9-load", (str(_venv("k9-load", cache) / "k9"),), "version", _run_k9)


def _locust(cache: Path) -> Contender | None:
    return _contender("locust", (str(_venv("locust", cache) / "locust"),), "--version", _run_locust)


def _wrk(cache: Path) -> Contender | None:
    program = shutil.which("wrk")
    return _contender("wrk", (program,), "-v", _run_wrk) if program else None


def _k6(cache: Path) -> Contender | None:
    program = shutil.which("k6")
    return _contender("k6", (program,), "version", _run_k6) if program else None


FINDERS: Mapping[str, Callable[[Path], Contender | None]] = {
    "vezaflow": _vezaflow,
    "before": _before,
    "k9-load": _k9,
    "wrk": _wrk,
    "locust": _locust,
    "k6": _k6,
}


def find(names: list[str], cache: Path) -> list[Contender]:
    """Those of `names` that this machine has, in that order; the others are named on stderr."""
    found = []
    for name in names:
        contender = FINDERS[name](cache)
        if contender is None:
            print(f"{name} is not on this machine: left out", file=sys.stderr)
        else:
            found.append(contender)
    return found
