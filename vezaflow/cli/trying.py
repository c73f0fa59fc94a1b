"""One `vezaflow try`: shown in the terminal while it goes, recorded or replayed, and kept as a page if asked for.

However it ends, what was recorded and the page are written.
"""

import shutil
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vezaflow import units
from vezaflow.cli.kept import write
from vezaflow.cli.printing import colours, live, say, tell
from vezaflow.cli.stepper import Stepper
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import Flow
from vezaflow.outputs import Trace, Traced, TraceLines, Tried, trace_page
from vezaflow.plan import Plan, names_within, narrowed
from vezaflow.session import RehearsalClock, keep_tape, mask_of, rehearse
from vezaflow.tape import Position, Recording, Replay, Tape

_NARROWEST, _WIDEST = 60, 120  # columns


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options say of how it is to be shown."""

    only: tuple[str, ...]
    step: bool
    html: Path | None
    full: bool
    limit: float  # seconds of the iteration


class Trying:
    """`flow` is the one flow of `plan`, as written; `tape` what to replay (None: go to the target)."""

    def __init__(self, plan: Plan, flow: Flow, wishes: Wishes, tape: Tape | None) -> None:
        (planned,) = plan.flows
        shown = names_within(plan, planned, wishes.only) if wishes.only else None
        self._plan, self._planned = narrowed(plan, planned, wishes.only) if wishes.only else (plan, planned)
        self._flow = flow
        self._wishes = wishes
        self._tape = tape
        self._clock = RehearsalClock(skipping=tape is not None)
        self._events: list[Traced] = []
        color, width = colours(sys.stdout), _width()
        lines = TraceLines(say, plan.secrets, color=color, width=width, full=wishes.full, shown=shown)
        sinks = (lines, self._events.append) if wishes.html is not None else (lines,)
        position = Position()
        self._stepper: Stepper | None = None
        if wishes.step:
            self._stepper = Stepper(self._plan, self._planned, self._clock, say, color=color, width=width, shown=shown)
        hooks = (position.before, *((self._stepper.before,) if self._stepper is not None else ()))
        self._trace = Trace(*sinks, hooks=hooks)
        self._way = self._make_way(position)

    def _make_way(self, position: Position) -> Recording | Replay:
        base = self._planned.targets.base
        origin = base.origin if base is not None else None
        if self._tape is None:
            return Recording(position, origin, self._plan.secrets)
        return Replay(self._tape, position, origin, self._plan.secrets, self._trace.said)

    def run(self) -> ExitCode:
        """The exit code. Raises VezaflowError where it was refused."""
        words, code = "stopped", ExitCode.INTERRUPTED
        try:
            good = rehearse(self._plan, self._planned, self._trace, self._way, self._clock, self._wishes.limit)
            words, code = self._verdict(good)
            say(self._painted(words, code))
        except VezaflowError as e:
            words, code = e.message, e.code
            raise
        finally:
            if isinstance(self._way, Recording) and (trouble := keep_tape(self._way, self._plan, self._flow)):
                tell(trouble)
            if self._wishes.html is not None:
                write(self._wishes.html, self._page(words, code))
        return code

    def _verdict(self, good: bool) -> tuple[str, ExitCode]:
        """The last line, and the exit code that goes with it."""
        trace, way = self._trace, self._way
        sent = units.counted(trace.requests, "request")
        if self._stepper is not None and self._stepper.quit:
            return f"stopped after {sent}", ExitCode.INTERRUPTED
        missed = [name for name in self._wishes.only if name not in trace.reached]
        parts = [sent]
        if not good:
            parts[0] += f", {units.counted(trace.failures, 'step')} failed"
        elif not missed:
            parts[0] += ", all as expected"
        if missed:
            parts.append(f"not reached: {', '.join(missed)}")
        if self._tape is not None:
            parts.append(
                "nothing was sent: the responses were recorded on "
                f"{datetime.fromtimestamp(self._tape.at):%Y-%m-%d %H:%M}"
            )
        if isinstance(way, Replay) and way.others:
            parts.append(f"{units.counted(way.others, 'request')} not as recorded")
        if isinstance(way, Replay) and way.other_messages:
            parts.append(f"{units.counted(way.other_messages, 'message')} not as recorded")
        return "; ".join(parts), ExitCode.GREEN if good and not missed else ExitCode.RED

    def _painted(self, words: str, code: ExitCode) -> str:
        tone = "1;32" if code is ExitCode.GREEN else "1;31"
        return f"\x1b[{tone}m{words}\x1b[0m" if colours(sys.stdout) else words

    def _page(self, words: str, code: ExitCode) -> str:
        plan = self._plan
        tried = Tried(
            suite=plan.suite,
            flow=self._planned.name,
            description=self._planned.description,
            at=datetime.now().astimezone(),
            inputs=plan.shown_inputs,
            verdict=words,
            good=code is ExitCode.GREEN,
        )
        return trace_page(tried, self._events, mask_of(self._events, plan.secrets))


def _width() -> int:
    """Columns of the terminal; where there is none, as many as a log's reader has."""
    columns = shutil.get_terminal_size((100, 24)).columns if live(sys.stdout) else 100
    return max(_NARROWEST, min(_WIDEST, columns))
