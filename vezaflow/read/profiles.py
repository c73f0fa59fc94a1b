"""`profile` of suite.yml, and of an event: a request whose response is a profile of the server."""

from collections.abc import Iterator

from vezaflow.diagnostics import Span
from vezaflow.keys import EVENT_PROFILE, PROFILE, Kind
from vezaflow.model import CPU_PATH, CPU_SECONDS, MarkAction, ProfileAction, Request, RequestDefaults, SuiteEvent
from vezaflow.read.headers import read_headers
from vezaflow.read.mappings import Row, items, open_mapping, sub_mapping
from vezaflow.read.requests import read_auth
from vezaflow.syntax import Expression, Literal, Sequence

_SECONDS = "seconds"


def read_profiles(row: Row) -> Iterator[SuiteEvent]:
    """The events that `profile` of a suite stands for: one mapping, or a list of them."""
    node = row.node("profile")
    if node is None:
        return
    listed = items(node, "'profile'", Kind.PROFILES.value, row.diagnostics) if isinstance(node, Sequence) else (node,)
    for each in listed:
        inner = open_mapping(each, PROFILE, row.diagnostics, what="'profile'")
        if inner is not None and "url" in inner.entries:
            yield _event(inner)


def read_event_profile(row: Row, name: str) -> ProfileAction | None:
    """The action that `profile` of an event says; None where it is not there."""
    inner = sub_mapping(row, "profile", EVENT_PROFILE)
    if inner is None or "url" not in inner.entries:
        return None
    return _action(inner, name, row.key_span("profile"), on_red=False)


def _event(row: Row) -> SuiteEvent:
    named = row.node("name")
    name, span = (row.text("name"), named.span) if named is not None else _usual_name(row)
    return SuiteEvent(
        name=name,
        at=row.expression("at"),
        every=row.expression("every"),
        lasts=None,
        window=row.expression("window"),
        action=_action(row, name, span, on_red=row.constant("on") == "red"),
        final=MarkAction(),
        span=span,
    )


def _usual_name(row: Row) -> tuple[str, Span]:
    path, span = _path(row.required("url")), row.key_span("url")
    if path is None or not path.rpartition("/")[2]:
        row.diagnostics.error(
            "VF127", span, "a profile needs 'name' here: its URL does not give one", help="for instance `name: cpu`"
        )
        return "profile", span
    return "cpu" if path.endswith(CPU_PATH) else path.rpartition("/")[2], span


def _path(url: Expression) -> str | None:
    """The path of a URL that is written out."""
    value = url.value if isinstance(url, Literal) else None
    return value.partition("#")[0].partition("?")[0] if isinstance(value, str) else None


def _action(row: Row, name: str, span: Span, *, on_red: bool) -> ProfileAction:
    url = row.required("url")
    seconds = sent = row.expression(_SECONDS)
    if seconds is None and (_path(url) or "").endswith(CPU_PATH):
        seconds, sent = Literal(CPU_SECONDS, url.span), Literal(str(CPU_SECONDS), url.span)
    if isinstance(url, Literal) and f"{_SECONDS}=" in str(url.value).partition("?")[2]:
        row.diagnostics.error(
            "VF120", url.span, "the URL of a profile has no 'seconds' of its own", help="write `seconds: 30` next to it"
        )
    request = Request(
        method="GET",
        url=url,
        name=f"profile {name}",
        named=True,
        query=() if sent is None else ((_SECONDS, sent),),
        body=None,
        options=RequestDefaults(headers=read_headers(row), auth=read_auth(row)),
        expect=None,
        extract=(),
        retry=None,
        span=span,
        url_span=url.span,
    )
    return ProfileAction(request, seconds, on_red, span)
