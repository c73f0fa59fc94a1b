"""The head of a request as text: made before the run as far as it is known then.

Laws: exactly one Host and one Content-Length, the body's, whatever the author's headers say of the framing (RFC 9112,
6); a value that can't be sent as one line fails its step (RFC 9110, 5.5), a null one is left out; names were checked
when the file was read. What is sent again elsewhere is made of the bytes that were sent, never rendered anew.
"""

import base64
import re
from collections.abc import Callable, Iterable
from functools import partial

from vezaflow import __version__
from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import Auth, RequestDefaults
from vezaflow.plan.bodies import Multipart, Prepared, size_of
from vezaflow.plan.compiled import UNKNOWN, Constant, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.outgoing import Outgoing
from vezaflow.plan.refused import RequestError, one_line, refuse
from vezaflow.plan.rendering import render
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.targets import Target
from vezaflow.protocols import Body, ErrorKind
from vezaflow.syntax import Expression, Template

Text = Callable[[Scope], str]
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})  # these say Content-Length: 0 when they have none
# Headers that are for the origin that they were written for. Authorization and Cookie as in every client; the others
# by the words that credentials' names are made of.
_CREDENTIAL = re.compile(
    r"auth|cookie|token|secret|passw|session|credential|signature|csrf|xsrf"
    r"|(api|access|app|client|private|subscription)[-_]?key|^(x-)?key$",
    re.IGNORECASE,
)


class HeadPlanner:
    """Plans the header lines of one flow's requests."""

    def __init__(self, compiler: Compiler, diagnostics: Diagnostics) -> None:
        self._compiler = compiler
        self._diagnostics = diagnostics

    def lines(self, options: RequestDefaults, body: Prepared) -> Text:
        """The head's lines after the first, without Content-Length, and without Host unless the author writes one."""
        lines: dict[str, tuple[str, Evaluate]] = {
            "user-agent": ("User-Agent", Constant(f"vezaflow/{__version__}")),
            "accept": ("Accept", Constant("*/*")),
        }
        if body.content_type:
            lines["content-type"] = ("Content-Type", Constant(body.content_type))
        if options.auth is not None and (credentials := self._credentials(options.auth)) is not None:
            lines["authorization"] = ("Authorization", credentials)
        for name, value in options.headers:
            lines[name.lower()] = (name, self._value(name, value, body))
        return _joined(lines.values())

    def _credentials(self, auth: Auth) -> Evaluate | None:
        if auth.bearer is not None:
            token = self._line(self._compiler.text(auth.bearer), auth.span)
            if isinstance(token, Constant):
                return Constant(f"Bearer {token.value}")
            return lambda scope: f"Bearer {token(scope)}"
        if auth.user is None or auth.password is None:
            return None
        user, password = self._compiler.text(auth.user), self._compiler.text(auth.password)

        def basic(scope: Scope) -> str:
            return authorization(user=user(scope), password=password(scope))

        constant = isinstance(user, Constant) and isinstance(password, Constant)
        return Constant(basic(None)) if constant else basic  # type: ignore[arg-type]

    def _value(self, name: str, written: Expression, body: Prepared) -> Evaluate:
        """A header's value; null where the author's value is, which leaves the header out."""
        if isinstance(written, Template):
            line = self._line(self._compiler.text(written), written.span)
        else:
            value = self._compiler.texts(written)
            if isinstance(value, Constant):
                known = value.value if value.value is None or value.value is UNKNOWN else render(value.value)
                line = self._line(Constant(known), written.span)
            else:
                line = self._line(_unless_null(value, written.span), written.span)
        if name.lower() != "content-type" or not body.boundary:
            return line
        bounded = partial(_with_boundary, boundary=body.boundary, span=written.span)
        if not isinstance(line, Constant):
            return lambda scope: bounded(line(scope))
        if line.value is UNKNOWN:
            return line
        try:
            return Constant(bounded(line.value))
        except RequestError as e:
            refuse(e, self._diagnostics)
            return line

    def _line(self, text: Evaluate, span: Span) -> Evaluate:
        def line(scope: Scope) -> str | None:
            value: str | None = text(scope)
            return value if value is None else one_line(value, span)

        if not isinstance(text, Constant) or text.value is UNKNOWN:
            return text if isinstance(text, Constant) else line
        try:
            return Constant(line(None))  # type: ignore[arg-type]
        except EvaluationError as e:
            self._diagnostics.error("VF705", span, e.message)
            return Constant("")


