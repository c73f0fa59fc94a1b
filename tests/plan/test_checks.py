"""Expectations: what each says of an response that is right, and of one that is not."""

from collections.abc import Callable
from pathlib import Path
from time import time

import pytest
from planned import SUITE, plan_of, plan_or_faults

from vezaflow.plan import Chance, PlannedRequest, ResponseView, Scope
from vezaflow.protocols import CookieJar, Exchange, Want

TRACKS = b'{"data": [{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}]}'
SCHEMA = "{type: object, properties: {data: {type: array, items: {properties: {id: {type: integer}}}}}}"


Headers = tuple[tuple[str, str], ...]


class Client:
    """As much of a client as an response asks for."""

    cookies = CookieJar()

    def __init__(self, days: float | None) -> None:
        self.days = days

    def certificate_ends(self) -> float | None:
        return None if self.days is None else time() + self.days * 86_400


def planned(expect: str, root: Path = Path("suite")) -> PlannedRequest:
    (request,) = (
        plan_of(f"load: {{vus: 1, duration: 1s}}\nsteps: [{{get: /, expect: {expect}}}]", root=root).flows[0].steps
    )
    assert isinstance(request, PlannedRequest)
    return request


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., str]:
    """What is wrong with an response by an expectation; empty if nothing is."""

    def said(expect: str, body: bytes = TRACKS, days: float | None = None, headers: Headers = ()) -> str:
        exchange = Exchange()
        exchange.headers = list(headers)
        exchange.status, exchange.body = 200, body
        exchange.ended = 0.25
        scope = Scope([], Chance(0), 1)
        scope.response = ResponseView(exchange, "http://a/", Client(days))  # type: ignore[arg-type]
        failures = [check.run(scope) for check in planned(expect, tmp_path).checks]
        return "; ".join(failure.message for failure in failures if failure is not None)

    return said


@pytest.mark.parametrize(
    "expect",
    [
        "{duration: < 300 ms}",
        "{duration: 100 ms..250 ms}",
        "{size: 10 B..1 KiB}",
        '{size: "> 10 B"}',
        f"{{schema: {SCHEMA}}}",
    ],
)
def test_a_right_answer_passes(expect: str, judge: Callable[..., str]) -> None:
    assert judge(expect) == ""


@pytest.mark.parametrize(
    ("expect", "body", "words"),
    [
        ("{duration: < 200 ms}", TRACKS, "expected duration < 200 ms, got 250 ms"),
        ("{size: 1 KiB..2 MiB}", TRACKS, "expected size 1 KiB..2 MiB, got 62 B"),
        (f"{{schema: {SCHEMA}}}", b'{"data": [{"id": 1}, {"id": "x"}]}', '$.data[1].id: "x" is not of type "integer"'),
        (f"{{schema: {SCHEMA}}}", b"<html>", "the body is not valid JSON"),
        ("{schema: {type: object}}", b"[" * 900 + b"]" * 900, "$: the schema can't be evaluated here"),
        ("{schema: {format: uuid}}", b'"x"', '"x" is not a "uuid"'),
    ],
)
def test_a_wrong_answer_is_described(expect: str, body: bytes, words: str, judge: Callable[..., str]) -> None:
    assert words in judge(expect, body)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (30, ""),
        (7, "expected certificate > 14d, got valid for 7d"),
        (-2, "expired"),
        (None, "no certificate to check"),
    ],
)
def test_a_certificate_has_to_be_good_for_a_while(days: float | None, words: str, judge: Callable[..., str]) -> None:
    said = judge('{certificate: "> 14d"}', days=days)
    assert words in said
    assert bool(said) == bool(words)


def test_a_schema_may_stand_in_a_file(tmp_path: Path, judge: Callable[..., str]) -> None:
    (tmp_path / "tracks.json").write_text('{"required": ["total"]}', encoding="utf-8")
    assert '"total" is a required property' in judge("{schema: tracks.json}")


@pytest.mark.parametrize(
    "text", ["{", '{"type": 5}', '{"$ref": "http://127.0.0.1:9/a.json"}', '{"$ref": "file:///etc/passwd"}']
)
def test_a_file_that_holds_no_schema_stops_the_plan(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    plan, diagnostics = plan_or_faults("steps: [{get: /, expect: {schema: bad.json}}]", suite=SUITE, root=tmp_path)
    assert plan is None
    assert [d.code for d in diagnostics] == ["VF703"]


@pytest.mark.parametrize(
    ("expect", "want"),
    [
        ("{duration: < 1 s}", Want.NOTHING),
        ('{certificate: "> 1d"}', Want.NOTHING),
        ("{size: < 1 MiB}", Want.BODY),
        ("{schema: {type: object}}", Want.BODY),
        ("{headers: {etag: {exists: true}}}", Want.HEADERS),
    ],
)
def test_nothing_is_kept_that_no_expectation_reads(expect: str, want: Want) -> None:
    assert planned(expect).options.want == want | Want.COOKIES


LINES = (
    ("cache-control", "no-cache"),
    ("cache-control", "private"),
    ("set-cookie", "a=1; Expires=Sun, 06 Nov 2094 08:49:37 GMT"),
    ("set-cookie", "b=2"),
)


@pytest.mark.parametrize(
    "expect",
    [
        "{headers: {cache-control: {contains: private}}}",
        "{headers: {cache-control: {contains: no-cache}}}",
        "{headers: {Cache-Control: 'no-cache, private'}}",
        "{headers: {cache-control: {matches: '^no-cache, private$'}}}",
        "{headers: {set-cookie: {contains: 'b=2'}}}",
        "{headers: {set-cookie: {matches: '(?m)^b='}}}",
        '{that: \'contains(header("cache-control"), "private")\'}',
        '{that: \'len(split(header("set-cookie"), "\\n")) == 2\'}',
        "{that: 'header(\"vary\") == null'}",
    ],
)
def test_all_lines_of_a_header_are_looked_at(judge: Callable[..., str], expect: str) -> None:
    assert judge(expect, headers=LINES) == ""


@pytest.mark.parametrize(
    "expect", ["{body: {contains: Café}}", "{body: {matches: '^Café$'}}", "{that: 'body() == \"Café\"'}"]
)
def test_a_body_is_read_in_its_charset(judge: Callable[..., str], expect: str) -> None:
    headers = (("content-type", "text/plain; charset=iso-8859-1"),)
    assert judge(expect, "Café".encode("latin-1"), headers=headers) == ""
    assert judge(expect, b"\xef\xbb\xbf" + "Café".encode()) == ""


def test_a_whole_number_of_any_length_is_compared_by_all_of_its_digits(judge: Callable[..., str]) -> None:
    body = b'{"big": 12345678901234567890123}'
    assert judge("{json: {$.big: 12345678901234567890123}}", body) == ""
    assert "to be 12345678901234567890124, got 12345678901234567890123" in judge(
        "{json: {$.big: 12345678901234567890124}}", body
    )
    assert judge("{schema: {properties: {big: {type: integer, minimum: 12345678901234567890123}}}}", body) == ""
    assert judge("{schema: {properties: {big: {type: integer, minimum: 12345678901234567890124}}}}", body) != ""
