"""`paginate`, decided: the requests of a walk, and what leads from one page to the next.

The request is compiled once, with the place for what leads on in it. Without a parameter that is the next page's URL:
then the request goes where it says, as after a redirect, with the guard before it and no credentials for other hosts.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from vezaflow.keys import MOST_PAGES
from vezaflow.metrics import PAGE
from vezaflow.model import Extract, Paginate, Request
from vezaflow.plan.checks import Failure
from vezaflow.plan.choices import NothingFoundError, chooser
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.extractors import PlannedExtract
from vezaflow.plan.links import whole
from vezaflow.plan.names import Names
from vezaflow.plan.outgoing import Outgoing, PlannedPages, PlannedRequest
from vezaflow.plan.rendering import show
from vezaflow.plan.response import UndecodableError
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.settings import Settings
from vezaflow.plan.sources import SOURCES
from vezaflow.plan.targets import Target
from vezaflow.protocols import ErrorKind
from vezaflow.syntax import Binary, Expression, Name


def request_of_page(paginate: Paginate, names: Names) -> Request:
    """The request for any page: its query says what the page before named, or what it begins with."""
    request, parameter = paginate.request, paginate.parameter
    names.slot(_name(paginate))
    if not parameter:
        return request
    leads_on: Expression = Name(_name(paginate), paginate.parameter_span)
    query = dict(request.query)
    begin = query.get(parameter)
    if begin is not None:
        assert not isinstance(begin, tuple | dict), "lint refuses it"
        leads_on = Binary("??", leads_on, begin, paginate.parameter_span)
    return replace(request, query=tuple({**query, parameter: leads_on}.items()))


def plan_pages(
    paginate: Paginate,
    planned: PlannedRequest,
    compiler: Compiler,
    settings: Settings,
    resolve: Callable[[str], Target],
) -> PlannedRequest:
    """The request of a walk, from that of any page."""
    slot, found = compiler.names.slot(_name(paginate)), compiler.names.slot(f"{_name(paginate)}:found")
    gathered = {extract.name for extract in paginate.request.extract if extract.all}
    most, by_url = settings.count(paginate.pages), not paginate.parameter
    if most > MOST_PAGES:
        settings.refuse("VF702", paginate.pages.span, f"{most:,} pages: the maximum is {MOST_PAGES}")
    pages = PlannedPages(
        slot=slot,
        found=found,
        most=most,
        gathered=tuple((extract.name, extract.slot) for extract in planned.extracts if extract.name in gathered),
        by_url=by_url,
        span=paginate.span,
    )
    return replace(
        planned,
        pages=pages,
        prepare=_led(planned, slot, resolve) if by_url else planned.prepare,
        extracts=(*planned.extracts, _plan_next(paginate.next, pages, compiler)),
        tags=tuple((name, value) for name, value in planned.tags if name != PAGE),
    )


def _name(paginate: Paginate) -> str:
    """Of what leads on: no author can write it."""
    return f"next:{paginate.span.start}"


def _led(planned: PlannedRequest, slot: int, resolve: Callable[[str], Target]) -> Callable[[Scope], Outgoing]:
    """The first page as it is written, any other where the one before it led, as if the first had."""

    def prepare(scope: Scope) -> Outgoing:
        url = scope.slots[slot]
        outgoing = planned.prepare(scope)
        return outgoing if url is None else planned.move(outgoing, resolve(url), to_get=False)

    return prepare


def _plan_next(extract: Extract, pages: PlannedPages, compiler: Compiler) -> PlannedExtract:
    """Puts what leads on into its slot; None where nothing does. Not where the request looks: it may be sent again."""
    find, choose, by_url = SOURCES[extract.source].find(extract.argument), chooser(extract, compiler), pages.by_url

    def failed(message: str) -> Failure:
        return Failure(ErrorKind.EXTRACTION, "VF603", f"'next': {message}", extract.argument_span)

    def run(scope: Scope) -> Failure | None:
        response = scope.response
        assert response is not None
        found: Any = None
        try:
            found = choose(find(response), scope)
        except NothingFoundError:
            pass
        except UndecodableError as e:
            return failed(str(e))
        except EvaluationError as e:
            return Failure(ErrorKind.EXTRACTION, "VF603", e.message, e.span)
        if found is False or found == "":
            found = None
        if by_url and not isinstance(found, str | None):
            return failed(f"{show(found)} is not a URL; to send it as a query parameter set `into`")
        try:
            leads_to = whole(found, response.url) if by_url and found is not None else found
        except UndecodableError as e:
            return failed(str(e))
        if leads_to is not None and leads_to == (response.url if by_url else scope.slots[pages.slot]):
            return failed(f"{show(found)} is the URL of the same page")
        scope.slots[pages.found] = leads_to
        return None

    return PlannedExtract("next", pages.found, run)
