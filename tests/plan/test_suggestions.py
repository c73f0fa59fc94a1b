"""What a failed extraction suggests instead: what was meant, and what there is."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planned import plan_of

from vezaflow.plan import Chance, Failure, PlannedRequest, ResponseView, Scope, Secrets
from vezaflow.plan.suggestions import MOST_LINES, suggestions_for
from vezaflow.protocols import CookieJar, Exchange, Origin
from vezaflow.syntax import compile_jsonpath

TRACKS = orjson.dumps(
    {"data": [{"id": 7, "titel": "Blue", "artist": {"name": "Nina"}}, {"id": 8}], "next": None, "total": 2}
)
PAGE = b"""<html><body><ul class="tracks"><li class="track-item"><a href="/1" class="link">One</a></li>
<li class="track-item"><a href="/2" class="link">Two</a></li></ul><form id="login"></form></body></html>"""
FEED = b'<rss xmlns="urn:x" xmlns:m="urn:m"><item id="1"><title>One</title><m:size>3</m:size></item></rss>'
MASTER = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=128000\nlow.m3u8\n"


class Jar:
    def __init__(self, *names: str) -> None:
        self.cookies = CookieJar()
        for name in names:
            self.cookies.take(Origin("http", "a", 80), "/", f"{name}=1")


def response(body: bytes = b"", headers: tuple[tuple[str, str], ...] = (), jar: Jar | None = None) -> ResponseView:
    exchange = Exchange()
    exchange.status, exchange.body, exchange.headers = 200, body, list(headers)
    return ResponseView(exchange, "http://a/", jar)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("$.data[0].title", "`$.data[0]` has no 'title': did you mean `$.data[0].titel`?"),
        ("$.data[*].title", "`$.data[*]` has no 'title': did you mean `$.data[*].titel`?"),
        ("$.data.id", "`$.data` is a list of 2: did you mean `$.data[0].id`?"),
        ("$.data[2].id", "`$.data` ends at [1]"),
        ("$.id", "`$` has no 'id': did you mean `$.data[0].id`?"),
        ("$[0].id", "`$` is a mapping, not a list: did you mean `$.data[0].id`?"),
        ("$.next.cursor", "`$.next` is null"),
        ("$.data[0].name", "`$.data[0]` has no 'name': did you mean `$.data[0].artist.name`?"),
        ("$.data[?(@.id > 9)].titel", "did you mean `$.data[*].titel`?"),
        ("$.data[0].track_id", "`$.data[0]` has no 'track_id': did you mean `$.data[0].id`?"),
        ("$.grand_total", "`$` has no 'grand_total': did you mean `$.total`?"),
        ("$.nothing_like_it", "`$` has no 'nothing_like_it'"),
    ],
)
def test_a_path_says_how_far_it_leads_and_which_was_meant(path: str, first: str) -> None:
    assert suggestions_for("json", path, response(TRACKS)).splitlines()[0].startswith(first)


def test_the_paths_that_begin_there_are_listed_with_their_values() -> None:
    assert suggestions_for("json", "$.data[0].title", response(TRACKS)).splitlines()[1:] == [
        "$.data[0].id = 7",
        '$.data[0].titel = "Blue"',
        '$.data[0].artist = {"name":"Nina"}',
        '$.data[0].artist.name = "Nina"',
    ]


@pytest.mark.parametrize(
    ("source", "argument", "given", "lines"),
    [
        ("header", "X-Request-Id", response(headers=(("x-requestid", "1"), ("via", "2"))), [
            "did you mean 'x-requestid'?"]),
        ("header", "etag", response(), []),
        ("link", "nxt", response(headers=(("link", "</b>; rel=next"),)), ["did you mean 'next'?"]),
        ("cookie", "session", response(jar=Jar("sesion", "lang")), [
            "did you mean 'sesion'?", "cookies: lang, sesion"]),
        ("cookie", "session", response(), ["cookies: none"]),
        ("regex", 'name="csrf_token" value="(.+?)"', response(b'<input value="x" name="csrf_token">'), [
            '\'csrf_token\' occurs in <input value="x" name="csrf_token">']),
        ("regex", r"\d+", response(b"\n  one\n\n two \n"), ["the text starts with:", "one", "two"]),
        ("m3u8", "segments", response(MASTER), [
            "this is a master playlist: `m3u8: variants` finds 1, the first is",
            '{"uri":"http://a/low.m3u8","bandwidth":128000,"average_bandwidth":null,"codecs":null,"resolutio…']),
        ("m3u8", "variants", response(b"#EXTM3U\n"), ["the playlist has neither variants nor segments"]),
        ("css", "li.trackitem a", response(PAGE), [
            "did you mean `li.track-item a`?",
            "the document has ul.tracks, li.track-item (2), a.link (2), form"]),
        ("css", "ul.tracks b", response(PAGE), [
            "`ul.tracks` occurs once; it is ul.tracks, li.track-item (2), a.link (2)"]),
        ("css", "#tracks", response(PAGE), [
            "did you mean `.tracks`?", "the document has ul.tracks, li.track-item (2), a.link (2), form"]),
        ("css", "a.link::attr(hrf)", response(PAGE), [
            "did you mean `a.link::attr(href)`?", "`a.link` occurs 2 times, with class, href"]),
        ("css", "a", response(), ["the document has no elements"]),
        ("xpath", "//title", response(FEED), [
            "did you mean `//ns:title`?", "the document has ns:rss, ns:item, ns:title, m:size",
            "and the attributes @id"]),
        ("xpath", "//ns:item/@idd", response(FEED), [
            "did you mean `//ns:item/@id`?", "the document has ns:rss, ns:item, ns:title, m:size",
            "and the attributes @id"]),
        ("xpath", "count(//b)[1]", response(b"<a/>"), ["the document has a"]),
        ("json", "$.a", response(b"<html>"), ["this is HTML, which `css` reads"]),
        ("response", "body", response(), []),
    ],
)  # fmt: skip
def test_what_is_near(source: str, argument: str, given: ResponseView, lines: list[str]) -> None:
    assert suggestions_for(source, argument, given).splitlines() == lines


KEYS = st.sampled_from(["id", "data", "a b", "x-y", "ünï", "0", "a.b", "it's", 'q"', "$", "*", "a]b", "", "new\nline"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(DOCUMENTS, st.sampled_from(["$.id", "$.data[0].id", "$[*].data", "$..nme", "$.data[?(@.id > 3)].nme", "$[3]"]))
def test_every_path_that_is_offered_leads_to_a_value(document: object, path: str) -> None:
    body = orjson.dumps(document)
    if compile_jsonpath(path)(document):
        return
    for line in suggestions_for("json", path, response(body)).splitlines():
        meant = line.partition("did you mean `")[2].removesuffix("`?")
        listed = line.partition(" = ")[0] if line.startswith("$") and " = " in line else ""
        for offered in filter(None, (meant, listed)):
            assert compile_jsonpath(offered)(document), offered


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([
        ("json", "$.a[0].b"), ("css", "ul.a > li:nth-child(2) b::attr(x)"), ("css", "p a"),
        ("xpath", "//a[b='c']/@d"), ("regex", "token=([a-z]+)"), ("m3u8", "variants"), ("header", "x"),
    ]),
    st.binary(max_size=60) | st.sampled_from([TRACKS, PAGE, FEED, MASTER, b"<a\x00b>", b"<" * 5000, b"[" * 900]),
)  # fmt: skip
def test_an_offer_is_a_few_lines_whatever_the_body(asked: tuple[str, str], body: bytes) -> None:
    lines = suggestions_for(*asked, response(body)).splitlines()
    assert len(lines) <= MOST_LINES + 1
    assert all(len(line) <= 120 for line in lines)


WIDE = orjson.dumps({f"k{n}": {f"m{m}": [{"x": m}] for m in range(60)} for n in range(2_000)})


@pytest.mark.parametrize("body", [WIDE, b"<p class='a b'>" * 20_000, b"[" + b"[]," * 300_000 + b"[]]"], ids=len)
def test_an_offer_of_a_huge_body_looks_at_the_begin_of_it(body: bytes) -> None:
    source = "css" if body[:1] == b"<" else "json"
    asked = "p.x" if source == "css" else "$.nme"
    assert suggestions_for(source, asked, response(body)).count("\n") <= MOST_LINES


def failure_of(step: str, given: ResponseView) -> Failure:
    use = "  - log: ${found}\n" if "found" in step else ""
    (request, *_) = plan_of(f"steps:\n  - {step}\n{use}").flows[0].steps
    assert isinstance(request, PlannedRequest)
    scope = Scope([None, None], Chance(0), 1)
    scope.response = given
    asked = request.extracts[0] if request.extracts else request.checks[0]
    failure = asked.run(scope)
    assert failure is not None
    return failure


@pytest.mark.parametrize(
    ("step", "help"),
    [
        ("{get: /, extract: {found: $.totl}}", "did you mean `$.total`?"),
        ("{get: /, extract: {found: {json: '$.data[*]', where: id > 9}}}", '{"id":7,"titel":"Blue"'),
        ("{get: /, extract: {found: {json: '$.data[*].id', pick: 3}}}", "7\n8"),
        ("{get: /, expect: {json: {$.totl: 2}}}", "did you mean `$.total`?"),
        ("{get: /, expect: {headers: {etga: x}}}", "did you mean 'etag'?"),
    ],
)
def test_extractions_and_expectations_offer_what_is_there(step: str, help: str) -> None:  # noqa: A002
    assert help in failure_of(step, response(TRACKS, (("etag", "x"),))).suggestions()


@pytest.mark.parametrize(
    "step", ["{get: /, expect: {json: {$.total: 3}}}", "{get: /, expect: {that: 1 == 2}}"], ids=["json", "that"]
)
def test_what_is_there_but_wrong_needs_no_offer(step: str) -> None:
    assert failure_of(step, response(TRACKS)).suggestions() == ""


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("token is s3cret-value.", "token is •••."),
        ("token is s3cret-v…", "token is •••…"),
        ("…et-value, and more", "…•••, and more"),
        ("…et-value and s3cret… s3c…", "…••• and •••… s3c…"),
        ("no more than …", "no more than …"),
    ],
)
def test_a_secret_that_was_cut_is_masked_too(text: str, masked: str) -> None:
    assert Secrets.of(["s3cret-value"]).mask(text) == masked


def test_no_offer_is_made_where_a_default_stands_in() -> None:
    step = "{get: /, extract: {found: {json: $.totl, default: 1}}}"
    (request, _) = plan_of(f"steps:\n  - {step}\n  - log: ${{found}}\n").flows[0].steps
    assert isinstance(request, PlannedRequest)
    scope = Scope([None], Chance(0), 1)
    scope.response = response(TRACKS)
    assert request.extracts[0].run(scope) is None
    assert scope.slots == [1]


@pytest.mark.parametrize(
    ("source", "argument", "body", "suggestion"),
    [
        ("json", "$.a", b"<!DOCTYPE html><p>502", "this is HTML, which `css` reads"),
        ("xpath", "//a", b"\n<html><br></html>", "this is HTML, which `css` reads"),
        ("json", "$.a", b"<feed/>", "this looks like XML, which `xpath` reads"),
        ("xpath", "//a", b'{"a": 1}', "this looks like JSON, which a path such as `$.name` reads"),
        ("json", "$.a", b"plain text", ""),
    ],
)
def test_a_body_of_another_kind_names_its_extractor(source: str, argument: str, body: bytes, suggestion: str) -> None:
    assert suggestions_for(source, argument, response(body)) == suggestion


def test_fields_of_a_form_are_listed_by_their_names() -> None:
    page = b'<form><input name="csrf_token" value="1"><select name="size"></select></form>'
    assert "input[name=csrf_token], select[name=size]" in suggestions_for("css", "#token", response(page))
