"""Values on every way through a flow: what is set on one way only is missing on the others.

A way ends at `skip` and `stop`, and at a request that fails. A `while` may not run at all; `for` and `repeat` run at
least once. What stands under the same condition twice is on one way. Whether a name is set anywhere at all is
name_rules' business.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from vezaflow.diagnostics import Diagnostics, Severity, Span
from vezaflow.model import (
    SEEN,
    Beside,
    Block,
    Ends,
    If,
    Include,
    Leaf,
    Loop,
    OneOf,
    OnFailure,
    Pause,
    Place,
    Request,
    Sends,
    Step,
    Suite,
    Use,
    expect_uses,
    extract_uses,
    flow_steps,
    inner,
    names_of,
    own_steps,
    set_in,
)

Known = frozenset[str]  # what is set on this way; None in its place is a way that ended


@dataclass(slots=True)
class _Ways:
    """All ways through a list of steps, walked together."""

    diagnostics: Diagnostics
    failing_goes_on: bool  # what a request does that says nothing of its own
    somewhere: dict[str, Span]  # what any step sets, and where
    blamed: set[Span]  # where an error speaks already
    spared: Known = frozenset()  # what the loops around set: it may be there from the pass before
    under: dict[str, Known] = field(default_factory=dict)  # what each condition's branch set, by the condition's text

    def steps(self, steps: tuple[Step, ...], known: Known) -> Known | None:
        """What is set behind the steps; None if no way leads there."""
        way: Known | None = known
        for step in steps:
            way = self.step(step, way) if way is not None else None
        return way

    def step(self, step: Step, known: Known) -> Known | None:
        self.uses(step.uses(), known)
        match step:
            case Request():
                return self.request(step, known)
            case If():
                return self.fork(step, known)
            case Include():
                return self.include(step, known)
        lent = frozenset(step.lends())
        way = self.within(step, known | lent)
        return None if way is None else (way - (lent - known)).union(given.name for given in step.sets())

    def within(self, step: Step, known: Known) -> Known | None:
        match step.shape:
            case Ends():
                return None
            case OneOf(ways=ways):
                return _join([self.steps(way, known) for way in ways])
            case Loop(steps=steps, asks=True):
                self.loop(steps, known)
                return known
            case Loop(steps=steps, at_once=1):
                return self.loop(steps, known)
            case Block(steps=steps) | Loop(steps=steps):
                return self.steps(steps, known)
            case Beside(ways=ways):
                return self.beside(ways, known)
            case Sends(request=request):
                return self.step(request, known)
            case Leaf() | Pause():
                return known
            case never:
                assert_never(never)

    def include(self, step: Include, known: Known) -> Known | None:
        """A fragment's ways are its own; of what it sets, its outputs come back."""
        fragment = step.fragment
        if fragment is None:
            return known | frozenset(self.somewhere)
        inside = _Ways(self.diagnostics, self.failing_goes_on, dict(set_in((), fragment.steps)), self.blamed)
        way = inside.steps(fragment.steps, frozenset(one.name for one in fragment.inputs))
        return None if way is None else known.union((h for n, h in step.outputs if n in way), _renamed(step))

    def fork(self, step: If, known: Known) -> Known | None:
        text = step.condition.span.text
        before = self.under.get(text, frozenset())
        held = self.steps(step.then, known | before)
        self.under[text] = before | (held or frozenset())
        return _join([held, self.steps(step.otherwise, known)])

    def beside(self, branches: tuple[tuple[Step, ...], ...], known: Known) -> Known | None:
        """Branches that run at the same time: none sees what another sets, and all come to their end."""
        before, after = self.under, dict(self.under)
        ways = []
        for branch in branches:
            self.under = dict(before)
            ways.append(self.steps(branch, known))
            after |= self.under
        self.under = after
        return _united(ways)

    def loop(self, steps: tuple[Step, ...], known: Known) -> Known | None:
        around = self.spared
        self.spared = around | {name for name, _ in set_in((), steps)}
        way = self.steps(steps, known)
        self.spared = around
        return way

    def request(self, request: Request, known: Known) -> Known:
        own = request.options.on_failure
        goes_on = own is OnFailure.CONTINUE if own is not None else self.failing_goes_on
        extracted = known | {extract.name for extract in request.extract}
        self.uses(extract_uses(request), extracted)
        self.uses(expect_uses(request), extracted)
        return known if goes_on else extracted

    def uses(self, uses: Iterable[Use], known: Known) -> None:
        for use in uses:
            if use.place in (Place.WHERE, Place.PIPE):
                continue
            for name, optional in names_of(use.expression):
                where = self.somewhere.get(name.name)
                if name.name in SEEN.get(use.place, ()):
                    continue
                if where is None or optional or name.span in self.blamed:
                    continue
                if name.name not in known and name.name not in self.spared:
                    self.diagnostics.warning(
                        "VF310",
                        name.span,
                        f"'{name.name}' may not be set here",
                        help="give a default with `??`, or set it on every path to this step",
                        related=((where, "set here, but not on every path"),),
                    )


