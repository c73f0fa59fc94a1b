"""Request bodies, prepared: what is constant is made once and shared by every VU, what varies is rendered.

Large bytes are never copied: a body is None, bytes, or a tuple of pieces that go to the kernel as they are.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, assert_never
from urllib.parse import quote, urlencode

import orjson

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import Body, BodyKind, Expression, FileBytes, GeneratedBytes, Part
from vezaflow.plan.evaluate import Compiler, Constant, render
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.statics import Statics
from vezaflow.protocols import Body as Payload

Render = Callable[[Scope], Payload]


class Prepared(NamedTuple):
    """The callable that makes a body, its Content-Type ('' where there is none), and its bytes at least."""

    render: Render
    content_type: str
    least: int


class BodyCompiler:
    """Prepares bodies; one for a suite, so that equal bytes are one object in memory."""

    def __init__(self, root: Path, seed: int, diagnostics: Diagnostics) -> None:
        self._root = root.resolve()
        self._diagnostics = diagnostics
        self._seed = seed
        self._generated: dict[int, memoryview] = {}
        self._files: dict[Path, memoryview] = {}
        self._boundary = "vezaflow-" + hashlib.sha256(str(seed).encode()).hexdigest()[:24]

    def body(self, body: Body | None, compiler: Compiler) -> Prepared:
        """The body, prepared."""
        if body is None:
            return Prepared(Constant(None), "", 0)
        content: Any = body.content
        match body.kind:
            case BodyKind.JSON:
                return _prepared(self._json(content, compiler, body.span), "application/json")
            case BodyKind.FORM:
                return _prepared(self._form(content, compiler), "application/x-www-form-urlencoded")
            case BodyKind.TEXT:
                return _prepared(self._text(content, compiler), "text/plain; charset=utf-8")
            case BodyKind.BYTES | BodyKind.FILE:
                view = self._shared(content, compiler)
                return _prepared(Constant((view,) if len(view) else None), "application/octet-stream")
            case BodyKind.MULTIPART:
                return self._multipart(content, compiler)
        assert_never(body.kind)

    def _json(self, tree: Any, compiler: Compiler, span: Span) -> Render:
        build = compiler.tree(tree)
        if isinstance(build, Constant):
            return Constant(orjson.dumps(build.value))

        def dump(scope: Scope) -> bytes:
            value = build(scope)
            try:
                return orjson.dumps(value)
            except TypeError as e:
                raise EvaluationError(f"this can't be written as JSON: {e}", span) from None

        return dump

    def _form(self, pairs: Any, compiler: Compiler) -> Render:
        values = tuple((name, compiler.text(value)) for name, value in pairs)
        if all(isinstance(value, Constant) for _, value in values):
            return Constant(urlencode([(n, v(None)) for n, v in values]).encode())  # type: ignore[arg-type]
        return lambda scope: urlencode([(name, value(scope)) for name, value in values]).encode()

    def _text(self, content: Any, compiler: Compiler) -> Render:
        text = compiler.text(content)
        if isinstance(text, Constant):
            return Constant(text.value.encode())
        return lambda scope: text(scope).encode()

    def _shared(self, content: GeneratedBytes | FileBytes, compiler: Compiler) -> memoryview:
        if isinstance(content, GeneratedBytes):
            size = Statics(compiler, self._diagnostics).size(content.size)
            if size not in self._generated:
                self._generated[size] = memoryview(Random(self._seed).randbytes(size))
            return self._generated[size]
        return self.file(content.path, compiler)

    def file(self, written: Expression, compiler: Compiler) -> memoryview:
        """The bytes of a file in the suite's folder; none, with a diagnostic, where it can't be read."""
        name, span = Statics(compiler, self._diagnostics).text(written), written.span
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            self._diagnostics.error("VF703", span, f"'{name}' leaves the suite's folder")
            return memoryview(b"")
        if path not in self._files:
            try:
                self._files[path] = memoryview(path.read_bytes())
            except OSError as e:
                self._diagnostics.error("VF703", span, f"'{name}' can't be read: {e.strerror}")
                return memoryview(b"")
        return self._files[path]

    def _multipart(self, parts: tuple[Part, ...], compiler: Compiler) -> Prepared:
        """RFC 7578: each part is a rendered head, then its content, untouched where it is shared bytes."""
        pieces: list[Render] = []
        for index, part in enumerate(parts):
            pieces.append(self._part_head(part, compiler, first=index == 0))
            if isinstance(part.content, GeneratedBytes | FileBytes):
                pieces.append(Constant(self._shared(part.content, compiler)))
            else:
                pieces.append(self._text(part.content, compiler))
        pieces.append(Constant(f"\r\n--{self._boundary}--\r\n".encode()))
        content_type = f"multipart/form-data; boundary={self._boundary}"
        least = sum(len(piece.value) for piece in pieces if isinstance(piece, Constant))
        if all(isinstance(piece, Constant) for piece in pieces):
            return Prepared(Constant(tuple(piece(None) for piece in pieces)), content_type, least)  # type: ignore[arg-type]
        return Prepared(lambda scope: tuple(piece(scope) for piece in pieces), content_type, least)  # type: ignore[misc]

    def _part_head(self, part: Part, compiler: Compiler, *, first: bool) -> Render:
        is_file = not isinstance(part.content, GeneratedBytes | FileBytes)
        filename = compiler.text(part.filename) if part.filename is not None else None
        if filename is None and not is_file:
            filename = Constant(part.name)
        content_type = compiler.text(part.content_type) if part.content_type is not None else None
        if content_type is None and filename is not None:
            content_type = Constant("application/octet-stream")
        opening = (
            "" if first else "\r\n"
        ) + f'--{self._boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"'

        def head(scope: Scope) -> bytes:
            text = opening
            if filename is not None:
                text += f'; filename="{_quoted(filename(scope))}"'
            if content_type is not None:
                text += f"\r\nContent-Type: {_one_line(content_type(scope))}"
            return (text + "\r\n\r\n").encode()

        constant = all(x is None or isinstance(x, Constant) for x in (filename, content_type))
        return Constant(head(None)) if constant else head  # type: ignore[arg-type]


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


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def query_text(name: str, value: Any) -> str:
    """`name=value` as it stands in a URL: a list repeats the name, null leaves it out."""
    if value is None:
        return ""
    key = quote(name, safe="")
    values = value if isinstance(value, list | tuple) else (value,)
    return "&".join(f"{key}={quote(render(v), safe='')}" for v in values)
