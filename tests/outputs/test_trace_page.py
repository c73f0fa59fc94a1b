"""The page of a trace: its structure, that it stands alone, and that nothing gets into it unmasked or unescaped.

`PYTHONPATH=tests/support python tests/outputs/test_trace_page.py` writes the golden structure anew, to be read by eye.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

from planned import plan_of

from vezaflow.diagnostics import Diagnostic, Severity
from vezaflow.metrics import Phase
from vezaflow.outputs import Traced, TracedRequest, Tried, trace_page
from vezaflow.outputs.traced import Timing, TracedFailure, TracedMessage, TracedResponse, TracedValues
from vezaflow.plan import PlannedRequest, Secrets

GOLDEN = Path(__file__).parent / "golden" / "trace_page.txt"
FLOW = """
steps:
  - post: /things
    name: things <&>
    json: {a: 1}
"""
(STEP,) = plan_of(FLOW).flows[0].steps
assert isinstance(STEP, PlannedRequest)
TIMING = Timing(0.001, 0.002, 0.0, 0.001, 0.009, 0.002)
GOOD = TracedRequest(
    phase=Phase.ITERATION,
    name=STEP.name,
    span=STEP.span,
    included=(),
    turn=1,
    outgoing=STEP.prepare(None),  # type: ignore[arg-type]  # it is constant
    sent=None,
    response=TracedResponse(200, (("x-answer", "yes"), ("set-cookie", "sid=1")), b'{"b":[2]}', TIMING),
    redirected=False,
    passed=("status",),
    extracted=(("b", [2]),),
    fault=None,
)
FAULT = Diagnostic("VF601", Severity.ERROR, "the status is 503, not 200", STEP.span)
BAD = replace(GOOD, turn=2, response=TracedResponse(503, (), b"<script>", TIMING), passed=(), extracted=(), fault=FAULT)
LOST = replace(GOOD, phase=Phase.FINALLY, response=None, passed=(), extracted=(), fault=FAULT)
EVENTS = (
    TracedMessage(Phase.SETUP, "think 1 s"),
    GOOD,
    BAD,
    TracedValues(Phase.ITERATION, (("name", "value"),)),
    TracedFailure(Phase.ITERATION, "", None, (), FAULT),
    LOST,
)
TRIED = Tried(
    "suite", "flow", "What it does.", datetime(2026, 11, 24, tzinfo=UTC), (("BASE_URL", "http://x"),), "1 & 2", False
)
EMPTY = ("meta", "link", "br", "img", "input", "hr")


class Outline(HTMLParser):
    """A page as lines: each element with its class, set in, and its text; elements that are left open are a fault."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = [
            f"{name}={value}" if value else name for name, value in attrs if name in ("class", "id", "open", "href")
        ]
        self.lines.append("  " * len(self._open) + " ".join((tag, *shown)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self._open[-1] != "style":
            self.lines += ["  " * len(self._open) + f"| {line}" for line in data.strip("\n").split("\n")]


def page(*events: Traced, secrets: tuple[str, ...] = ()) -> str:
    return trace_page(TRIED, events, Secrets.of(secrets).mask)


def structure() -> str:
    lines = Outline(re.sub(r"vezaflow[ /][0-9.]+", "vezaflow", page(*EVENTS))).lines
    return "".join(f"{line}\n" for line in lines)


def test_the_page_has_the_structure_that_it_should() -> None:
    assert structure() == GOLDEN.read_text(encoding="utf-8")


def test_nothing_is_fetched_and_nothing_runs() -> None:
    text = page(*EVENTS)
    assert "default-src 'none'" in text
    assert not re.search(r"<(script|link|img|iframe|object|embed)\b|\b(src|srcset|onclick)=|@import|url\(", text)
    assert set(re.findall(r'href="([^"]*)"', text)) == {"#r1", "#r2", "#r3"}


def test_secrets_are_masked_wherever_they_stand() -> None:
    secret = "p<ss&word"
    told = TracedMessage(Phase.ITERATION, f"it is {secret}")
    given = TracedValues(Phase.ITERATION, (("copy", [secret]),))
    assert GOOD.response is not None
    body = secret.encode() + b"x" * 40_000 + secret.encode()
    kept = replace(GOOD, name=secret, response=replace(GOOD.response, headers=(("a", secret),), body=body))
    cut = replace(kept, response=replace(GOOD.response, body=b"x" * (32 * 1024 - 5) + secret.encode() + b"y" * 9))
    text = page(told, given, kept, cut, secrets=(secret,))
    assert "•••" in text
    assert not re.search(r"p(<|&lt;|\\u003c)s", text)


def test_the_page_holds_no_character_that_xml_refuses_and_none_that_turns_its_text() -> None:
    odd = "".join(map(chr, (*range(32), *range(127, 160), 0x202E, 0xD800, 0xFFFE, 0xFFFF)))
    assert GOOD.response is not None
    response = replace(GOOD.response, headers=((odd, odd),), body=b"a\tb\r\nc\x1b")
    text = page(
        TracedMessage(Phase.ITERATION, odd),
        TracedValues(Phase.ITERATION, ((odd, [odd]),)),
        replace(GOOD, name=odd, response=response),
    )
    assert re.findall("[^\t\n\x20-\x7e\xa0-\u2027\u2030-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text) == []
    assert "a\tb\nc␛" in text


def test_the_page_is_bounded() -> None:
    assert GOOD.response is not None
    large = replace(GOOD, response=replace(GOOD.response, body=b"x" * (1 << 20)))
    text = page(*[large] * 300, *[TracedMessage(Phase.ITERATION, "on")] * 5_000)
    assert len(text) < 8 << 20
    assert "1 MiB in all" in text
    assert "left out: the page is full" in text
    assert "… and 3,300 more" in text


def test_of_many_requests_only_what_failed_is_open() -> None:
    opened = [line for line in Outline(page(*[GOOD] * 20, BAD)).lines if "details" in line and " open" in line]
    assert [line.strip() for line in opened] == ["details class=card bad id=r21 open"]


if __name__ == "__main__":
    GOLDEN.write_text(structure(), encoding="utf-8")
