"""The load over time, drawn: all VUs of the closed flows and all starts of the open ones, and each flow below.

All rows share one axis; each is drawn to its own height, which stands beside it.
"""

from collections.abc import Callable, Iterator, Sequence

from vezaflow import units
from vezaflow.explain.chart import axis, bars
from vezaflow.explain.explained import Explanation, FlowExplained
from vezaflow.reports import DIM, Look

_ROWS = 4
_NAME = 14  # columns for a flow's name at most
_FAR = 100_000  # starts per second, VUs: what is shown beside a row has room up to this
_TONE = "36"

_Shown = Callable[[float], str]


def load_over_time(e: Explanation, look: Look) -> Iterator[str]:
    """The lines of the drawing."""
    closed = [flow for flow in e.flows if not flow.load.is_open]
    opened = [flow for flow in e.flows if flow.load.is_open]
    name = min(_NAME, max(map(len, ("all VUs", "all starts", *(flow.name for flow in e.flows)))))
    columns = look.width - name - len(f"  {_FAR:,} VUs") - 4
    yield look.title("Load over time") + look.paint(" (each row has its own scale)", DIM)
    for flows, title, shown in ((closed, "all VUs", _vus), (opened, "all starts", units.rate)):
        if flows:
            rows = _group(flows, title, shown, e.plan.seconds, columns)
            for label, drawn, peak in rows:
                yield f"  {_cut(label, name):<{name}} │{look.paint(drawn, _TONE)} {peak}"
    line, times = axis(columns, e.plan.seconds)
    yield f"  {'':<{name}} └{line}"
    yield f"  {'':<{name}}  {look.paint(times, DIM)}"


def _group(
    flows: Sequence[FlowExplained], title: str, shown: _Shown, seconds: float, columns: int
) -> Iterator[tuple[str, str, str]]:
    """Label, drawing and height of each row: the flows of one kind together, then each."""
    each = [flow.curve.columns(seconds, columns) for flow in flows]
    together = [sum(values) for values in zip(*each, strict=True)]
    first, *rest = bars(together, _ROWS)
    yield title if len(flows) > 1 else flows[0].name, first, shown(max(together))
    yield from (("", row, "") for row in rest)
    if len(flows) > 1:
        for flow, values in zip(flows, each, strict=True):
            yield flow.name, bars(values, 1)[0], shown(flow.curve.peak)


def _vus(count: float) -> str:
    return units.counted(round(count), "VU")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
