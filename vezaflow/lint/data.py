"""Data sources: that each can be dealt as it says, has a name of its own and the columns that are asked for, and rows
enough for the load.

Only loads whose numbers the file settles are judged against the rows; `vezaflow explain` knows the inputs too.
"""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.lint.load import most_vus
from vezaflow.lint.samples import most_iterations
from vezaflow.lint.unused import flow_uses
from vezaflow.model import (
    AtEnd,
    DataSource,
    Each,
    Executor,
    Flow,
    Most,
    Place,
    RowPick,
    Suite,
    flow_steps,
    own_steps,
    set_in,
)
from vezaflow.redact import weakness
from vezaflow.syntax import Index, Literal, Member, Name, Rows, names, walk

MOST_SECRETS = 1_000  # values: each is looked for in all that is put out
_STOPS = (AtEnd.STOP_VU, AtEnd.STOP_FLOW)


def check_dealing(suite: Suite, diagnostics: Diagnostics) -> None:
    """Words of a source that contradict each other."""
    for data_source in (
        data_source
        for data_sources in (suite.data, *(flow.data for flow in suite.flows))
        for data_source in data_sources
    ):
        _check_words(data_source, diagnostics)
        _check_secrets(data_source, diagnostics)
    for flow, data_source in _used(suite):
        if flow.load.executor.is_open and data_source.at_end is AtEnd.STOP_VU and data_source.at_end_span is not None:
            diagnostics.error(
                "VF430",
                data_source.at_end_span,
                f"{flow.load.executor.value} can't stop single VUs",
                help="each iteration starts on any free VU: use `stop_flow`",
                related=((flow.load.span, "the load"),),
            )


def check_rows(suite: Suite, diagnostics: Diagnostics) -> None:
    """Sources that are used up before the load is over."""
    wanted: dict[Span, tuple[DataSource, list[Flow]]] = {}
    for flow, data_source in _used(suite):
        wanted.setdefault(data_source.span, (data_source, []))[1].append(flow)
    for data_source, flows in wanted.values():
        if data_source.ends and data_source.rows is not None:
            _check_enough(data_source, data_source.rows, flows, diagnostics)


def check_names_of_data_sources(suite: Suite, diagnostics: Diagnostics) -> None:
    """Sources that share their name with another value."""
    for flow in suite.flows:
        taken = dict(set_in((), flow_steps(flow)))
        taken |= {name: step.span for step in own_steps(flow_steps(flow)) for name in step.lends()}
        taken |= dict(set_in(flow.vars, ()))
        shared = dict(set_in(suite.vars, suite.setup)) | {
            data_source.name: data_source.span for data_source in suite.data
        }
        for data_source in flow.data:
            _check_name(data_source, shared | taken, diagnostics)
        for data_source in suite.data:
            _check_name(data_source, taken, diagnostics)
    for data_source in suite.data:
        _check_name(data_source, dict(set_in(suite.vars, suite.setup)), diagnostics)


def check_columns(suite: Suite, diagnostics: Diagnostics) -> None:
    """Columns that a source does not have."""
    for flow in suite.flows:
        data_sources = {data_source.name: data_source for data_source in (*suite.data, *flow.data)}
        for use in flow_uses(suite, flow):
            if use.place is Place.WHERE:
                continue
            for part in walk(use.expression):
                if (
                    isinstance(part, Member | Index)
                    and isinstance(part.target, Name)
                    and part.target.name in data_sources
                ):
                    _check_column(*_column(part), data_sources[part.target.name], diagnostics)


def _used(suite: Suite) -> Iterator[tuple[Flow, DataSource]]:
    """Each flow with the sources that its VUs are dealt from."""
    for flow in suite.flows:
        used = {name.name for use in flow_uses(suite, flow) for name in names(use.expression)}
        yield from ((flow, data_source) for data_source in (*suite.data, *flow.data) if data_source.name in used)


def _check_words(data_source: DataSource, diagnostics: Diagnostics) -> None:
    end, each = data_source.at_end_span, data_source.each_span
    if data_source.pick is RowPick.RANDOM and end is not None:
        diagnostics.error("VF430", end, "random rows never run out", help="remove `at_end`")
    elif data_source.pick is RowPick.UNIQUE and data_source.at_end is AtEnd.WRAP and end is not None:
        diagnostics.error(
            "VF430",
            end,
            "unique rows are used only once",
            label="`wrap` would use them again",
            help="use `pick: sequential` to allow that, or another `at_end`",
        )
    if data_source.pick is RowPick.PER_VU and data_source.each is Each.ITERATION and each is not None:
        diagnostics.error(
            "VF430", each, "`pick: per_vu` assigns one row to each VU", help="remove `each`, or use another `pick`"
        )


