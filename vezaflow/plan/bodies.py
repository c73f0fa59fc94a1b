"""Request bodies, prepared: what is constant is made once and shared by every VU, what varies is rendered.

Large bytes are never copied: a body is None, bytes, or a tuple of pieces that go to the kernel as they are.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, assert_never
from urllib.parse import urlencode

import orjson

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import Body, FileBytes, FormBody, GeneratedBytes, JsonBody, MultipartBody, Part, Slice, TextBody
from vezaflow.plan.compiled import UNKNOWN, Constant, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.refused import one_line
from vezaflow.plan.rendering import kind_of, render
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.settings import Settings
from vezaflow.plan.uploads import Slices
from vezaflow.protocols import Body as Payload
from vezaflow.syntax import Expression, all_finite, json_bytes

MOST_BYTES = 2 << 30  # of one generated body: it lies in memory

HALF_PAIR = "this text contains an unpaired surrogate, which can't be encoded as UTF-8"
_DRAWN = 1 << 20  # bytes at a time: a large draw takes three times its size while it lasts
Render = Callable[[Scope], Payload]


class Prepared(NamedTuple):
    """The callable that makes a body, its Content-Type ('' where there is none), and its bytes at least. `boundary` is
    that of a multipart body, as the Content-Type has it."""

    render: Render
    content_type: str
    least: int
    boundary: str = ""


class Multipart(tuple[bytes | memoryview, ...]):
    """A multipart body whose content held the usual boundary, with the one that it has instead."""

    boundary: str


class BodyCompiler:
    """Prepares bodies; one for a suite, so that equal bytes are one object in memory."""

    def __init__(self, root: Path, seed: int, diagnostics: Diagnostics) -> None:
        self._root = root.resolve()
        self._diagnostics = diagnostics
        self._seed = seed
        self._generated: dict[int, memoryview] = {}
        self._files: dict[Path, memoryview] = {}
        self._boundary = "vezaflow-" + hashlib.sha256(str(seed).encode()).hexdigest()[:24]

    def body(self, body: Body | None, compiler: Compiler, slices: Slices | None = None) -> Prepared:
        """The body, prepared; `slices`: the parts of the upload that it belongs to."""
        if body is None:
            return Prepared(Constant(None), "", 0)
        match body:
            case JsonBody(value=tree):
                return _prepared(self._json(tree, compiler, body.span), "application/json")
            case FormBody(fields=fields):
                return _prepared(self._form(fields, compiler, body.span), "application/x-www-form-urlencoded")
            case TextBody(text=text):
                return _prepared(self._text(text, compiler), "text/plain; charset=utf-8")
            case GeneratedBytes() | FileBytes():
                view = self.shared(body, compiler)
                return _prepared(Constant((view,) if len(view) else None), "application/octet-stream")
            case MultipartBody(parts=parts):
                return self._multipart(parts, compiler, slices, body.span)
            case Slice():
                assert slices is not None, "only uploads have parts"
                return Prepared(lambda scope: (slices(scope),), "application/octet-stream", slices.least)
            case never:
                assert_never(never)

    def _json(self, tree: Any, compiler: Compiler, span: Span) -> Render:
        build = compiler.tree(tree)
        if isinstance(build, Constant):
            build = compiler.bounded(tree, build)
            assert isinstance(build, Constant), "what is known stays known"
            try:
                return Constant(json_bytes(build.value))
            except TypeError as e:
                self._diagnostics.error("VF302", span, f"not serializable to JSON: {e}")
                return Constant(b"")

        def dump(scope: Scope) -> bytes:
            value = build(scope)
            try:
                text = orjson.dumps(value)
            except TypeError:
                return long(value)
            return long(value) if b"null" in text and not all_finite(value) else text

        def long(value: Any) -> bytes:
            try:
                return json_bytes(value)
            except TypeError as e:
                raise EvaluationError(f"not serializable to JSON: {e}", span) from None

        return dump

    def _form(self, pairs: Any, compiler: Compiler, span: Span) -> Render:
        values = tuple((name, compiler.texts(value)) for name, value in pairs)

        def encode(scope: Scope) -> bytes:
            found = [(name, value(scope)) for name, value in values]
            try:
                return urlencode([(n, text) for n, v in found for text in texts_of(v, f"the form's '{n}'")]).encode()
            except (TypeError, ValueError) as e:
                raise EvaluationError(str(e), span) from None

        if any(isinstance(value, Constant) and value.value is UNKNOWN for _, value in values):
            return Constant(b"")
        return self._known(encode, span) if all(isinstance(value, Constant) for _, value in values) else encode

    def _known(self, render: Render, span: Span) -> Render:
        """A body of which all is known. What can't be sent is reported."""
        try:
            return Constant(render(None))  # type: ignore[arg-type]
        except EvaluationError as e:
            self._diagnostics.error("VF705", e.span, e.message)
        except UnicodeEncodeError:
            self._diagnostics.error("VF705", span, HALF_PAIR)
        return Constant(None)

    def _text(self, content: Any, compiler: Compiler) -> Render:
        text = compiler.text(content)
        if isinstance(text, Constant):
            return self._known(lambda scope: text(scope).encode(), content.span)
        return lambda scope: text(scope).encode()

    def shared(self, content: GeneratedBytes | FileBytes, compiler: Compiler) -> memoryview:
        """Generated bytes, or those of a file: one object, however many ask for them."""
        if isinstance(content, GeneratedBytes):
            size = Settings(compiler, self._diagnostics).size(content.size, most=MOST_BYTES)
            if size not in self._generated:
                self._generated[size] = _generated(size, self._seed)
            return self._generated[size]
        return self.file(content.path, compiler)

    def file(self, written: Expression, compiler: Compiler) -> memoryview:
        """The bytes of a file in the suite's folder; none, with a diagnostic, where it can't be read."""
        name, span = Settings(compiler, self._diagnostics).text(written), written.span
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            self._diagnostics.error("VF703", span, f"'{name}' is outside the suite's folder")
            return memoryview(b"")
        if path not in self._files:
            try:
                self._files[path] = memoryview(path.read_bytes())
            except OSError as e:
                self._diagnostics.error("VF703", span, f"'{name}' can't be read: {e.strerror}")
                return memoryview(b"")
        return self._files[path]

    def _multipart(self, parts: tuple[Part, ...], compiler: Compiler, slices: Slices | None, span: Span) -> Prepared:
        """RFC 7578: each part is a rendered head, then its content, untouched where it is shared bytes."""
        planned = tuple(self._part(part, compiler, slices) for part in parts)
        fixed = [piece for _, content in planned if isinstance(content, Constant) for piece in _contents(content.value)]
        usual = _boundary_beside(self._boundary, [*fixed, *(slices.pieces if slices is not None else ())])

        def render(scope: Scope) -> Payload:
            found = [(head(scope), _contents(content(scope))) for head, content in planned]
            texts = [piece for _, contents in found for piece in contents if isinstance(piece, bytes)]
            boundary = _boundary_beside(usual, texts)
            if boundary == usual:
                return tuple(_framed(found, usual))
            whole = Multipart(_framed(found, boundary))
            whole.boundary = boundary
            return whole

        constant = all(isinstance(head, Constant) and isinstance(content, Constant) for head, content in planned)
        made = self._known(render, span) if constant else render
        least = size_of(made.value) if isinstance(made, Constant) else _least(planned, usual, slices)
        return Prepared(made, f"multipart/form-data; boundary={usual}", least, usual)

    def _part(self, part: Part, compiler: Compiler, slices: Slices | None) -> tuple[Render, Evaluate]:
        """A part's head, and its content: bytes, a list of such, or null, which leaves the part out."""
        head = self._part_head(part, compiler)
        if isinstance(part.content, GeneratedBytes | FileBytes):
            return head, Constant(self.shared(part.content, compiler))
        if isinstance(part.content, Slice):
            assert slices is not None, "only uploads have parts"
            return head, slices
        value, span, what = compiler.texts(part.content), part.content.span, f"the part '{part.name}'"

        def content(scope: Scope) -> list[bytes]:
            try:
                return [text.encode() for text in texts_of(value(scope), what)]
            except UnicodeEncodeError:
                raise EvaluationError(HALF_PAIR, span) from None
            except (TypeError, ValueError) as e:
                raise EvaluationError(str(e), span) from None

        if not isinstance(value, Constant):
            return head, content
        if value.value is UNKNOWN:
            return head, Constant([])
        return head, Constant(self._known(content, span)(None) or [])  # type: ignore[arg-type]

    def _part_head(self, part: Part, compiler: Compiler) -> Render:
        """All of a part's head but the boundary before it."""
        is_file = isinstance(part.content, GeneratedBytes | FileBytes | Slice)
        filename = compiler.text(part.filename) if part.filename is not None else None
        if filename is None and is_file:
            filename = Constant(part.name)
        content_type = compiler.text(part.content_type) if part.content_type is not None else None
        if content_type is None and filename is not None:
            content_type = Constant("application/octet-stream")
        opening = f'Content-Disposition: form-data; name="{_quoted(part.name)}"'

        def head(scope: Scope) -> bytes:
            text = opening
            if filename is not None:
                text += f'; filename="{_quoted(filename(scope))}"'
            if content_type is not None:
                text += f"\r\nContent-Type: {one_line(content_type(scope), part.span)}"
            return (text + "\r\n\r\n").encode()

        constant = all(x is None or isinstance(x, Constant) for x in (filename, content_type))
        return Constant(self._known(head, part.span)(None) or b"") if constant else head  # type: ignore[arg-type]


