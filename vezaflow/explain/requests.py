"""The requests of a plan: which responses are kept and why, which hosts they go to, what happens around the load."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vezaflow.explain.amount import amount_of
from vezaflow.model import allowed_by
from vezaflow.plan import Plan, PlannedRequest, PlannedStep, requests_of
from vezaflow.protocols import ClientOptions, Origin, Want


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a step's responses until its next request, and which words of the flow want it."""

    step: str
    body: bool
    headers: bool
    why: tuple[str, ...]

    @property
    def what(self) -> str:
        return " and ".join(word for word, kept in (("body", self.body), ("headers", self.headers)) if kept)


@dataclass(frozen=True, slots=True)
class TargetHost:
    """A server that will be talked to. `allowed`: the guard's reason; `by`: flows and phases."""

    origin: Origin
    allowed: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """How a step connects that connects otherwise than its flow: the proxy's host and port, the certificate's name."""

    step: str
    http2: bool
    proxy: str | None
    local_addresses: tuple[str, ...]
    certificate: str | None
    words: tuple[str, ...]  # what of it is otherwise


@dataclass(frozen=True, slots=True)
class Opened:
    """A step that holds a connection open while others run: a WebSocket, or an event stream."""

    step: str
    what: str


@dataclass(frozen=True, slots=True)
class Listens:
    """A step that plays a stream, and in words what is known of that."""

    step: str
    what: str


@dataclass(frozen=True, slots=True)
class Around:
    """Requests outside of the load, at least, and those of them that connect otherwise than the suite says."""

    preflight: int
    setup: int
    teardown: int
    ways: tuple[Way, ...]


def around(plan: Plan) -> Around:
    """What happens once, before the load and after it."""
    happening = (step for event in plan.events for step in event.steps)
    steps = (*plan.preflight.requests, *plan.setup, *happening, *plan.teardown)
    return Around(
        preflight=len(plan.preflight.requests),
        setup=amount_of(plan.setup).requests,
        teardown=amount_of(plan.teardown).requests,
        ways=tuple(ways_of(steps, plan.client)),
    )


def kept_by(steps: Iterable[PlannedStep]) -> Iterator[Kept]:
    """Steps of which more is kept than figures, each name once."""
    named: dict[str, list[PlannedRequest]] = {}
    for request in requests_of(steps):
        named.setdefault(request.name, []).append(request)
    for name, requests in named.items():
        reasons = dict.fromkeys(reason for request in requests for reason in request.forecast.reasons)
        wants = [reason.want for reason in reasons]
        if reasons:
            yield Kept(
                name,
                any(want & Want.BODY for want in wants),
                any(want & Want.HEADERS for want in wants),
                tuple(dict.fromkeys(reason.text for reason in reasons)),
            )


def ways_of(steps: Iterable[PlannedStep], usual: ClientOptions) -> Iterator[Way]:
    """Steps that connect in a way of their own, each name and way once."""
    own = {(request.name, request.client): None for request in requests_of(steps) if request.client is not None}
    for name, client in own:
        assert client is not None
        proxy, cert = client.proxy, client.cert_file
        yield Way(
            name,
            client.http2,
            f"{proxy.host}:{proxy.port}" if proxy is not None else None,
            client.local_addresses,
            Path(cert).name if cert is not None else None,
            tuple(_differences(client, usual)),
        )


def opened_by(steps: Iterable[PlannedStep]) -> Iterator[Opened]:
    """Steps that hold a connection open, each name once."""
    found = {request.name: request for request in requests_of(steps) if request.upgrades or request.streams}
    return (Opened(name, "WebSocket" if request.upgrades else "event stream") for name, request in found.items())


def listeners_of(steps: Iterable[PlannedStep]) -> Iterator[Listens]:
    """Steps that play a stream, each name once."""
    found = {request.forecast.plays: None for request in requests_of(steps) if request.forecast.plays is not None}
    return (Listens(*plays) for plays in found if plays is not None)


def _differences(client: ClientOptions, usual: ClientOptions) -> Iterator[str]:
    if client.http2 != usual.http2:
        yield "over HTTP/2" if client.http2 else "over HTTP/1.1"
    if (proxy := client.proxy) != usual.proxy:
        yield f"through the proxy {proxy.host}:{proxy.port}" if proxy is not None else "without a proxy"
    if client.local_addresses != usual.local_addresses:
        yield f"from {', '.join(client.local_addresses)}"
    if client.cert_file is not None and _shown(client) != _shown(usual):
        yield f"with the certificate {Path(client.cert_file).name}"
    if client.ca_file != usual.ca_file and client.ca_file is not None:
        yield f"trusting {Path(client.ca_file).name}"
    if client.insecure != usual.insecure:
        yield "trusting any certificate" if client.insecure else "trusting only the system's certificates"


def _shown(client: ClientOptions) -> tuple[object, ...]:
    """All that makes up a client's certificate."""
    return client.cert_file, client.key_file, client.key_password


def hosts_of(plan: Plan) -> Iterator[TargetHost]:
    """The servers that are known before the load."""
    users: dict[Origin, dict[str, None]] = {}
    for name, steps in _parts(plan):
        for request in requests_of(steps):
            if request.forecast.origin is not None:
                users.setdefault(request.forecast.origin, {})[name] = None
    for origin, by in users.items():
        yield TargetHost(origin, allowed_by(origin.host, origin.port, plan.targets.allow) or "", tuple(by))


def led_by_run(plan: Plan) -> Iterator[tuple[str, str]]:
    """Steps whose URL comes from where only the run tells."""
    found = {
        (f"{name} › {request.name}", led): None
        for name, steps in _parts(plan)
        for request in requests_of(steps)
        if (led := _led(request))
    }
    return iter(found)


def _led(request: PlannedRequest) -> str:
    """What a response decides of where a request goes; empty if nothing."""
    if request.forecast.origin is None:
        return request.forecast.url
    by_url = request.pages is not None and request.pages.by_url
    return f"the pages after {request.forecast.url}" if by_url else ""


def _parts(plan: Plan) -> Iterator[tuple[str, tuple[PlannedStep, ...]]]:
    for flow in plan.flows:
        yield flow.name, (*flow.login, *flow.steps, *flow.final)
    yield "preflight", plan.preflight.requests
    yield "setup", plan.setup
    for event in plan.events:
        yield f"event {event.name}", event.steps
    for audit in plan.audits:
        yield f"audit {audit.name}", audit.steps
    yield "teardown", plan.teardown
