"""What is asked: targets whose latencies are known, and how hard they are pressed.

All start in one instant, as the load profile says; nobody's start is spread.
"""

import math
from dataclasses import dataclass

from bench.truth.server import Route, Stall

CROWD = 1650


@dataclass(frozen=True, slots=True)
class Target:
    """One answer for every request."""

    name: str
    delay: str
    says: str
    stall: Stall | None = None

    @property
    def mean(self) -> float:
        """Of its delay, in seconds."""
        shape, median, *sigma = self.delay.split(":")
        return float(median) * math.exp(float(sigma[0]) ** 2 / 2) if shape == "lognormal" else float(median)

    @property
    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "*", delay=self.delay),)


TARGETS = (
    Target("fixed-5", "fixed:0.005", "5 ms"),
    Target("fixed-50", "fixed:0.05", "50 ms"),
    Target("lognormal", "lognormal:0.02:0.8", "lognormal, median 20 ms, sigma 0.8 (p95 74.6 ms, p99 128.6 ms)"),
)
FREEZING = Target("freezing", "fixed:0.001", "1 ms, but all stands still for 2 s in every 10", Stall(10.0, 2.0))


@dataclass(frozen=True, slots=True)
class Load:
    """Closed: `vus` that `think` (seconds) after each answer. Open: `rate` a second, `vus` at most."""

    name: str
    vus: int
    seconds: float
    think: float = 0.0
    rate: int = 0  # 0: a closed model

    def asked(self, target: Target) -> float:
        """Requests per second that are sent when nobody is late."""
        return self.rate or self.vus / max(self.think + target.mean, 1e-9)


def loads(limit: float, target: Target, seconds: float) -> tuple[Load, ...]:
    """The four loads of a tool that sends `limit` requests a second at most."""
    return (
        Load("light", 10, seconds, think=0.1),
        Load("1650 VUs", CROWD, seconds, think=1.0),
        Load("90 %", CROWD, seconds, think=_think(0.9 * limit, target)),
        Load("120 %", CROWD, seconds, think=_think(1.2 * limit, target)),
    )


def flat_out(seconds: float) -> Load:
    """Without a pause: the first half of how a tool's limit is found."""
    return Load("flat out", CROWD, seconds)


def too_much(rate: float, target: Target, seconds: float) -> Load:
    """More than `rate`, which a tool sends without pauses: what arrives of it is all that the tool can."""
    return Load("too much", CROWD, seconds, think=_think(1.2 * rate, target))


def arrivals(seconds: float) -> Load:
    """An open model, with VUs enough for whom a stall keeps waiting."""
    return Load("open, 200/s", 600, seconds, rate=200)


def few_users(seconds: float) -> Load:
    """A closed model that offers as much while the server is well."""
    return Load("closed, 50 VUs", 50, seconds, think=0.249)


def _think(rate: float, target: Target) -> float:
    """Between two requests of a VU so that the crowd would send `rate`; whole milliseconds, as tools take them."""
    return max(0, round((CROWD / rate - target.mean) * 1000)) / 1000