def _renamed(step: Include) -> Iterator[str]:
    """The names that `into` gives to what is no output, which was reported."""
    outputs = {name for name, _ in step.outputs}
    return (here for name, here, _ in step.into if name not in outputs)


def check_ways(suite: Suite, diagnostics: Diagnostics) -> None:
    """Values that are used where some way leads that does not set them."""
    blamed = {d.span for d in diagnostics if d.severity is Severity.ERROR and d.span is not None}
    shared = dict(set_in(suite.vars, suite.setup))
    for flow in suite.flows:
        found = shared | dict(set_in(flow.vars, flow.login + flow.steps))
        own, given = flow.defaults.on_failure, suite.defaults.on_failure
        ways = _Ways(diagnostics, (own or given) is OnFailure.CONTINUE, found, blamed)
        known: Known = frozenset(shared) | {variable.name for variable in flow.vars}
        ways.steps(flow.steps, ways.steps(flow.login, known) or known)


def check_shadows(suite: Suite, diagnostics: Diagnostics) -> None:
    """Loop variables with the name of another value: inside of the loop that one can't be seen."""
    shared = list(set_in(suite.vars, suite.setup))
    scopes = [(shared + list(set_in(flow.vars, flow_steps(flow))), flow_steps(flow)) for flow in suite.flows]
    for fragment in suite.fragments:
        inputs = [(one.name, one.span) for one in fragment.inputs]
        scopes.append((inputs + list(set_in((), fragment.steps)), fragment.steps))
    for names, steps in scopes:
        known = dict(names)
        for step in own_steps(steps):
            what = "upload" if isinstance(step.shape, Sends) else "loop"
            for name in step.lends():
                for each in own_steps(one for part in inner(step) for one in part):
                    if name in each.lends():
                        _shadow(name, each.span, step.span, diagnostics, what)
                if name in known:
                    _shadow(name, step.span, known[name], diagnostics, what)


def _shadow(name: str, span: Span, other: Span, diagnostics: Diagnostics, what: str = "loop") -> None:
    diagnostics.warning(
        "VF311",
        span,
        f"the {what}'s '{name}' shadows another value with this name",
        help="use another name for the loop variable" if what == "loop" else "rename the other value",
        related=((other, f"hidden in the {what}"),),
    )


def _united(ways: list[Known | None]) -> Known | None:
    """What is set when all of the ways were gone."""
    known = [way for way in ways if way is not None]
    return frozenset[str]().union(*known) if len(known) == len(ways) else None


def _join(ways: list[Known | None]) -> Known | None:
    """What is set on all of the ways that go on."""
    open_ = [way for way in ways if way is not None]
    return frozenset.intersection(*open_) if open_ else None
