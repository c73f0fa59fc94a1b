"""What happens at a time of the load, as written: when, what is done, and what undoes it.

An action is one of a closed set; each kind says the expressions that it uses and the steps that it runs, so that
whoever walks a suite need not know kinds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.model.requests import Use
from vezaflow.model.steps import Request, Step
from vezaflow.syntax import Expression


class ActionKind(Enum):
    """What an event does, in the words of reports."""

    STEPS = "steps"
    HAPROXY = "haproxy"
    PROFILE = "profile"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class StepsAction:
    """Steps that run once."""

    steps: tuple[Step, ...]

    kind = ActionKind.STEPS

    def settings(self) -> Iterator[Use]:
        return iter(())

    def uses(self) -> Iterator[Use]:
        """The expressions that are evaluated when it happens, those of its steps aside."""
        return iter(())


@dataclass(frozen=True, slots=True)
class HAProxyAction:
    """Commands for a runtime API. Neither `socket` nor `tcp`: that of the event that it undoes."""

    socket: Expression | None
    tcp: Expression | None
    commands: tuple[Expression, ...]
    span: Span

    kind = ActionKind.HAPROXY
    steps = ()

    def settings(self) -> Iterator[Use]:
        """The expressions that are known before the run."""
        return (Use(value) for value in (self.socket, self.tcp) if value is not None)

    def uses(self) -> Iterator[Use]:
        return (Use(command) for command in self.commands)


@dataclass(frozen=True, slots=True)
class ProfileAction:
    """A profile of the server, over some seconds or a snapshot: the response to a request of the suite's own. `on_red`:
    it is taken at the end of the load, if a gate is broken by then."""

    request: Request
    seconds: Expression | None  # COUNT; None: a snapshot
    on_red: bool
    span: Span  # of the key

    kind = ActionKind.PROFILE

    @property
    def steps(self) -> tuple[Step, ...]:
        return (self.request,)

    def settings(self) -> Iterator[Use]:
        """The expressions that are known before the run."""
        return (Use(value) for value in (self.seconds,) if value is not None)

    def uses(self) -> Iterator[Use]:
        return iter(())


@dataclass(frozen=True, slots=True)
class MarkAction:
    """Nothing is done."""

    kind = ActionKind.MARK
    steps = ()

    def settings(self) -> Iterator[Use]:
        return iter(())

    def uses(self) -> Iterator[Use]:
        return iter(())


EventAction = StepsAction | HAProxyAction | ProfileAction | MarkAction


@dataclass(frozen=True, slots=True)
class SuiteEvent:
    """An event. Expressions of TIME; neither `at` nor `every`: it happens when somebody says so."""

    name: str
    at: Expression | None
    every: Expression | None
    lasts: Expression | None  # the key `for`
    window: Expression | None
    action: EventAction
    final: EventAction  # the key `finally`; a mark where nothing is to be undone
    span: Span  # of the name

    def rebuilt(self, change: Callable[[tuple[Step, ...]], tuple[Step, ...]]) -> "SuiteEvent":
        """The event with other steps in the place of its own."""

        def changed(action: EventAction) -> EventAction:
            return StepsAction(change(action.steps)) if isinstance(action, StepsAction) else action

        return replace(self, action=changed(self.action), final=changed(self.final))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Those that are done, then those that undo it."""
        return self.action.steps + self.final.steps

    def settings(self) -> Iterator[Use]:
        """The expressions that are known before the run."""
        times = (self.at, self.every, self.lasts, self.window)
        yield from (Use(value) for value in times if value is not None)
        yield from self.action.settings()
        yield from self.final.settings()

    def uses(self) -> Iterator[Use]:
        """The expressions that are evaluated when it happens, those of its steps aside."""
        yield from self.action.uses()
        yield from self.final.uses()
