"""Events, planned: when each happens, what is done, what undoes it.

Laws: when, and to whom, is known before the run; the guard decides on TCP addresses as on those of the load. What is
sent is made when it happens, with the values that `setup` left.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import assert_never

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import (
    ActionKind,
    EventAction,
    HAProxyAction,
    MarkAction,
    ProfileAction,
    StepsAction,
    SuiteEvent,
    UrlError,
    read_authority,
)
from vezaflow.plan.compiled import UNKNOWN, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.outgoing import PlannedRequest
from vezaflow.plan.refused import refusal
from vezaflow.plan.settings import Settings
from vezaflow.plan.steps import PlannedStep, StepPlanner
from vezaflow.plan.targets import Targets
from vezaflow.syntax import Expression

MOST_SECONDS = 3600  # of a profile
Address = str | tuple[str, int]  # the path of a Unix socket, or host and port


@dataclass(frozen=True, slots=True)
class PlannedSteps:
    """Steps that run once."""

    steps: tuple[PlannedStep, ...]

    kind = ActionKind.STEPS


@dataclass(frozen=True, slots=True)
class PlannedHAProxy:
    """Commands for a runtime API. Each is made when it is sent."""

    address: Address
    commands: tuple[Evaluate, ...]

    kind = ActionKind.HAPROXY
    steps = ()


@dataclass(frozen=True, slots=True)
class PlannedProfile:
    """A profile is fetched. `seconds`: over which it is taken; 0: a snapshot. `on_red`: at the end, if a gate is broken
    by then."""

    request: PlannedRequest
    seconds: int
    on_red: bool

    kind = ActionKind.PROFILE

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        return (self.request,)


@dataclass(frozen=True, slots=True)
class PlannedMark:
    """Nothing is done."""

    kind = ActionKind.MARK
    steps = ()


PlannedAction = PlannedSteps | PlannedHAProxy | PlannedProfile | PlannedMark


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """Times in seconds. Neither `at` nor `every`: it happens when somebody says so. `lasts` None: no longer than its
    action takes."""

    name: str
    at: float | None
    every: float | None
    lasts: float | None
    window: float
    action: PlannedAction
    final: PlannedAction  # a mark where nothing is to be undone

    @property
    def manual(self) -> bool:
        """Whether it only happens when somebody says so."""
        return self.at is None and self.every is None and not self.on_red

    @property
    def on_red(self) -> bool:
        """Whether it happens at the end of the load, if a gate is broken by then."""
        return isinstance(self.action, PlannedProfile) and self.action.on_red

    @property
    def undone(self) -> bool:
        """Whether something is done in the end."""
        return not isinstance(self.final, PlannedMark)

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        return (*self.action.steps, *self.final.steps)

    def starts(self) -> Iterator[float]:
        """The times of the load at which it starts, without an end where it repeats."""
        if self.at is not None:
            yield self.at
        elif self.every is not None:
            yield from (number * self.every for number in count(1))


class EventPlanner:
    """Plans the events of one suite. What they evaluate is in the suite's own scope."""

    def __init__(
        self, steps: StepPlanner, compiler: Compiler, settings: Settings, targets: Targets, diagnostics: Diagnostics
    ) -> None:
        self._steps = steps
        self._compiler = compiler
        self._settings = settings
        self._targets = targets
        self._diagnostics = diagnostics

    def plan(self, event: SuiteEvent) -> PlannedEvent:
        """One event. Raises VezaflowError where the guard says no."""
        at, every, lasts, window = map(self._seconds, (event.at, event.every, event.lasts, event.window))
        action = self._action(event.action, None)
        busy = max(lasts or 0.0, action.seconds if isinstance(action, PlannedProfile) else 0.0)
        if every is not None and event.every is not None and every <= busy:
            self._settings.refuse("VF450", event.every.span, "the event must be over before it happens again")
        address = action.address if isinstance(action, PlannedHAProxy) else None
        return PlannedEvent(event.name, at, every, lasts, window or 0.0, action, self._action(event.final, address))

    def _seconds(self, written: Expression | None) -> float | None:
        return None if written is None else self._settings.seconds(written)

    def _action(self, action: EventAction, usual: Address | None) -> PlannedAction:
        match action:
            case StepsAction(steps=steps):
                return PlannedSteps(self._steps.steps(steps))
            case HAProxyAction():
                address = self._address(action) or usual
                if address is None:
                    self._diagnostics.error(
                        "VF451",
                        action.span,
                        "it is not known which HAProxy is meant",
                        help="add `socket: /run/haproxy.sock`, or `tcp: 127.0.0.1:9999`",
                    )
                    return PlannedMark()
                return PlannedHAProxy(address, tuple(map(self._compiler.expression, action.commands)))
            case ProfileAction(request=request, seconds=seconds, on_red=on_red):
                over = 0 if seconds is None else self._settings.count(seconds, most=MOST_SECONDS)
                return PlannedProfile(self._steps.requests.request(request), over, on_red)
            case MarkAction():
                return PlannedMark()
            case never:
                assert_never(never)

    def _address(self, action: HAProxyAction) -> Address | None:
        if action.socket is not None:
            path = self._text(action.socket, "the path of a socket, such as /run/haproxy.sock")
            return os.path.abspath(path) if path else None
        if action.tcp is None:
            return None
        written = self._text(action.tcp, "an address, such as 127.0.0.1:9999")
        return self._tcp(written, action.tcp.span) if written else None

    def _text(self, written: Expression, wanted: str) -> str:
        value = self._settings.value(written)
        if value is UNKNOWN:
            return "?"  # its fault has been told
        if not isinstance(value, str) or not value:
            self._diagnostics.error("VF702", written.span, f"expected {wanted}")
            return "?"
        return value

    def _tcp(self, written: str, span: Span) -> Address:
        try:
            host, port = read_authority(written, 0)
        except UrlError as e:
            self._diagnostics.error("VF702", span, f"not a valid address: {e}", help="for instance 127.0.0.1:9999")
            return "?"
        if not port:
            self._diagnostics.error("VF702", span, "the address has no port", help="for instance 127.0.0.1:9999")
            return "?"
        if not self._targets.allows(host, port):
            raise refusal(
                f"`haproxy`: {host} is not loopback and not in `guard: allow`",
                "list the host under `guard: {allow: […]}` in suite.yml",
            )
        return host.strip("[]"), port