def _framed(parts: Iterable[tuple[Any, Iterable[bytes | memoryview]]], boundary: str) -> list[bytes | memoryview]:
    """The pieces of a multipart body: a delimiter and a head before each content."""
    # a list: a tuple of a generator is cut to its length, and CPython holds up to 2,000 of each length in reserve
    pieces: list[bytes | memoryview] = []
    delimiter = f"--{boundary}\r\n".encode()
    for head, contents in parts:
        for content in contents:
            pieces += delimiter + head, content
            delimiter = f"\r\n--{boundary}\r\n".encode()
    pieces.append(f"{delimiter[:-2].decode()}--\r\n".encode())
    return pieces


def _least(parts: Iterable[tuple[Render, Evaluate]], boundary: str, slices: Slices | None) -> int:
    """Bytes of a multipart body of which not all is known, at least."""
    known = [
        (
            head.value if isinstance(head, Constant) else b"",
            _contents(content.value) if isinstance(content, Constant) else [b""],
        )
        for head, content in parts
        if isinstance(content, Constant | Slices)
    ]
    return size_of(tuple(_framed(known, boundary))) + (slices.least if slices is not None else 0)


def _contents(value: Any) -> Sequence[bytes | memoryview]:
    return value if isinstance(value, list) else [value]


def _boundary_beside(boundary: str, contents: Iterable[bytes | memoryview]) -> str:
    """A boundary that stands in none of these, the one that is given where that will do."""
    while any(re.search(boundary.encode(), content) for content in contents):
        boundary = "vezaflow-" + hashlib.sha256(boundary.encode()).hexdigest()[:24]
    return boundary


