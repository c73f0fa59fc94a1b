"""What a sandbox can be told, and how that travels to its process.

Times are seconds, shares a fraction of one. Settings go to the child as JSON over its standard input, so the
token stands in no process list.
"""

import json
from dataclasses import asdict, dataclass

from vezaflow.errors import VezaflowError

WEB_PAGES = ("login", "dashboard", "tracks", "marketplace", "search", "profile")
UNSENT = (1004, 1005, 1006)  # close codes that no frame may have (RFC 6455, 7.4.1)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Where to listen and how to misbehave. Port 0 takes a free one; without a token one is made up."""

    host: str = "127.0.0.1"
    port: int = 0
    latency: float = 0.0  # seconds added to each reply
    jitter: float = 0.0  # up to so many seconds more, uniformly
    page_latency: float = 0.0  # seconds added to a page of tracks for each page before it
    filter_latency: float = 0.0  # seconds added to a search for each facet that it is filtered by
    wrong_facets: float = 0.0  # the share of searches whose facets have wrong counts
    error_rate: float = 0.0  # the share of requests answered with 503
    upload_error_rate: float = 0.0  # the share of uploads' requests answered with 500
    rate_limit: float = 0.0  # requests per second, those beyond are answered with 429; 0: no limit
    bandwidth: float = 0.0  # bytes per second at which a stream comes to one listener; 0: no limit
    slow_rendition: int = 0  # kbit/s of the variant that comes at half the speed at which it plays; 0: none
    broken_segment: int = 0  # which segment of each variant is not there, from 1; 0: none
    ws_auth: bool = False  # the chat's upgrade is answered with 401 without the token
    ws_token_lifetime: float = 0.0  # seconds after which a token, and who is connected by it, is refused; 0: never
    ws_drop: float = 0.0  # the share of acks and messages that are not sent
    ws_duplicate: float = 0.0  # the share that are sent twice
    ws_reorder: float = 0.0  # the share that come behind those after them
    ws_delay: float = 0.0  # seconds added to each
    ws_close_after: float = 0.0  # seconds after which a connection is closed; 0: never
    ws_close_messages: int = 0  # messages of a member after which it is closed; 0: never
    ws_close_code: int = 0  # 0: 1011; of an expired token 4401
    ws_idle: float = 0.0  # seconds without a message after which a connection is closed (4408); 0: never
    sse_close_events: int = 0  # events after which an event stream ends; 0: never
    sse_delay: float = 0.0  # seconds that each event is sent late
    page_slow: str = ""  # the page of the web application that is slow
    page_inaccessible: str = ""  # the one that is not accessible
    seed: int = 1
    token: str | None = None

    def __post_init__(self) -> None:
        for page in (self.page_slow, self.page_inaccessible):
            if page and page not in WEB_PAGES:
                raise VezaflowError(f"the sandbox has no page '{page}'", hint=f"the pages are {', '.join(WEB_PAGES)}")
        if min(self.bandwidth, self.slow_rendition, self.broken_segment) < 0:
            raise VezaflowError("the sandbox's bandwidth, rendition and segment can't be negative")
        if min(self.latency, self.jitter, self.page_latency, self.filter_latency, self.rate_limit) < 0:
            raise VezaflowError("the sandbox's latencies, jitter and rate limit can't be negative")
        if min(self.ws_token_lifetime, self.ws_delay, self.ws_close_after, self.ws_close_messages, self.ws_idle) < 0:
            raise VezaflowError("the sandbox's delays and limits of its chat can't be negative")
        if min(self.sse_close_events, self.sse_delay) < 0:
            raise VezaflowError("the sandbox's delay and limit of event streams can't be negative")
        code = self.ws_close_code
        if code and (not (1000 <= code < 1015 or 3000 <= code < 5000) or code in UNSENT):
            raise VezaflowError(
                f"the chat can't be closed with code {self.ws_close_code}", hint="give 1000 to 1014, or 3000 to 4999"
            )
        of_chat = (self.ws_drop, self.ws_duplicate, self.ws_reorder)
        if not all(0 <= share <= 1 for share in (self.error_rate, self.upload_error_rate, self.wrong_facets, *of_chat)):
            raise VezaflowError("the sandbox's error rates are shares", hint="give them between 0 % and 100 %")

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "SandboxSettings":
        return cls(**json.loads(line))
