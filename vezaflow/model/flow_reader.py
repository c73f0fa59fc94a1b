"""One flow file → a Flow: its load, steps and gates, as far as they can be read."""

from dataclasses import replace

from vezaflow.diagnostics import Diagnostics, Source, suggest
from vezaflow.model.fields import Kind
from vezaflow.model.gate_reader import read_gates
from vezaflow.model.load import Executor, Load
from vezaflow.model.mappings import Row, first_key, not_yet, open_mapping, pairs, sub_mapping
from vezaflow.model.request_reader import read_defaults
from vezaflow.model.step_reader import read_steps
from vezaflow.model.suite import Flow, Measure, Variable
from vezaflow.model.tables import EXECUTORS_LATER, FLOW, LOADS, MEASURE
from vezaflow.model.trees import check_name, tree
from vezaflow.model.values import report_shape
from vezaflow.syntax import Literal, Mapping, Node, Scalar


def read_flow(node: Node, source: Source, stem: str, diagnostics: Diagnostics) -> Flow | None:
    """The flow of a file; its name is the file's stem unless it gives one."""
    row = open_mapping(node, FLOW, diagnostics)
    if row is None:
        return None
    name = row.node("flow")
    return Flow(
        name=row.text("flow") or stem,
        description=row.text("description"),
        load=_load(row),
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
    )


def read_variables(row: Row) -> tuple[Variable, ...]:
    """The `vars` of a suite or a flow."""
    found = []
    for entry in pairs(row.node("vars"), "'vars'", Kind.VARIABLES.value, row.diagnostics):
        check_name(entry.key, row.diagnostics)
        found.append(Variable(entry.key.text, tree(entry.value, row.diagnostics), entry.key.span))
    return tuple(found)


def read_measure(row: Row) -> Measure | None:
    """The `measure` of a suite or a flow; None if it says nothing."""
    inner = sub_mapping(row, "measure", MEASURE)
    if inner is None:
        return None
    drain = inner.constant("drain")
    return Measure(inner.expression("skip"), drain if isinstance(drain, bool) else True)


def _load(row: Row) -> Load:
    """The load, or k6's default: one VU that runs the steps once."""
    node = row.node("load")
    if not isinstance(node, Mapping):
        if node is not None:
            report_shape(node, "'load'", "a mapping", row.diagnostics)
        span = node.span if node else row.span
        return Load(Executor.SHARED_ITERATIONS, Literal(1, span), None, Literal(1, span), None, None, span)
    executor = _executor(node, row.diagnostics)
    if executor is None:
        return Load(Executor.CONSTANT_VUS, Literal(None, node.span), None, None, None, None, node.span)
    table = LOADS[executor.value]
    _foreign(node, executor, row.diagnostics)
    own = replace(node, entries=tuple(e for e in node.entries if e.key.text not in _foreign_keys(executor)))
    inner = open_mapping(
        own, replace(table, fields=tuple(replace(f, required=False) for f in table.fields)), row.diagnostics
    )
    assert inner is not None
    return _options(inner, executor)


def _options(row: Row, executor: Executor) -> Load:
    if executor is Executor.CONSTANT_VUS and "duration" not in row.entries:
        row.diagnostics.error(
            "VF402",
            row.key_span("executor") if "executor" in row.entries else row.span,
            "this flow would never end: a constant-vus load needs 'duration'",
            help="for instance `duration: 5m`; `executor: shared-iterations` ends after so many iterations",
        )
    constant = executor is Executor.CONSTANT_VUS
    return Load(
        executor=executor,
        vus=row.expression("vus") or Literal(1, row.span),
        duration=row.expression("duration" if constant else "max_duration"),
        iterations=None if constant else row.expression("iterations") or Literal(1, row.span),
        start_time=row.expression("start_time"),
        graceful_stop=row.expression("graceful_stop"),
        span=row.span,
    )


def _executor(node: Mapping, diagnostics: Diagnostics) -> Executor | None:
    written = node.get("executor")
    if written is None:
        return Executor.CONSTANT_VUS
    names = [executor.value for executor in Executor]
    text = written.text if isinstance(written, Scalar) else ""
    if text in names:
        return Executor(text)
    if isinstance(written, Scalar) and text in EXECUTORS_LATER:
        not_yet(written, diagnostics)
        return None
    near = suggest(text, names)
    diagnostics.error(
        "VF126",
        written.span,
        f"'{text}' is not an executor",
        label=f"did you mean '{near}'?" if near else "",
        help=f"it is one of {', '.join(names)}",
    )
    return None


def _keys(executor: Executor) -> tuple[str, ...]:
    return LOADS[executor.value].keys()


def _foreign_keys(executor: Executor) -> set[str]:
    """Options of other executors that this one does not take."""
    every = {field.key for table in LOADS.values() for field in table.fields}
    return every.difference(_keys(executor))


def _foreign(node: Mapping, executor: Executor, diagnostics: Diagnostics) -> None:
    mine = ", ".join(key for key in _keys(executor) if key != "executor")
    for entry in node.entries:
        if entry.key.text in _foreign_keys(executor):
            others = [name for name, table in LOADS.items() if table.field(entry.key.text)]
            diagnostics.error(
                "VF401",
                entry.key.span,
                f"'{entry.key.text}' is not an option of {executor.value}",
                help=f"{executor.value} takes {mine}; '{entry.key.text}' belongs to {' and '.join(others)}",
            )
