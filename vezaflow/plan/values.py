"""The values of one scope: what is known, what is computed, and when.

A value that is constant, and that no step changes, is no variable at all: expressions are folded with it. What is left
has a slot. What the suite computes once for the run, its flows are handed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import Each, Variable
from vezaflow.plan.compiled import Constant, Evaluate
from vezaflow.plan.data_sources import PlannedDataSource
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.names import Names
from vezaflow.plan.plan import Variables
from vezaflow.plan.scope import UNSET
from vezaflow.plan.steps import PlannedSet
from vezaflow.syntax import Literal


@dataclass(frozen=True, slots=True)
class _Begin:
    """What a slot begins with."""

    each: Each
    value: Evaluate
    name: str
    span: Span


@dataclass(slots=True)
class Values:
    """The names of a scope, and what their slots begin with."""

    names: Names
    _changed: frozenset[str]  # what steps set
    _diagnostics: Diagnostics
    _begin: dict[int, _Begin] = field(default_factory=dict)

    @classmethod
    def of_suite(
        cls, environment: Mapping[str, str], variables: Iterable[Variable], changed: Iterable[str], found: Diagnostics
    ) -> "Values":
        """Those that the suite's own steps see: all are computed when it begins."""
        values = cls(Names(environment), frozenset(changed), found)
        for variable in variables:
            values._add(variable, Each.VU)
        return values._with_slots()

    @classmethod
    def of_flow(
        cls,
        environment: Mapping[str, str],
        layers: tuple[Iterable[Variable], Iterable[Variable]],
        given: Iterable[str],
        changed: Iterable[str],
        data_sources: Mapping[str, PlannedDataSource],
        suite: "Values",
        found: Diagnostics,
    ) -> "Values":
        """Those that a flow's VUs see: what setup gives, and the suite's values and its own, in two layers."""
        values = cls(Names(environment, data_sources=data_sources), frozenset((*given, *changed)), found)
        shared, own = layers
        for name in given:
            values.names.slot(name)
        for variable in shared:
            if variable.each is Each.RUN:
                values._take(variable, suite.names)
            else:
                values._add(variable, variable.each or Each.VU)
        for variable in own:
            values._add(variable, variable.each or Each.VU)
        return values._with_slots()

    def _add(self, variable: Variable, each: Each) -> None:
        self._begin_with(variable, each, Compiler(self.names, self._diagnostics).kept(variable.value))

    def _take(self, variable: Variable, suite: Names) -> None:
        """What the suite knows, or computes once and hands out."""
        if variable.name in suite.constants:
            self._begin_with(variable, Each.RUN, Constant(suite.constants[variable.name]))
        else:
            self.names.slot(variable.name)

    def _begin_with(self, variable: Variable, each: Each, value: Evaluate) -> None:
        name = variable.name
        if isinstance(value, Constant) and name not in self._changed:
            self._begin.pop(self.names.slots.get(name, -1), None)
            literal = variable.value
            written = literal.span.text if isinstance(literal, Literal) and isinstance(literal.value, bool) else None
            self.names.set_constant(name, value.value, written)
        else:
            self._begin[self.names.slot(name)] = _Begin(each, value, name, variable.span)

    def _with_slots(self) -> "Values":
        for name in sorted(self._changed):
            self.names.slot(name)
        return self

    def fresh(self) -> tuple[PlannedSet, ...]:
        """What each iteration begins with."""
        found = [(slot, begin) for slot, begin in self._begin.items() if begin.each is Each.ITERATION]
        if not found:
            return ()
        values = tuple((slot, begin.value) for slot, begin in found)
        return (PlannedSet(values, tuple(begin.name for _, begin in found), found[0][1].span),)

    def frozen(self, *, reset: bool) -> Variables:
        """The slots, when nothing more is compiled."""
        initial: list[Any] = [UNSET] * len(self.names.slots)
        computed: dict[Each, list[tuple[int, Evaluate]]] = {each: [] for each in Each}
        for slot, begin in self._begin.items():
            if isinstance(begin.value, Constant):
                initial[slot] = begin.value.value
            else:
                computed[begin.each].append((slot, begin.value))
        by_slot = tuple(sorted(self.names.slots, key=self.names.slots.__getitem__))
        constants = tuple(self.names.constants.items())
        return Variables(by_slot, tuple(initial), tuple(computed[Each.RUN]), tuple(computed[Each.VU]), reset, constants)
