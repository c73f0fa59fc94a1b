"""The URL of a request step, planned: which part of it is known, and what an expression may put where.

Laws: what an expression puts into a path or a query is percent-encoded as one component, so that it can't change the
URL's shape; `urlencode(…)` is encoded already, and `raw(…)` is left as it is; an expression at the very beginning is a
whole URL or the beginning of one. In the host and the port it stands as it is, and may hold nothing that ends them. A
parameter of `query` takes the place of those of its name in the URL, stands before the fragment, and is left out where
it is null (RFC 3986, 3).
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any
from urllib.parse import quote, unquote_plus

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import Request, UrlError, as_http
from vezaflow.plan.bodies import texts_of
from vezaflow.plan.compiled import UNKNOWN, Constant, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.refused import RequestError, refuse
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.targets import GuardError, Target, Targets
from vezaflow.protocols import ErrorKind, Origin
from vezaflow.recurring import Recurring
from vezaflow.syntax import Call, Expression, Literal, Template

Text = Callable[[Scope], str]
_AS_IT_IS = ("urlencode", "raw")  # functions whose results are no further encoded
_ENDS_HOST = re.compile(r"[/?#@\\%\s\x00-\x20\x7f]")

_quote = Recurring[str, str](lambda text: quote(text, safe="")).__getitem__


class _At(Enum):
    """Where the next part of a URL stands, judging by what is before it."""

    BEGINNING = "the start"
    HOST = "the host or the port"
    BEHIND = "the path, the query or the fragment"
    UNKNOWN = "only known during the run"


class UrlPlanner:
    """Plans the URLs of one flow's requests."""

    def __init__(self, compiler: Compiler, targets: Targets, diagnostics: Diagnostics) -> None:
        self._compiler = compiler
        self._targets = targets
        self._diagnostics = diagnostics

    def url(self, request: Request) -> Text:
        """The text of a request's URL, its query joined to it."""
        base = self._text(request.url)
        query = tuple((name, self._compiler.texts(value)) for name, value in request.query)
        if not query:
            return base
        names = frozenset(name for name, _ in query)
        parts = tuple(self._parameter(name, value, request.url_span) for name, value in query)
        if isinstance(base, Constant) and all(isinstance(part, Constant) for part in parts):
            return Constant(_joined(_joint(base.value, names), [part(None) for part in parts]))  # type: ignore[arg-type]
        if isinstance(base, Constant) and base.value is not UNKNOWN:
            alone, joint, fragment = _joint(base.value, names)

            def whole(scope: Scope) -> str:
                query = "&".join([text for part in parts if (text := part(scope))])
                return f"{joint}{query}{fragment}" if query else alone

            return whole
        joints = Recurring[str, tuple[str, str, str]](lambda url: _joint(url, names))
        return lambda scope: _joined(joints[base(scope)], [part(scope) for part in parts])

    def origin(self, url: Expression, *, upgrades: bool = False) -> Origin | None:
        """Where a URL goes, if that is known before the run. Its faults are reported elsewhere."""
        start, whole = "", True
        for position, part in enumerate(url.parts if isinstance(url, Template) else (url,)):
            text = self._compiler.text(part)
            if not isinstance(text, Constant):
                whole = False
                break
            plain = position == 0 or isinstance(part, Literal) or _at(start) is _At.HOST
            start += text.value if plain else _quote(text.value)
        if not whole and _at(start) is not _At.BEHIND:
            return None  # what follows may be a part of the host's name
        try:
            return self._targets.resolve(as_http(start) if upgrades else start).origin
        except (UrlError, GuardError):
            return None

    def resolver(self, span: Span, *, upgrades: bool = False) -> Callable[[str], Target]:
        """Texts → targets. What is no URL, or not allowed, is a RequestError. `upgrades`: it may be a WebSocket's."""
        resolve = self._targets.resolve

        def target(url: str) -> Target:
            try:
                return resolve(as_http(url) if upgrades else url)
            except UrlError as e:
                raise RequestError(str(e), span, ErrorKind.URL, e.help) from None
            except GuardError as e:
                raise RequestError(str(e), span, ErrorKind.GUARD, e.hint) from None

        return target

    def _parameter(self, name: str, value: Evaluate, span: Span) -> Text:
        """`name=value`, a list as often as it has items; '' where the value is null."""
        key = quote(name, safe="") + "="

        def written(found: Any) -> str:
            return "&".join([key + quote(text, safe="") for text in texts_of(found, f"the query's '{name}'")])

        def part(scope: Scope) -> str:
            found = value(scope)
            if type(found) is str:
                return key + _quote(found)
            try:
                return written(found)
            except (TypeError, ValueError) as e:
                raise EvaluationError(str(e), span) from None

        if not isinstance(value, Constant):
            return part
        try:
            return Constant("" if value.value is UNKNOWN else written(value.value))
        except (TypeError, ValueError) as e:
            self._diagnostics.error("VF705", span, str(e))
            return Constant("")

    def _text(self, url: Expression) -> Text:
        if not isinstance(url, Template):
            return self._compiler.text(url)
        parts: list[Text] = []
        before: list[Text] = []  # all of it so far
        known, at = "", _At.BEGINNING
        for position, part in enumerate(url.parts):
            text = self._compiler.text(part)
            plain = position == 0 or isinstance(part, Literal)
            if not plain:
                text = self._placed(text, part, at, tuple(before))
            parts.append(text)
            before.append(text)
            if isinstance(text, Constant):
                known += text.value
            elif position == 0:
                known = "\0"  # whatever it is: a path, a URL, or only a scheme
            else:
                known += "x"
            at = _at(known)
        if all(isinstance(part, Constant) for part in parts):
            return Constant("".join(part(None) for part in parts))  # type: ignore[arg-type]
        self._check_start(parts[0], url.parts[0].span)
        return lambda scope: "".join([part(scope) for part in parts])

    def _placed(self, text: Text, part: Expression, at: _At, before: tuple[Text, ...]) -> Text:
        """What an expression puts into a URL beyond its beginning."""
        encoded = isinstance(part, Call) and part.function in _AS_IT_IS
        span = part.span

        def as_host(scope: Scope) -> str:
            value = text(scope)
            if _ENDS_HOST.search(value):
                raise RequestError(f"{value!r} is not allowed in the host of a URL", span, ErrorKind.URL)
            return value

        def as_component(scope: Scope) -> str:
            return text(scope) if encoded else _quote(text(scope))

        def by_place(scope: Scope) -> str:
            return (as_host if _at("".join([each(scope) for each in before])) is _At.HOST else as_component)(scope)

        if not isinstance(text, Constant):
            if at is _At.HOST:
                return as_host
            return by_place if at is _At.UNKNOWN else as_component
        if at is _At.HOST:
            try:
                return Constant(as_host(None))  # type: ignore[arg-type]
            except RequestError as e:
                refuse(e, self._diagnostics)
                return Constant("")
        return by_place if at is _At.UNKNOWN else Constant(as_component(None))  # type: ignore[arg-type]

    def _check_start(self, start: Text, span: Span) -> None:
        """Ask the guard about a URL whose host is known, though what follows is not."""
        if isinstance(start, Constant) and "://" in start.value and _at(start.value) is _At.BEHIND:
            scheme, _, rest = start.value.partition("://")
            try:
                self.resolver(span)(f"{scheme}://{re.split(r'[/?#]', rest, maxsplit=1)[0]}/")
            except RequestError as e:
                refuse(e, self._diagnostics)


def _at(before: str) -> _At:
    """Where that stands which follows a text. NUL stands for an expression at the beginning, whose value may be a path,
    a URL or a scheme."""
    if not before:
        return _At.BEGINNING
    lead, mark, rest = before.partition("://")
    if mark and not re.search(r"[/?#]", lead):
        return _At.BEHIND if re.search(r"[/?#]", rest) else _At.HOST
    if not before.startswith("\0") or re.search(r"[/?#]", before):
        return _At.BEHIND
    return _At.UNKNOWN


def _joined(joint_of_url: tuple[str, str, str], parts: Sequence[str]) -> str:
    alone, joint, fragment = joint_of_url
    query = "&".join([part for part in parts if part])
    return f"{joint}{query}{fragment}" if query else alone


def _joint(url: str, names: frozenset[str]) -> tuple[str, str, str]:
    """A URL without the parameters of these names; the same as it stands before further ones; its fragment."""
    whole, mark, fragment = url.partition("#")
    path, _, query = whole.partition("?")
    kept = "&".join(pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in names)
    return (
        f"{path}?{kept}{mark}{fragment}" if kept else f"{path}{mark}{fragment}",
        f"{path}?{kept}&" if kept else f"{path}?",
        mark + fragment,
    )
