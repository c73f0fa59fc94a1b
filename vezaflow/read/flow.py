"""One flow file → a Flow: its load, steps and gates, as far as they can be read."""

from vezaflow.diagnostics import Diagnostics, Source
from vezaflow.keys import COMPUTED, FLOW, MEASURE, Kind
from vezaflow.model import Each, Flow, Measure, Variable
from vezaflow.read.data import read_data_sources
from vezaflow.read.gates import read_gates
from vezaflow.read.load import read_load
from vezaflow.read.mappings import Row, first_key, open_mapping, pairs, sub_mapping
from vezaflow.read.requests import read_defaults
from vezaflow.read.steps import read_steps
from vezaflow.read.traces import read_trace
from vezaflow.read.trees import check_name, tree
from vezaflow.syntax import Entry, Mapping, Node


def read_flow(node: Node, source: Source, stem: str, diagnostics: Diagnostics) -> Flow | None:
    """The flow of a file; its name is the file's stem unless it gives one."""
    row = open_mapping(node, FLOW, diagnostics)
    if row is None:
        return None
    name = row.node("flow")
    return Flow(
        name=row.text("flow") or stem,
        description=row.text("description"),
        load=read_load(row),
        vars=read_variables(row),
        defaults=read_defaults(row),
        steps=read_steps(row, "steps"),
        login=read_steps(row, "login"),
        final=read_steps(row, "finally"),
        think=row.expression("think"),
        pace=row.expression("pace"),
        gates=read_gates(row, "gates"),
        measure=read_measure(row),
        source=source,
        span=name.span if name else first_key(row.mapping),
        base_url=row.expression("base_url"),
        data=read_data_sources(row),
        failure_backoff=row.expression("failure_backoff"),
        trace=read_trace(row),
    )


def read_variables(row: Row) -> tuple[Variable, ...]:
    """The `vars` of a suite or a flow."""
    found = []
    for entry in pairs(row.node("vars"), "'vars'", Kind.VARIABLES.value, row.diagnostics):
        check_name(entry.key, row.diagnostics)
        each, value = _declared(entry, row.diagnostics)
        found.append(Variable(entry.key.text, tree(value, row.diagnostics), entry.key.span, each))
    return tuple(found)


def _declared(entry: Entry, diagnostics: Diagnostics) -> tuple[Each | None, Node]:
    """When a value is computed, if that is said, and the value."""
    node = entry.value
    if not isinstance(node, Mapping) or node.get("each") is None:
        return None, node
    row = open_mapping(node, COMPUTED, diagnostics, what=f"'{entry.key.text}'")
    assert row is not None, "it is a mapping"
    word = row.constant("each")
    each = Each(word) if word in [each.value for each in Each] else None
    return each, row.node("value") or node


def read_measure(row: Row) -> Measure | None:
    """The `measure` of a suite or a flow; None if it says nothing."""
    inner = sub_mapping(row, "measure", MEASURE)
    if inner is None:
        return None
    drain = inner.constant("drain")
    return Measure(inner.expression("skip"), drain if isinstance(drain, bool) else True)
