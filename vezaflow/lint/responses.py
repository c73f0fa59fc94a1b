"""What a request asks of one response must be possible together: a body where there can be one, statuses that do not
contradict each other, a redirect only where it is not followed.
"""

from collections.abc import Iterator
from typing import assert_never

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.lint.reach import truth
from vezaflow.model import (
    BodyMatch,
    Expectation,
    Extract,
    HeaderMatch,
    JsonMatch,
    Limit,
    Request,
    RequestDefaults,
    SchemaMatch,
    StatusSet,
    Suite,
    That,
    flow_steps,
    requests,
    suite_steps,
)
from vezaflow.syntax import QUERIES, Binary, Call, Expression, Literal

_BODILESS = (204, 205, 304)
_FOLLOWED = (301, 302, 303, 307, 308)
_OF_BODY = {*QUERIES, "m3u8"}


def check_responses(suite: Suite, diagnostics: Diagnostics) -> None:
    """Requests whose expectations and extractions can't all hold."""
    for layers, steps in (
        ((suite.defaults,), suite_steps(suite)),
        *(((flow.defaults, suite.defaults), flow_steps(flow)) for flow in suite.flows),
    ):
        for request in requests(steps):
            _check_body(request, diagnostics)
            _check_status(request, diagnostics)
            _check_redirect(request, (request.options, *layers), diagnostics)


def _check_body(request: Request, diagnostics: Diagnostics) -> None:
    status = request.expect.status if request.expect else None
    if request.method == "HEAD":
        because, why = "the response to HEAD has no body", request.span
    elif status is not None and _only(status, _BODILESS):
        because, why = f"a {status.text} response has no body", status.span
    else:
        return
    for span, what in _wants_body(request):
        diagnostics.error("VF412", span, f"{because}, and {what} needs one", related=((why, "no body here"),))


def _wants_body(request: Request) -> Iterator[tuple[Span, str]]:
    for extract in request.extract:
        if extract.default is None and _reads_body(extract):
            yield extract.span, f"'{extract.name}'"
    for expectation in request.expect.expectations if request.expect else ():
        if (span := _asks_body(expectation)) is not None:
            yield span, "this expectation"


def _asks_body(expectation: Expectation) -> Span | None:
    """Where an expectation that needs a body names what it looks at."""
    match expectation:
        case JsonMatch(path_span=span) | BodyMatch(key_span=span) | SchemaMatch(span=span):
            return span
        case HeaderMatch() | Limit() | That():
            return None
        case never:
            assert_never(never)


def _reads_body(extract: Extract) -> bool:
    return extract.source in _OF_BODY


def _check_status(request: Request, diagnostics: Diagnostics) -> None:
    """`status: 200` beside `that: status() == 404`."""
    status = request.expect.status if request.expect else None
    if request.expect is None or status is None or not (status.exact or status.classes):
        return
    for expectation in request.expect.expectations:
        if isinstance(expectation, That) and _excluded(expectation.condition, status):
            diagnostics.error(
                "VF413",
                expectation.span,
                f"no {status.text} status satisfies this",
                help="remove one of them",
                related=((status.span, "the expected status"),),
            )


def _excluded(condition: Expression, status: StatusSet) -> bool:
    allowed = [*status.exact, *(one for each in status.classes for one in range(each * 100, each * 100 + 100))]
    return all(truth(_with_status(condition, one)) is False for one in allowed)


def _with_status(condition: Expression, status: int) -> Expression:
    """The condition with a status in the place of `status()`."""
    match condition:
        case Call(function="status", span=span):
            return Literal(status, span)
        case Binary(operator=operator, left=left, right=right, span=span):
            return Binary(operator, _with_status(left, status), _with_status(right, status), span)
        case _:
            return condition


def _check_redirect(request: Request, layers: tuple[RequestDefaults, ...], diagnostics: Diagnostics) -> None:
    status = request.expect.status if request.expect else None
    if status is None or not _only(status, _FOLLOWED):
        return
    follow = next((layer.follow for layer in layers if layer.follow is not None), None)
    if follow is None or (isinstance(follow, Literal) and follow.value not in (False, 0)):
        diagnostics.warning(
            "VF414",
            status.span,
            f"a {status.text} redirect is followed, and the status checked is that of its target",
            help="to check the redirect itself, add `follow: false` to the step",
        )


def _only(status: StatusSet, statuses: tuple[int, ...]) -> bool:
    """Whether a status that is right is always one of these."""
    return bool(status.exact) and not status.classes and set(status.exact) <= set(statuses)
