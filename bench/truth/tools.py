"""How each generator is asked for the same, and where it says what it measured.

Each one's question is a file in asks/ with @NAME@ for what varies. What is read back is what the tool itself
calls the request's duration: http_req_duration of vezaflow, k9-load and k6, response time of Locust (which rounds it to
whole milliseconds, and to two digits above 100).
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import Contender
from bench.truth.loads import Load

ASKS = Path(__file__).with_name("asks")
STATS = "--summary-trend-stats=med,p(95),p(99)"


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool reported: seconds; its verdict and its own health where it speaks of them."""

    quantiles: tuple[float, float, float]
    verdict: str = ""
    health: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """`command` from the program, the filled-in question, the load and a folder; `said` from that folder and stdout."""

    suffix: str
    command: Callable[[tuple[str, ...], Path, Load, Path], list[str]]
    said: Callable[[Path, str], Said]


def question(contender: Contender, load: Load) -> Path:
    """The file in asks/; a tool without an open model has none for it."""
    model = "open" if load.rate else "closed"
    return ASKS / f"{contender.name}-{model}.{TOOLS[contender.name].suffix}"


def ask(contender: Contender, load: Load, base: str, folder: Path) -> list[str]:
    """The command line; its question is written into the folder."""
    tool = TOOLS[contender.name]
    text = question(contender, load).read_text()
    values = {
        "BASE": base, "VUS": str(load.vus), "SECONDS": f"{load.seconds:g}",
        "THINK": f"{load.think * 1000:.0f}", "RATE": str(load.rate),
    }  # fmt: skip
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    filled = folder / f"truth.{tool.suffix}"
    filled.write_text(text)
    return tool.command(contender.program, filled, load, folder)


def _ask_vezaflow(program: tuple[str, ...], asked: Path, load: Load, folder: Path) -> list[str]:
    return [*program, "run", str(asked), "--quiet", "--summary", str(folder / "said.json")]


def _vezaflow_said(folder: Path, output: str) -> Said:
    result = json.loads((folder / "said.json").read_text())
    duration = result["pooled"]["http_req_duration"]
    return Said((duration["p50"], duration["p95"], duration["p99"]), result["outcome"], result["health"])


def _ask_like_k6(program: tuple[str, ...], asked: Path, load: Load, folder: Path) -> list[str]:
    return [*program, "run", "--quiet", STATS, f"--summary-export={folder / 'said.json'}", str(asked)]


def _k6_said(folder: Path, output: str) -> Said:
    duration = json.loads((folder / "said.json").read_text())["metrics"]["http_req_duration"]
    return Said((duration["med"] / 1e3, duration["p(95)"] / 1e3, duration["p(99)"] / 1e3))


def _ask_locust(program: tuple[str, ...], asked: Path, load: Load, folder: Path) -> list[str]:
    many = ["-u", str(load.vus), "-r", str(load.vus), "-t", f"{load.seconds:g}s", "--stop-timeout", "5"]
    return [*program, "-f", str(asked), "--headless", "--json", "--loglevel", "ERROR", *many]


def _locust_said(folder: Path, output: str) -> Said:
    times: dict[float, int] = {}
    for entry in json.loads(output[output.index("[") :]):
        for shown, count in entry["response_times"].items():
            times[float(shown) / 1e3] = times.get(float(shown) / 1e3, 0) + count
    return Said((_rank(times, 0.5), _rank(times, 0.95), _rank(times, 0.99)))


def _rank(times: dict[float, int], share: float) -> float:
    left = math.ceil(sum(times.values()) * share)
    for time, count in sorted(times.items()):
        left -= count
        if left <= 0:
            return time
    raise ValueError("no response times")


TOOLS: Mapping[str, Tool] = {
    "vezaflow": Tool("yml", _ask_vezaflow, _vezaflow_said),
    "k9-load": Tool("yml", _ask_like_k6, _k6_said),
    "locust": Tool("py", _ask_locust, _locust_said),
    "k6": Tool("js", _ask_like_k6, _k6_said),
}
