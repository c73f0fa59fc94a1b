"""The trace of `try`: what the observer makes of exchanges, and how it is drawn."""

from typing import Any

import pytest
from planned import plan_of

from vezaflow import __version__
from vezaflow.outputs import Trace, TraceLines
from vezaflow.outputs.traced import TracedRequest, readable
from vezaflow.plan import Outgoing, PlannedRequest, Secrets
from vezaflow.protocols import Exchange

FLOW = 'steps: [{get: /things, name: things, query: {q: "${env.TOKEN ?? 1}"}}]'


def exchange(body: bytes = b"", status: int = 200, **headers: str) -> Exchange:
    e = Exchange()
    e.status, e.body, e.headers = status, body, list(headers.items())
    e.sent, e.first, e.ended = 0.001, 0.011, 0.012
    return e


def drawn(
    e: Exchange, *, extracted: dict[str, Any] | None = None, secrets: tuple[str, ...] = (), **look: Any
) -> list[str]:
    lines: list[str] = []
    trace = Trace(TraceLines(lines.append, Secrets.of(secrets), color=False, **look))
    request, outgoing = asked()
    trace.answered(request, outgoing, e, None, extracted or {}, ())
    return lines


def asked() -> tuple[PlannedRequest, Outgoing]:
    (request,) = plan_of(FLOW).flows[0].steps
    assert isinstance(request, PlannedRequest)
    return request, request.prepare(None)  # type: ignore[arg-type]  # it is constant


def test_a_request_reads_as_meant() -> None:
    assert drawn(exchange(b'{"a":[1]}', x="y"), extracted={"a": [1]}) == [
        "▶ things  suite/flow.yml:1",
        "  GET http://127.0.0.1:1/things?q=1",
        "  › Host: 127.0.0.1:1",
        f"  › User-Agent: vezaflow/{__version__}",
        "  › Accept: */*",
        "  200 OK   12 ms (first byte after 11 ms), 9 B",
        "  ‹ x: y",
        "    {",
        '      "a": [',
        "        1",
        "      ]",
        "    }",
        "  ✓ status",
        "  a = [1]",
        "",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_of_an_answer_is_wider_than_the_terminal(width: int) -> None:
    wide = exchange(b"x" * 500 + b"\n" + b"y" * 200, header="z" * 300)
    lines = drawn(wide, extracted={"value": "v" * 400}, width=width)
    assert max(map(len, lines)) == width
    assert sum(len(line) == width for line in lines) == 4


def test_full_cuts_nothing() -> None:
    body = "\n".join(f"line {n} {'x' * 150}" for n in range(50))
    lines = drawn(exchange(body.encode()), extracted={"value": "v" * 400}, full=True)
    assert [line[4:] for line in lines if line.startswith("    line")] == body.splitlines()
    assert f'  value = "{"v" * 400}"' in lines


def test_a_body_can_not_steer_the_terminal() -> None:
    lines = drawn(exchange(b"\x1b]0;title\x07\x9b\xc2\x9b31m", evil="\x1b[2J"), extracted={"value": "\x1b[31m"})
    assert not any(c in "".join(lines) for c in "\x1b\x07\x9b")


def test_secrets_are_masked_also_where_a_line_is_cut() -> None:
    lines = drawn(exchange(b"a" * 90 + b"hunter2-hunter2"), secrets=("hunter2-hunter2",), width=100)
    assert "hunter" not in "".join(lines)


def test_credentials_are_never_shown() -> None:
    assert "  ‹ set-cookie: •••" in drawn(exchange(b"", 200, **{"set-cookie": "session=1234"}))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"a":1}', '{\n  "a": 1\n}'),
        (b"{not json", "{not json"),
        (b"\x00\x01", None),
        (b"\xff\xfe", None),
        ("é".encode(), "é"),
    ],
)
def test_a_body_is_read_as_what_it_is(body: bytes, text: str | None) -> None:
    assert readable(body) == text


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"caf\xe9", "text/plain; charset=iso-8859-1", "café"),
        (b"<meta charset=latin1>caf\xe9", "text/html", "<meta charset=latin1>café"),
        (b"\xef\xbb\xbf{}", "application/json", "{}"),
        (b"\x89PNG\xff", "image/png", None),
    ],
)
def test_a_body_is_shown_in_its_charset(body: bytes, content_type: str, text: str | None) -> None:
    assert readable(body, None, (("Content-Type", content_type),)) == text


def test_a_text_that_is_cut_within_a_character_is_still_a_text() -> None:
    assert readable("aé".encode() * 10, 2) == "a"


def test_the_exchange_may_be_used_again_at_once() -> None:
    seen: list[Any] = []
    trace, e = Trace(seen.append), exchange(b"first")
    trace.answered(*asked(), e, None, {}, ())
    e.body, e.status = b"second", 500
    (found,) = seen
    assert isinstance(found, TracedRequest)
    assert found.response is not None
    assert (found.response.status, found.response.body) == (200, b"first")


def test_a_redirect_that_is_followed_is_no_success_yet() -> None:
    lines = drawn(exchange(status=302, location="/there"))
    assert "  redirected" in lines
    assert "  ✓ status" not in lines