def _generated(size: int, seed: int) -> memoryview:
    """So many random bytes, the same for a seed; a piece at a time, since Python draws no more than 256 MiB at once."""
    random, whole = Random(seed), bytearray(size)
    for start in range(0, size, _DRAWN):
        end = min(size, start + _DRAWN)
        whole[start:end] = random.randbytes(end - start)
    return memoryview(whole).toreadonly()


def _prepared(render: Render, content_type: str) -> Prepared:
    """A body of which all is known, or nothing."""
    return Prepared(render, content_type, size_of(render.value) if isinstance(render, Constant) else 0)


def size_of(body: Payload) -> int:
    """Bytes of a body."""
    if body is None:
        return 0
    return len(body) if isinstance(body, bytes) else sum(len(piece) for piece in body)


def _quoted(text: str) -> str:
    """A name inside the quotes of Content-Disposition, as browsers escape it (WHATWG HTML §4.10.21.8)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def texts_of(value: Any, what: str) -> Iterator[str]:
    """The values of one name in a query, a form or a multipart body: a list has several, null none. TypeError where it
    is no text: `what` is it called."""
    for item in value if isinstance(value, list | tuple) else () if value is None else (value,):
        if isinstance(item, list | tuple | dict):
            raise TypeError(f"{what} is {kind_of(item)}: write its items separately, or as JSON with `json_encode(…)`")
        if item is not None:
            yield render(item)
