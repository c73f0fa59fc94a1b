"""What a sandbox can be told, and how that travels to its process.

Times are seconds, shares a fraction of one. Settings go to the child as JSON over its standard input, so the
token stands in no process list.
"""

import json
from dataclasses import asdict, dataclass

from vezaflow.errors import VezaflowError


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Where to listen and how to misbehave. Port 0 takes a free one; without a token one is made up."""

    host: str = "127.0.0.1"
    port: int = 0
    latency: float = 0.0  # seconds added to each reply
    jitter: float = 0.0  # up to so many seconds more, uniformly
    page_latency: float = 0.0  # seconds added to a page of tracks for each page before it
    error_rate: float = 0.0  # the share of requests answered with 503
    upload_error_rate: float = 0.0  # the share of uploads' requests answered with 500
    rate_limit: float = 0.0  # requests per second, those beyond are answered with 429; 0: no limit
    bandwidth: float = 0.0  # bytes per second at which a stream comes to one listener; 0: no limit
    slow_rendition: int = 0  # kbit/s of the variant that comes at half the speed at which it plays; 0: none
    broken_segment: int = 0  # which segment of each variant is not there, from 1; 0: none
    seed: int = 1
    token: str | None = None

    def __post_init__(self) -> None:
        if min(self.bandwidth, self.slow_rendition, self.broken_segment) < 0:
            raise VezaflowError("the sandbox's bandwidth, rendition and segment can't be negative")
        if min(self.latency, self.jitter, self.page_latency, self.rate_limit) < 0:
            raise VezaflowError("the sandbox's latencies, jitter and rate limit can't be negative")
        if not (0 <= self.error_rate <= 1 and 0 <= self.upload_error_rate <= 1):
            raise VezaflowError("the sandbox's error rates are shares", hint="give them between 0 % and 100 %")

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "SandboxSettings":
        return cls(**json.loads(line))
