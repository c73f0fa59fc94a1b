"""The part of a forge's API that has comments of pull requests, as GitHub and as Forgejo have it.

Strict: a path, a method, a header or a body that is not right is an error of the test. GitHub pages its comments,
Forgejo gives all of them whatever page is asked for.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from served import QuietHandler, served

from vezaflow.project import Forge

REPOSITORY = "someone/shop"
TOKEN = "t0ken-of-the-job"
NUMBER = 17
_PREFIX = {Forge.GITHUB: "", Forge.FORGEJO: "/api/v1"}


@dataclass
class ForgeApi:
    """`comments`: bodies by their ids; `refuses`: the status of each response, if none is to be right."""

    forge: Forge
    url: str = ""
    refuses: int = 0
    comments: dict[int, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # methods
    wrong: list[str] = field(default_factory=list)

    def environment(self, folder: Path, event: str | None = None) -> dict[str, str]:
        """What a runner sets of a workflow that a pull request started, or another event."""
        document = {"action": "synchronize", "number": NUMBER, "pull_request": {"number": NUMBER}}
        path = folder / "event.json"
        path.write_text(json.dumps(document) if event is None else event)
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_EVENT_PATH": str(path)}


@contextmanager
def forge_api(forge: Forge, refuses: int = 0) -> Iterator[ForgeApi]:
    """A server that plays it, on the loopback."""
    api = ForgeApi(forge, refuses=refuses)
    prefix = f"{_PREFIX[forge]}/repos/{REPOSITORY}"

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self._called()

        def do_POST(self) -> None:
            self._called()

        def do_PATCH(self) -> None:
            self._called()

        def _called(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            api.asked.append(self.command)
            if api.refuses:
                self._respond(api.refuses, {"message": "no"})
                return
            if self.headers["Authorization"] != f"token {TOKEN}":
                self._respond(401, {"message": "Bad credentials"})
                return
            parts = urlsplit(self.path)
            if self.command == "GET" and parts.path == f"{prefix}/issues/{NUMBER}/comments":
                self._respond(200, self._listed(parse_qs(parts.query)))
            elif self.command == "POST" and parts.path == f"{prefix}/issues/{NUMBER}/comments":
                self._kept(201, max(api.comments, default=100) + 1, body)
            elif self.command == "PATCH" and (found := re.fullmatch(rf"{prefix}/issues/comments/(\d+)", parts.path)):
                assert int(found[1]) in api.comments
                self._kept(200, int(found[1]), body)
            else:
                api.wrong.append(f"{self.command} {self.path}")
                self._respond(404, {"message": "Not Found"})

        def _listed(self, query: dict[str, list[str]]) -> list[dict[str, object]]:
            shown = [_shown(number, body) for number, body in api.comments.items()]
            if forge is Forge.FORGEJO:
                return shown
            page, size = int(query["page"][0]), int(query["per_page"][0])
            return shown[(page - 1) * size : page * size]

        def _kept(self, status: int, number: int, body: object) -> None:
            if not isinstance(body, dict) or set(body) != {"body"} or len(body["body"]) > 65_536:
                api.wrong.append(f"{self.command} {self.path}: {str(body)[:200]}")
                self._respond(422, {"message": "Validation Failed"})
                return
            api.comments[number] = body["body"]
            self._respond(status, _shown(number, body["body"]))

        def _respond(self, status: int, document: object) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with served(Handler) as port:
        api.url = f"http://127.0.0.1:{port}{_PREFIX[forge]}"
        yield api
    assert api.wrong == []


def _shown(number: int, body: str) -> dict[str, object]:
    return {"id": number, "body": body, "html_url": f"https://forge.example.org/{REPOSITORY}/comments/{number}"}