def _check_secrets(data_source: DataSource, diagnostics: Diagnostics) -> None:
    if data_source.rows is None:
        return
    for column, span in data_source.secrets:
        if column not in data_source.rows.columns:
            _no_column(column, span, data_source, data_source.rows, diagnostics)
        elif (count := len(set(data_source.rows.texts(column)))) > MOST_SECRETS:
            diagnostics.error(
                "VF432",
                span,
                f"'{column}' has {count:,} different values, and at most {MOST_SECRETS:,} secrets are supported",
                help="use one password for these users, or a smaller file",
            )
        elif why := next(filter(None, map(weakness, data_source.rows.texts(column))), ""):
            diagnostics.error(
                "VF706",
                span,
                f"a value of '{column}' can't be masked: {why}",
                help="choose a longer one, or remove the column from `secrets`",
            )


def _check_enough(data_source: DataSource, rows: Rows, flows: list[Flow], diagnostics: Diagnostics) -> None:
    there = len(rows)
    vus = [most_vus(flow.load) for flow in flows]
    if data_source.pick is RowPick.PER_VU:
        _short(data_source, there, max((number or 0 for number in vus), default=0), "VUs", flows, diagnostics)
        return
    needed = sum(number or 0 for number in vus)
    if not any(flow.load.executor.is_open for flow in flows) and there < needed:
        _short(data_source, there, needed, "VUs", flows, diagnostics)
    elif data_source.each is Each.ITERATION and not (
        data_source.at_end in _STOPS and data_source.at_end_span is not None
    ):
        iterations = sum(_least_iterations(flow) or 0 for flow in flows)
        _short(data_source, there, iterations, "iterations at least", flows, diagnostics)


def _short(
    data_source: DataSource, there: int, needed: float, of: str, flows: list[Flow], diagnostics: Diagnostics
) -> None:
    if there < needed:
        rows = "1 row" if there == 1 else f"{there:,} rows"
        diagnostics.warning(
            "VF431",
            data_source.span,
            f"'{data_source.name}' has {rows}, and the load has {int(needed):,} {of}",
            help=f"at the end `{data_source.at_end.value}` applies; add rows, or lower the load",
            related=tuple(
                (flow.load.span, "the load") for flow in flows if flow.load.span.source is data_source.span.source
            ),
        )


def _least_iterations(flow: Flow) -> Most:
    """How many iterations there are at least, if nothing ends the load early."""
    match flow.load.executor:
        case Executor.CONSTANT_VUS | Executor.RAMPING_VUS:
            return most_vus(flow.load)
        case _:
            return most_iterations(flow)


def _check_name(data_source: DataSource, taken: dict[str, Span], diagnostics: Diagnostics) -> None:
    other = taken.get(data_source.name)
    if other is not None and other != data_source.span:
        diagnostics.error(
            "VF315",
            data_source.span,
            f"'{data_source.name}' is both a data source and a value",
            help="rename one of them",
            related=((other, "the other"),),
        )


def _column(part: Member | Index) -> tuple[str, Span]:
    """Which column is asked for, and where; none where only the run tells."""
    match part:
        case Member(name=name, span=span):
            return name, Span(span.source, span.end - len(name), span.end)
        case Index(index=Literal(value=str() as name, span=span)):
            return name, span
        case _:
            return "", part.span


def _check_column(column: str, span: Span, data_source: DataSource, diagnostics: Diagnostics) -> None:
    if not column or data_source.rows is None or column in data_source.rows.columns:
        return
    if data_source.rows.columns:
        _no_column(column, span, data_source, data_source.rows, diagnostics)
    else:
        diagnostics.error(
            "VF309",
            span,
            f"the rows of '{data_source.name}' have no columns",
            help=f"each row is a single value: write `${{{data_source.name}}}`",
            related=((data_source.span, "the source"),),
        )


def _no_column(column: str, span: Span, data_source: DataSource, rows: Rows, diagnostics: Diagnostics) -> None:
    glued = next((mark for mark in (";", "\t", "|") if len(rows.columns) == 1 and mark in rows.columns[0]), "")
    near = suggest(column, rows.columns) if not glued else None
    listed = ", ".join(rows.columns[:10]) + (", …" if len(rows.columns) > 10 else "")
    known = f"its columns are {listed}" if listed else "its rows are single values"
    diagnostics.error(
        "VF309",
        span,
        f"'{data_source.name}' has no column '{column}'",
        label=did_you_mean(near),
        help=_written_with(glued) if glued else known,
        related=((data_source.span, "the source"),),
    )


def _written_with(mark: str) -> str:
    word = "tab" if mark == "\t" else f'"{mark}"'
    return f"the header has only one column: does the file need `delimiter: {word}`?"
