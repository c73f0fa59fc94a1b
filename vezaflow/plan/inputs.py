"""What a run is given besides its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HeldLevel:
    """One level of a capacity search: every flow is held at its highest load, for so many seconds that are not judged
    and so many that are."""

    settle: float
    measure: float


@dataclass(frozen=True, slots=True)
class Inputs:
    """The environment and the command line's words."""

    environment: Mapping[str, str]
    base_url: str | None = None  # overrides the suite's
    duration: float | None = None  # seconds, overrides every flow's
    vus: Mapping[str, int] = field(default_factory=dict)  # by flow
    scale: float = 1.0  # of every flow's VUs, rates and shared iterations
    only: tuple[str, ...] = ()  # flows; none: all
    seed: int = 0
    held: HeldLevel | None = None  # the run is one level of a capacity search
