"""A server on the loopback that notes what it is asked and answers as a test says: the standard library's."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from served import QuietHandler, served


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False  # until the server is closed


@dataclass
class Listener:
    """`answers` by path, used up one after the other; the last one stays. Without any: 200."""

    url: str
    answers: dict[str, list[Answer]]
    asked: list[Asked] = field(default_factory=list)

    def to(self, path: str) -> list[Asked]:
        return [each for each in self.asked if each.path == path]

    def answer(self, path: str) -> Answer:
        found = self.answers.get(path, [Answer()])
        return found.pop(0) if len(found) > 1 else found[0]


@contextmanager
def listener(tls: ssl.SSLContext | None = None, /, **answers: list[Answer]) -> Iterator[Listener]:
    """The server, while it serves. A path is named without its slash: `hook=[Answer(500)]`."""
    closing = threading.Event()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            here.asked.append(Asked(self.command, self.path, headers, body))
            answer = here.answer(self.path)
            if answer.hangs:
                closing.wait(30)
                return
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def do_PATCH(self) -> None:
            self.do_POST()

    scheme, host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
    with served(Handler, tls) as port:
        here = Listener(f"{scheme}://{host}:{port}", {f"/{path}": list(said) for path, said in answers.items()})
        try:
            yield here
        finally:
            closing.set()
