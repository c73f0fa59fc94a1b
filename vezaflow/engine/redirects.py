"""Redirects: which are followed, and the request that comes next (RFC 9110, 15.4)."""

from vezaflow.plan import GuardError, Outgoing, PlannedRequest, RequestError, Targets, UrlError
from vezaflow.protocols import ErrorKind, Exchange

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def is_followed(request: PlannedRequest, exchange: Exchange) -> bool:
    """Whether the response is a redirect that the request follows."""
    return (
        exchange.error is None
        and exchange.status in _REDIRECTS
        and request.follow > 0
        and exchange.status not in request.explicit
        and any(name == "location" for name, _ in exchange.headers)
    )


def location_of(exchange: Exchange) -> str:
    """Where a redirect leads, as it says."""
    return next(value for name, value in exchange.headers if name == "location")


def next_hop(request: PlannedRequest, targets: Targets, outgoing: Outgoing, exchange: Exchange) -> Outgoing:
    """The request that a redirect asks for, made of the last one: 303, and POST on 301 and 302, become GET. Raises
    RequestError where it can't be sent or may not."""
    try:
        target = targets.follow(outgoing.target, location_of(exchange))
    except UrlError as e:
        raise RequestError(f"redirect: {e}", request.span, ErrorKind.URL) from None
    except GuardError as e:
        raise RequestError(f"redirect: {e}", request.span, ErrorKind.GUARD) from None
    method = outgoing.method
    to_get = (exchange.status == 303 and method != "HEAD") or (exchange.status in (301, 302) and method == "POST")
    return request.move(outgoing, target, to_get=to_get)
