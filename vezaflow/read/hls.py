"""An `hls` step: the stream, how it is played, and the requests that play it.

Those behind the first one have its identity, its tags and what a failure of it does; all else that is written of them
stands in the first.
"""

from dataclasses import replace

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.keys import VARIANT, Kind
from vezaflow.model import (
    Abr,
    BandwidthLimit,
    Chosen,
    Cmcd,
    Expect,
    Fetched,
    Hls,
    Pace,
    Request,
    RequestDefaults,
    Variant,
)
from vezaflow.read import scalars
from vezaflow.read.expect import read_status
from vezaflow.read.mappings import Row, open_mapping
from vezaflow.read.requests import read_defaults
from vezaflow.read.trees import parameters
from vezaflow.syntax import Binary, Expression, Literal, Mapping, Name, Scalar, parse_limit


def read_hls(row: Row) -> Hls:
    """The stream that a step's mapping plays."""
    url = row.entries["hls"].value
    written = url.text if isinstance(url, Scalar) else ""
    name = row.text("name") or f"hls {written}"
    first = _first(row, url.span)
    _check_effects(row)
    abr, pace, cmcd = row.constant("abr"), row.constant("pace"), row.constant("cmcd")
    return Hls(
        name=name,
        requests=_requests(first, name),
        variant=_variant(row),
        abr=next((each for each in Abr if each.value == abr), Abr.HLS_JS),
        play=row.expression("play"),
        segments=row.expression("segments"),
        pace=next((each for each in Pace if each.value == pace), Pace.REALTIME),
        buffer=row.expression("buffer"),
        cmcd=next((each for each in Cmcd if each.value == cmcd), None),
        span=row.key_span("hls"),
    )


def _check_effects(row: Row) -> None:
    """Keys that another key makes meaningless."""
    chosen, pace = row.node("variant"), row.node("pace")
    fixed = chosen is not None and not (isinstance(chosen, Scalar) and chosen.text == Chosen.ABR.value)
    unpaced = isinstance(pace, Scalar) and pace.text == Pace.NONE.value
    for key, meaningless, other, help_ in (
        ("abr", fixed, "variant", "`abr` is the rule of `variant: abr`"),
        ("buffer", unpaced, "pace", "with `pace: none` there is no player that has a buffer"),
    ):
        if meaningless and key in row.entries:
            because = ((row.key_span(other), "because of this"),)
            row.diagnostics.warning(
                "VF445", row.key_span(key), f"'{key}' has no effect here", help=help_, related=because
            )


def _first(row: Row, url_span: Span) -> Request:
    """The request for the URL of the step."""
    status = row.node("expect")
    return Request(
        method="GET",
        url=row.required("hls"),
        name="",
        named=bool(row.text("name")),
        query=parameters(row, "query"),
        body=None,
        options=read_defaults(row),
        expect=Expect(read_status(status, row.diagnostics), (), status.span) if status is not None else None,
        extract=(),
        retry=None,
        span=row.key_span("hls"),
        url_span=url_span,
    )


def _requests(first: Request, name: str) -> tuple[Request, ...]:
    """One for each purpose, in the order of Fetched."""
    options = RequestDefaults(tags=first.options.tags, on_failure=first.options.on_failure)
    rest = replace(first, url=scalars.nothing(first.url_span), query=(), options=options)
    return tuple(replace(first if each is Fetched.MASTER else rest, name=f"{name} {each.value}") for each in Fetched)


def _variant(row: Row) -> Variant:
    node = row.node("variant")
    if node is None:
        return Chosen.ABR
    if isinstance(node, Mapping):
        inner = open_mapping(node, VARIANT, row.diagnostics, what="'variant'")
        return _bandwidth(inner) if inner is not None and inner.verb() else Chosen.ABR
    words = {each.value: each for each in Chosen}
    if isinstance(node, Scalar) and node.text in words:
        return words[node.text]
    if not isinstance(node, Scalar):
        scalars.report_shape(node, "'variant'", Kind.VARIANT.value, row.diagnostics)
        return Chosen.ABR
    near = suggest(node.text, words)
    row.diagnostics.error(
        "VF126",
        node.span,
        f"'{node.text}' is not a valid value of 'variant'",
        label=did_you_mean(near),
        help="" if near else f"it must be {Kind.VARIANT.value}",
    )
    return Chosen.ABR


def _bandwidth(row: Row) -> tuple[BandwidthLimit, ...]:
    """`<= 256000`, or both ends of a range."""
    node, span = row.entries["bandwidth"].value, row.key_span("bandwidth")
    if not isinstance(node, Scalar) or not node.text:
        scalars.report_shape(node, "'bandwidth'", Kind.LIMIT.value, row.diagnostics)
        return ()
    found = parse_limit(node, Name("bandwidth", span), row.diagnostics)
    compared = tuple(_comparisons(found)) if found is not None else ()
    for each in compared:
        _check(each.bound, row.diagnostics)
    return compared


def _comparisons(found: Expression) -> list[BandwidthLimit]:
    match found:
        case Binary(operator="and", left=left, right=right):
            return [*_comparisons(left), *_comparisons(right)]
        case Binary(operator=sign, right=bound):
            return [BandwidthLimit(sign, bound)]
    raise AssertionError(found)


def _check(bound: Expression, diagnostics: Diagnostics) -> None:
    """What can be told of it now: it is a number of bits per second."""
    if isinstance(bound, Literal) and (isinstance(bound.value, bool) or not isinstance(bound.value, int | float)):
        diagnostics.error(
            "VF222",
            bound.span,
            "'bandwidth' is compared with a number",
            label=f"this is {scalars.called(bound.value) if not hasattr(bound.value, 'dimension') else 'a quantity'}",
            help="write bits per second without a unit: `<= 256000`",
        )
