"""A step of the action (action.yml): the page of a run as a comment on the pull request that started the workflow.

    python comment.py ID PAGE [SECONDS]      with INPUT_TOKEN, and what a runner sets (GITHUB_EVENT_PATH and the like)

Laws: one comment for each ID, which is updated by later runs; it is known by a mark on its first line. What stands
against a comment is a warning in the log, and never the end of the job, nor does it take longer than a minute. The
token is in a header alone, and goes to no other server. The API is what GitHub and Forgejo have in common, so that
neither `gh` nor Node is needed. Nothing but the standard library.
"""

import http.client
import json
import os
import re
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import IO, Any

_MOST = 60_000  # characters; GitHub takes 65,536
_PER_PAGE = 100
_MOST_PAGES = 50
_PATIENCE = 20.0  # seconds, for a response to begin
_LONGEST = 60.0  # for all of it, however slow the API is
_CUT = "\n\n… the rest is on the page of the workflow run.\n"
_RIGHTS = (
    "the token may not write comments here: give the job `permissions: {contents: read, pull-requests: write}`; "
    "workflows of pull requests from forks can't have it"
)


def main() -> None:
    name, page = sys.argv[1], Path(sys.argv[2])
    longest = float(sys.argv[3]) if len(sys.argv) > 3 else _LONGEST
    number = _pull_request()
    if number is None:
        sys.stdout.write("no comment: no pull request started this workflow\n")
        return
    asking = threading.Thread(target=_comment, args=(number, name, page), daemon=True)
    asking.start()
    asking.join(longest)
    if asking.is_alive():
        _warn(f"the API can't be used: it takes longer than {longest:g} s")
        sys.stdout.flush()
        os._exit(0)


def _comment(number: int, name: str, page: Path) -> None:
    mark = f"<!-- vezaflow {_unbroken(name)} -->"
    try:
        sys.stdout.write(_put(number, mark, _body(mark, page.read_text(encoding="utf-8"))))
    except urllib.error.HTTPError as e:
        with e:
            _warn(_refusal(e))
    except (OSError, ValueError, LookupError, TypeError, RecursionError, http.client.HTTPException) as e:
        _warn(f"the API can't be used: {e or type(e).__name__}")


def _unbroken(name: str) -> str:
    """On one line, and without what ends a comment of HTML."""
    return re.sub("-(?=-)", "- ", " ".join(name.split()))


def _refusal(error: urllib.error.HTTPError) -> str:
    """Why there is no comment. Both forges say 403 for a token without the right, and GitHub for too many requests."""
    limited = error.headers.get("Retry-After") or error.headers.get("X-RateLimit-Remaining") == "0"
    if error.code == 429 or (error.code == 403 and limited):
        return (
            f"the API has a limit of requests, which this token has reached (status {error.code}): run it again later"
        )
    return _RIGHTS if error.code in (401, 403, 404) else f"the API responds with status {error.code}"


def _pull_request() -> int | None:
    """Its number, from the event that started the workflow."""
    try:
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return int(event["pull_request"]["number"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _body(mark: str, page: str) -> str:
    """The page below its mark. Nobody is notified by a name that stands in an error of the target."""
    text = f"{mark}\n{page}".replace("@", "@\N{ZERO WIDTH SPACE}")
    return text if len(text) <= _MOST else text[:_MOST].rpartition("\n")[0] + _CUT


def _put(number: int, mark: str, body: str) -> str:
    """Update the comment that has the mark, or add one; says which."""
    repository = f"{os.environ['GITHUB_API_URL'].rstrip('/')}/repos/{os.environ['GITHUB_REPOSITORY']}"
    issue = f"{repository}/issues/{number}/comments"
    mine = next((each["id"] for each in _comments(issue) if str(each["body"]).startswith(mark)), None)
    if mine is None:
        return f"commented: {_asked('POST', issue, body)['html_url']}\n"
    return f"updated the comment: {_asked('PATCH', f'{repository}/issues/comments/{mine}', body)['html_url']}\n"


def _comments(issue: str) -> Iterator[dict[str, Any]]:
    """All comments. Forgejo has them on one page, whatever page is asked for."""
    seen: set[int] = set()
    for page in range(1, _MOST_PAGES + 1):
        found = [each for each in _asked("GET", f"{issue}?per_page={_PER_PAGE}&page={page}") if each["id"] not in seen]
        yield from found
        seen.update(each["id"] for each in found)
        if len(found) < _PER_PAGE:
            return


class _Stays(urllib.request.HTTPRedirectHandler):
    """No redirect is followed: it could lead the token elsewhere."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Nowhere, so that the redirect is a status like others."""


_OPENER = urllib.request.build_opener(_Stays)


def _asked(method: str, url: str, body: str | None = None) -> Any:
    """What the API responds, from JSON."""
    request = urllib.request.Request(
        url,
        None if body is None else json.dumps({"body": body}).encode(),
        {
            "Accept": "application/json",
            "Authorization": f"token {os.environ['INPUT_TOKEN']}",
            "Content-Type": "application/json",
            "User-Agent": "vezaflow",
        },
        method=method,
    )
    with _OPENER.open(request, timeout=_PATIENCE) as response:
        return json.load(response)


def _warn(text: str) -> None:
    line = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    sys.stdout.write(f"::warning title=No comment::{line}\n")


if __name__ == "__main__":
    main()
