"""What gates on profiles are judged by: the share of a function, over all profiles of one name together.

A function that no sample has may be one that is not called, or one whose name is misspelt: then the gate is
inconclusive, and says so. Nothing green comes of a slip.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vezaflow.diagnostics import suggest
from vezaflow.gates import JudgedFigure
from vezaflow.model import PROFILE
from vezaflow.plan import PlannedGate
from vezaflow.profiles import FunctionShare, ProfileRecord
from vezaflow.syntax import Labels, Reference


@dataclass(frozen=True, slots=True)
class ProfileFigures:
    """The profiles of a run, as a source of figures for its gates (gates.FigureSource)."""

    records: tuple[ProfileRecord, ...]

    def figure(self, gate: PlannedGate, labels: Labels, aggregate: str, argument: float | None) -> JudgedFigure:
        """The share of the function that the labels name."""
        name, function = gate.metric.removeprefix(PROFILE), dict(labels).get("function", "")
        mine = [each for each in self.records if each.name == name]
        read = [each for each in mine if not each.problem]
        if not read:
            why = mine[-1].problem if mine else "its event did not happen"
            return JudgedFigure(None, missing=f"the profile '{name}' was not taken: {why}")
        shares = [(each, each.of(function)) for each in read]
        if all(share is None for _, share in shares):
            return JudgedFigure(None, missing=_unknown(function, name, read))
        total = sum(each.total for each in read)
        value = sum(_share(share, aggregate) * each.total for each, share in shares) / total
        return JudgedFigure(value, sum(each.samples for each in read) or 1)


def _share(found: FunctionShare | None, aggregate: str) -> float:
    if found is None:
        return 0.0
    return found.flat if aggregate == "flat" else found.cum


def _unknown(function: str, name: str, read: Iterable[ProfileRecord]) -> str:
    near = suggest(function, [each.function for record in read for each in record.top])
    return f"no sample of the profile '{name}' has the function '{function}'" + (f"; is it {near}?" if near else "")


def named_functions(gates: Sequence[PlannedGate], name: str) -> frozenset[str]:
    """The functions that gates on a profile name."""
    found = set()
    for gate in gates:
        if gate.metric == PROFILE + name:
            bound = gate.condition.bound
            beside = (bound.labels_beside(gate.labels),) if isinstance(bound, Reference) else ()
            found |= {value for labels in (gate.labels, *beside) for key, value in labels if key == "function"}
    return frozenset(found)
