"""What is known of a request before it is sent: where it goes, what it sends at least, what is kept of a response.

`want`, by which the socket keeps or drops what comes, is the sum of the reasons: what `explain` says is what happens.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from vezaflow.model import (
    BodyMatch,
    Expectation,
    Extract,
    HeaderMatch,
    JsonMatch,
    Limit,
    Paginate,
    Poll,
    Request,
    SchemaMatch,
    That,
)
from vezaflow.plan.sources import SOURCES, TEXT
from vezaflow.protocols import Origin, Want
from vezaflow.syntax import Expression, calls

_READS_BODY = frozenset({"json", "size"})


class Reason(NamedTuple):
    """Words of the flow that need a part of the response."""

    want: Want
    text: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one request step. `plays`: the name of the step that it begins, and what is played."""

    url: str  # as written
    origin: Origin | None  # None: only the run tells
    sends: int  # bytes, at least
    reasons: tuple[Reason, ...]
    plays: tuple[str, str] | None = None


def reasons_of(request: Request, poll: Poll | None = None, pages: Paginate | None = None) -> tuple[Reason, ...]:
    """All that needs more of a response than its figures."""
    found = list(_of_request(request))
    if poll is not None:
        found.append(Reason(_read_by(poll.until), "until"))
    if pages is not None:
        found.append(Reason(_extracted(pages.next), "next"))
    return tuple(reason for reason in found if reason.want)


def wanted(reasons: Iterable[Reason]) -> Want:
    """What is kept for them all."""
    want = Want.NOTHING
    for reason in reasons:
        want |= reason.want
    return want


def _of_request(request: Request) -> Iterator[Reason]:
    if request.retry is not None:
        yield Reason(Want.HEADERS, "retry")  # Retry-After
    for extract in request.extract:
        yield Reason(_extracted(extract), f"extract {extract.name}")
    for expectation in request.expect.expectations if request.expect else ():
        yield Reason(_expected(expectation), f"expect {expectation.name}")


def _extracted(extract: Extract) -> Want:
    return SOURCES[extract.source].wants(extract.argument)


def _expected(expectation: Expectation) -> Want:
    match expectation:
        case HeaderMatch():
            want = Want.HEADERS
        case JsonMatch() | SchemaMatch():
            want = Want.BODY
        case BodyMatch():
            want = TEXT
        case Limit() | That():
            want = Want.NOTHING
        case never:
            assert_never(never)
    for use in expectation.uses():
        want |= _read_by(use.expression)
    return want


def _read_by(expression: Expression) -> Want:
    want = Want.NOTHING
    for call in calls(expression):
        if call.function == "body":
            want |= TEXT
        elif call.function in _READS_BODY:
            want |= Want.BODY
        elif call.function == "header":
            want |= Want.HEADERS
    return want
