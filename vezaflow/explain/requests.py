"""The requests of a plan: which answers are kept and why, which hosts they go to, and what happens around the load."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vezaflow.explain.amount import amount_of
from vezaflow.model import allowed_by
from vezaflow.plan import Plan, PlannedRequest, PlannedStep, requests_of
from vezaflow.protocols import Origin, Want


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a step's answers until its next request, and which words of the flow want it."""

    step: str
    body: bool
    headers: bool
    why: tuple[str, ...]

    @property
    def what(self) -> str:
        return " and ".join(word for word, kept in (("body", self.body), ("headers", self.headers)) if kept)


@dataclass(frozen=True, slots=True)
class Host:
    """A server that will be talked to. `allowed`: the guard's reason; `by`: flows and phases."""

    origin: Origin
    allowed: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """Requests outside of the load, at least."""

    preflight: int
    setup: int
    teardown: int


def around(plan: Plan) -> Around:
    """What happens once, before the load and after it."""
    return Around(len(plan.preflight.requests), amount_of(plan.setup).requests, amount_of(plan.teardown).requests)


def kept_by(steps: Iterable[PlannedStep]) -> Iterator[Kept]:
    """Steps of which more is kept than figures, each name once."""
    named: dict[str, list[PlannedRequest]] = {}
    for request in requests_of(steps):
        named.setdefault(request.name, []).append(request)
    for name, requests in named.items():
        reasons = dict.fromkeys(reason for request in requests for reason in request.foreseen.reasons)
        wants = [reason.want for reason in reasons]
        if reasons:
            yield Kept(
                name,
                any(want & Want.BODY for want in wants),
                any(want & Want.HEADERS for want in wants),
                tuple(dict.fromkeys(reason.text for reason in reasons)),
            )


def hosts_of(plan: Plan) -> Iterator[Host]:
    """The servers that are known before the load."""
    users: dict[Origin, dict[str, None]] = {}
    for name, steps in _parts(plan):
        for request in requests_of(steps):
            if request.foreseen.origin is not None:
                users.setdefault(request.foreseen.origin, {})[name] = None
    for origin, by in users.items():
        yield Host(origin, allowed_by(origin.host, origin.port, plan.targets.allow) or "", tuple(by))


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
    """What an answer decides of where a request goes; empty if nothing."""
    if request.foreseen.origin is None:
        return request.foreseen.url
    by_url = request.pages is not None and request.pages.by_url
    return f"the pages after {request.foreseen.url}" if by_url else ""


def _parts(plan: Plan) -> Iterator[tuple[str, tuple[PlannedStep, ...]]]:
    for flow in plan.flows:
        yield flow.name, (*flow.login, *flow.steps, *flow.final)
    yield "preflight", plan.preflight.requests
    yield "setup", plan.setup
    yield "teardown", plan.teardown
