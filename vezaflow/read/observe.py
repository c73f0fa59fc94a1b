"""`observe` of suite.yml."""

from vezaflow.diagnostics import Diagnostics
from vezaflow.keys import OBSERVE, OBSERVED_METRIC, PROMETHEUS, Kind
from vezaflow.model import Observation, ObservedKind, ObservedUnit, Prometheus, RequestDefaults, unit_by_name
from vezaflow.read.connections import read_tls
from vezaflow.read.headers import read_headers
from vezaflow.read.mappings import Row, open_mapping, pairs, sub_mapping
from vezaflow.read.requests import read_auth
from vezaflow.read.trees import check_name, texts, words
from vezaflow.syntax import Entry

_BOUND = "le"  # the label that a classic histogram has for each of its buckets


def read_observe(row: Row) -> Prometheus | None:
    """The settings under `observe`; None if there are none."""
    outer = sub_mapping(row, "observe", OBSERVE)
    inner = sub_mapping(outer, "prometheus", PROMETHEUS) if outer is not None else None
    if inner is None:
        return None
    entries = pairs(inner.node("metrics"), "'metrics'", Kind.OBSERVED.value, row.diagnostics)
    found = (_observation(entry, row.diagnostics) for entry in entries)
    return Prometheus(
        url=inner.required("url"),
        options=RequestDefaults(
            headers=read_headers(inner),
            auth=read_auth(inner),
            timeout=inner.expression("timeout"),
            tls=read_tls(inner),
        ),
        wait=inner.expression("wait"),
        metrics=tuple(each for each in found if each is not None),
        span=row.key_span("observe"),
    )


def _observation(entry: Entry, diagnostics: Diagnostics) -> Observation | None:
    row = open_mapping(entry.value, OBSERVED_METRIC, diagnostics, what=f"'{entry.key.text}'")
    if row is None or not check_name(entry.key, diagnostics):
        return None
    kind = row.verb()
    if kind is None:
        return None
    of, unit = row.text(kind).strip(), row.constant("unit")
    if not of:
        diagnostics.error("VF121", row.entries[kind].value.span, f"'{kind}' must not be empty")
        return None
    by = words(row, "by")
    for word in by:
        if kind == ObservedKind.HISTOGRAM.value and word.text == _BOUND:
            diagnostics.error(
                "VF126",
                word.span,
                f"'{_BOUND}' can't be kept apart: it is the bound of the histogram's buckets",
                help="without it the figures are those of whole histograms; for the count of one bucket write\n"
                f"`counter: {of}_bucket` with `match: {{{_BOUND}: '0.5'}}`",
            )
    return Observation(
        name=entry.key.text,
        kind=ObservedKind(kind),
        of=of,
        match=texts(row, "match"),
        by=tuple(word.text for word in by),
        unit=ObservedUnit(unit) if isinstance(unit, str) else unit_by_name(of),
        span=entry.key.span,
    )