def head_of(target: Target, body: Body, lines: str, method: str, prepared: Prepared) -> Outgoing:
    """A request with its whole head."""
    if type(body) is Multipart:  # another boundary than the usual one
        lines = lines.replace(prepared.boundary, body.boundary, 1)
    host = "" if "\r\nhost:" in f"\r\n{lines}".lower() else f"Host: {target.origin.authority}\r\n"
    head = f"{method} {target.target} HTTP/1.1\r\n{host}{lines}{_length(body, method)}\r\n"
    return Outgoing(target, head.encode(), body)


def moved(sent: Outgoing, target: Target, *, to_get: bool, span: Span, is_secret: Callable[[bytes], bool]) -> Outgoing:
    """The request that was sent, on its way to another target: the same method, body and headers, or a GET without a
    body (RFC 9110, 15.4). To another origin it goes without credentials; raises RequestError where its body is one."""
    first, *lines = sent.head[:-4].decode().split("\r\n")
    method = first.partition(" ")[0]
    away = target.origin != sent.target.origin
    body = None if to_get else sent.body
    if away:
        if isinstance(body, bytes | tuple) and any(is_secret(bytes(piece)) for piece in _small(body)):
            place = target.origin.authority
            raise RequestError(
                f"the redirect leads to another origin, {place}, and the body contains a secret", span, ErrorKind.GUARD
            )
        lines = [line for line in lines if not _is_bound(line, is_secret)]
        lines.insert(0, f"Host: {target.origin.authority}")
    if to_get:
        lines = [line for line in lines if not line.lower().startswith("content-")]
        method = "HEAD" if method == "HEAD" else "GET"
    head = "\r\n".join((f"{method} {target.target} HTTP/1.1", *lines, "", ""))
    return Outgoing(target, head.encode(), body)


def _is_bound(line: str, is_secret: Callable[[bytes], bool]) -> bool:
    """Whether a header is for the origin that it was written for."""
    name, _, value = line.partition(":")
    return name.lower() == "host" or is_credential(name) or is_secret(value.encode())


def authorization(bearer: str = "", user: str = "", password: str = "") -> str:
    """The value of `Authorization` (RFC 6750, RFC 7617); empty without either."""
    if bearer:
        return f"Bearer {bearer}"
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user or password else ""


def is_credential(name: str) -> bool:
    """Whether a header of this name proves who one is."""
    return bool(_CREDENTIAL.search(name))


def _small(body: bytes | tuple[bytes | memoryview, ...]) -> Iterable[bytes]:
    """What was rendered of a body: the bytes of files and generated ones hold no secret."""
    return (piece for piece in ((body,) if isinstance(body, bytes) else body) if isinstance(piece, bytes))


def _with_boundary(value: str | None, boundary: str, span: Span) -> str | None:
    """The author's Content-Type of a multipart body, with its boundary. RequestError where it has one already."""
    if not value or not value.lower().startswith("multipart/"):
        return value
    if "boundary=" in value.lower():
        raise RequestError(
            "vezaflow chooses the boundary of a multipart body so that it does not occur in the content",
            span,
            ErrorKind.EXPRESSION,
            "remove the header, or write it without `boundary=`",
        )
    return f"{value}; boundary={boundary}"


def _unless_null(value: Evaluate, span: Span) -> Evaluate:
    def text(scope: Scope) -> str | None:
        found = value(scope)
        if found is None or type(found) is str:
            return found
        try:
            return render(found)
        except ValueError as e:
            raise EvaluationError(str(e), span) from None

    return text


def _joined(lines: Iterable[tuple[str, Evaluate]]) -> Text:
    lines = tuple(line for line in lines if not (isinstance(line[1], Constant) and line[1].value is None))
    if all(isinstance(value, Constant) for _, value in lines):
        return Constant("".join(f"{name}: {value(None)}\r\n" for name, value in lines))  # type: ignore[arg-type]
    return lambda scope: "".join([f"{name}: {text}\r\n" for name, value in lines if (text := value(scope)) is not None])


def _length(body: Body, method: str) -> str:
    if body is None:
        return "Content-Length: 0\r\n" if method in _WITH_BODY else ""
    return f"Content-Length: {len(body) if isinstance(body, bytes) else size_of(body)}\r\n"
