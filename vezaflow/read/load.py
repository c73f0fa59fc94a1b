"""The `load` of a flow → a Load: its executor, and the options that this executor takes."""

from dataclasses import replace

from vezaflow.diagnostics import Diagnostics, did_you_mean, suggest
from vezaflow.keys import LOADS, STAGES, Kind
from vezaflow.model import Executor, Load, Stage
from vezaflow.read.mappings import Row, items, open_mapping
from vezaflow.read.scalars import report_shape
from vezaflow.syntax import Expression, Literal, Mapping, Scalar

_BOUNDS = ("duration", "stages")  # one of them ends a load that no number of iterations ends


def read_load(row: Row) -> Load:
    """The load of a flow's row, or k6's default: one VU that runs the steps once."""
    node = row.node("load")
    if not isinstance(node, Mapping):
        if node is not None:
            help_ = f"for instance `load: {row.field('load').example}`"
            report_shape(node, "'load'", "a mapping", row.diagnostics, help=help_)
        span = node.span if node else row.span
        return Load(Executor.SHARED_ITERATIONS, span, vus=Literal(1, span), iterations=Literal(1, span))
    executor = _executor(node, row.diagnostics)
    if executor is None:
        return Load(Executor.CONSTANT_VUS, node.span)
    table = LOADS[executor.value]
    counted = node.get("iterations") is not None and node.get("executor") is None and node.get("duration") is None
    _foreign(node, executor, row.diagnostics, counted=counted)
    own = replace(node, entries=tuple(e for e in node.entries if e.key.text not in _foreign_keys(executor)))
    fields = tuple(replace(f, required=f.required and f.key not in _BOUNDS) for f in table.fields)
    inner = open_mapping(own, replace(table, fields=fields), row.diagnostics)
    assert inner is not None
    if not counted:  # its error says what is missing
        _endless(inner, executor)
    return _options(inner, executor)


def _options(row: Row, executor: Executor) -> Load:
    takes = set(_keys(executor))

    def option(key: str) -> Expression | None:
        return row.expression(key) if key in takes else None

    one = Literal(1, row.span)
    return Load(
        executor=executor,
        span=row.span,
        vus=option("vus") or (one if "vus" in takes else None),
        duration=option("duration") or option("max_duration"),
        iterations=option("iterations") or (one if "iterations" in takes else None),
        start_vus=option("start_vus"),
        rate=option("rate"),
        start_rate=option("start_rate"),
        stages=_stages(row, executor),
        pre_allocated_vus=option("pre_allocated_vus"),
        max_vus=option("max_vus"),
        start_time=option("start_time"),
        graceful_ramp_down=option("graceful_ramp_down"),
        graceful_stop=option("graceful_stop"),
    )


def _stages(row: Row, executor: Executor) -> tuple[Stage, ...]:
    table = STAGES.get(executor.value)
    if table is None:
        return ()
    found = []
    for node in items(row.node("stages"), "'stages'", Kind.STAGES.value, row.diagnostics):
        stage = open_mapping(node, table, row.diagnostics)
        if stage is not None:
            found.append(Stage(stage.required("duration"), stage.required("target"), stage.span))
    return tuple(found)


def _endless(row: Row, executor: Executor) -> None:
    """A load without what ends it."""
    bound = next((f for f in LOADS[executor.value].fields if f.key in _BOUNDS), None)
    if bound is not None and bound.key not in row.entries:
        row.diagnostics.error(
            "VF402",
            row.key_span("executor") if "executor" in row.entries else row.span,
            f"this flow would never end: {row.table.title} needs '{bound.key}'",
            help=f"for instance `{bound.key}: {bound.example}`; `executor: shared-iterations` ends after a number of "
            "iterations",
        )


def _executor(node: Mapping, diagnostics: Diagnostics) -> Executor | None:
    written = node.get("executor")
    if written is None:
        return Executor.CONSTANT_VUS
    names = [executor.value for executor in Executor]
    text = written.text if isinstance(written, Scalar) else ""
    if text in names:
        return Executor(text)
    near = suggest(text, names)
    diagnostics.error(
        "VF126",
        written.span,
        f"'{text}' is not an executor",
        label=did_you_mean(near),
        help=f"allowed: {', '.join(names)}",
    )
    return None


def _keys(executor: Executor) -> tuple[str, ...]:
    return LOADS[executor.value].keys()


def _foreign_keys(executor: Executor) -> set[str]:
    """Options of other executors that this one does not take."""
    every = {field.key for table in LOADS.values() for field in table.fields}
    return every.difference(_keys(executor))


def _foreign(node: Mapping, executor: Executor, diagnostics: Diagnostics, *, counted: bool) -> None:
    """Options of other executors. `counted`: iterations are all that ends the load, and no executor is named."""
    mine = ", ".join(key for key in _keys(executor) if key != "executor")
    for entry in node.entries:
        if counted and entry.key.text == "iterations":
            diagnostics.error(
                "VF401",
                entry.key.span,
                "`iterations` needs an executor",
                help="choose `executor: per-vu-iterations` (for each VU) or `executor: shared-iterations` (for all "
                "VUs together); the default is constant-vus, which runs for a `duration`",
            )
        elif entry.key.text in _foreign_keys(executor):
            others = [name for name, table in LOADS.items() if table.field(entry.key.text)]
            diagnostics.error(
                "VF401",
                entry.key.span,
                f"'{entry.key.text}' is not an option of {executor.value}",
                help=f"{executor.value} takes {mine}; '{entry.key.text}' belongs to {_and(others)}",
            )


def _and(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
