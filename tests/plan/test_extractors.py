"""Extractions: what each source finds in an response, and what of it is chosen."""

from typing import Any

import pytest
from planned import plan_of

from vezaflow.plan import Chance, Failure, PlannedRequest, ResponseView, Scope
from vezaflow.protocols import Exchange, Want

HTML = b"<ul><li>10 </li><li> 7</li><li>none</li><li>30</li></ul>"
TIMING = {
    "duration": 1.0, "blocked": 0, "connecting": 0, "tls": 0, "sending": 0.25, "waiting": 0.25, "receiving": 0.5,
}  # fmt: skip
HOPS = ({"status": 301, "url": "http://a/1", "location": "/2"}, {"status": 302, "url": "http://a/2", "location": "/3"})


def planned(extract: str, use: str = "${found}") -> PlannedRequest:
    flow = f"""
        load: {{executor: per-vu-iterations, vus: 1, iterations: 1}}
        steps:
          - get: /
            extract:
              found: {extract}
          - log: {use}
    """
    (request, _) = plan_of(flow).flows[0].steps
    assert isinstance(request, PlannedRequest)
    return request


def run(extract: str, body: bytes = HTML, headers: tuple[tuple[str, str], ...] = ()) -> Any:
    """What the extraction gives, or its Failure."""
    request = planned(extract)
    exchange = Exchange()
    exchange.status, exchange.body = 200, body
    exchange.headers = [("etag", "x"), ("link", "</more?p=2>; rel=next"), *headers]
    exchange.started, exchange.sent, exchange.first, exchange.ended = 1.0, 1.25, 1.5, 2.0
    scope = Scope([None], Chance(0), 1)
    scope.response = ResponseView(exchange, "http://a/3", None, HOPS)
    return request.extracts[0].run(scope) or scope.slots[0]


@pytest.mark.parametrize(
    ("extract", "body", "message"),
    [
        ("{json: '$.`sorted`'}", b'[1, "a"]', "'found': the path can't be evaluated here: '<' not supported"),
        ("{json: '$[*]', take: '${uuid()}'}", b"[1]", "`take` is a number of items"),
        ("{m3u8: variants}", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://[x\n", "'found': the playlist has"),
        ("{m3u8: segments}", b"#EXTM3U\n#EXTINF:1,\nhttp://[x\n", "'found': the playlist has an invalid URL"),
        ("{m3u8: segments}", b"#EXTM3U\n#EXT-X-SERVER-CONTROL:NEW=YES\n", "'found': the playlist can't be read"),
    ],
)
def test_an_answer_of_an_unforeseen_shape_is_a_failure_and_no_exception(
    extract: str, body: bytes, message: str
) -> None:
    failure = run(extract, body)
    assert isinstance(failure, Failure)
    assert failure.message.startswith(message)


@pytest.mark.parametrize(
    ("extract", "found"),
    [
        ("{css: li}", "10 "),
        ("{css: li, all: true}", ["10 ", " 7", "none", "30"]),
        ("{css: li, pick: -1, pipe: trim | int}", 30),
        ("{css: li, take: 2, pipe: trim | int}", [10, 7]),
        ("{css: li, pipe: trim | int, where: it > 8, all: true}", [10, 30]),
        ("{css: li, pipe: trim | int, where: it > 8, pick: last}", 30),
        ("{css: p, default: none}", "none"),
        ("body", HTML.decode()),
        ("{response: body, pipe: len}", len(HTML)),
        ("status", 200),
        ("url", "http://a/3"),
        ("redirects", HOPS[0]),
        ("{response: redirects, where: status == 302}", HOPS[1]),
        ("{response: redirects, all: true}", list(HOPS)),
        ("timing", TIMING),
        ("{regex: '[0-9]+', all: true, pipe: int}", [10, 7, 30]),
        ("{header: ETag, pipe: upper}", "X"),
        ("{link: next}", "http://a/more?p=2"),
    ],
)  # fmt: skip
def test_what_is_found_and_chosen(extract: str, found: object) -> None:
    assert run(extract) == found


@pytest.mark.parametrize(
    ("extract", "body", "found"),
    [
        ("{xpath: //t}", b"<r><t>1</t><t>2</t></r>", "1"),
        ("{xpath: //t, all: true, pipe: int}", b"<r><t>1</t><t>2</t></r>", [1, 2]),
        ("{xpath: //t, default: 0}", b"<r/>", 0),
        ("{xpath: //t, default: 0}", b"not xml", 0),
        ("{json: $.a, pipe: \"split(',') | last\"}", b'{"a": "x,y"}', "y"),
        ("{json: '$.a[*]', where: n > 1, pipe: json_encode | json_decode}", b'{"a": [{"n": 1}, {"n": 2}]}', {"n": 2}),
    ],
)
def test_what_is_found_in_other_bodies(extract: str, body: bytes, found: object) -> None:
    assert run(extract, body) == found


@pytest.mark.parametrize(
    ("extract", "body", "words"),
    [
        ("{css: p}", HTML, "no match; the body: <ul>"),
        ("{css: li, pipe: int}", b"<li>many</li>", "many"),
        ("{css: li, pipe: trim | int, where: it > 99}", HTML, "none of 4 matches satisfies `where`"),
        ("{xpath: //t}", b"{}", "the body can't be read (Start tag expected"),
        ("{xpath: '//no:t'}", b"<r/>", "can't be evaluated here: Undefined namespace prefix"),
        ("body", b"", "no match; the body: the body is empty"),
    ],
)
def test_a_failure_says_what_was_there(extract: str, body: bytes, words: str) -> None:
    failure = run(extract, body)
    assert isinstance(failure, Failure)
    assert words in failure.message


@pytest.mark.parametrize(
    ("extract", "want"),
    [
        ("status", Want.NOTHING),
        ("url", Want.NOTHING),
        ("redirects", Want.NOTHING),
        ("timing", Want.NOTHING),
        ("{cookie: c}", Want.NOTHING),
        ("{header: etag}", Want.HEADERS),
        ("{link: next}", Want.HEADERS),
        ("body", Want.BODY | Want.HEADERS),
        ("{css: a}", Want.BODY | Want.HEADERS),
        ("{xpath: //a}", Want.BODY | Want.HEADERS),
        ("{regex: a}", Want.BODY | Want.HEADERS),
        ("$.a", Want.BODY),
        ("{m3u8: variants}", Want.BODY),
    ],
)
def test_nothing_is_kept_that_no_extraction_reads(extract: str, want: Want) -> None:
    assert planned(extract).options.want == want | Want.COOKIES


LINKS = b"""<head><title>Caf\xe9</title></head><a class=n href="page2.html?a=1&amp;b=2"></a><a class=q href="?p=2"></a>
<a class=up href=" ../x "></a><a class=mail href="mailto:a@b.test"></a><a class=bad href="http://[x"></a>
<img src=i.png data-src=i2.png><form action=""><button formaction=/go></button></form>
<a class=none href=""></a><a class=whole href="//c.test/z"></a>"""


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("a.n::attr(href)", "http://a/page2.html?a=1&b=2"),
        ("a.q::attr(href)", "http://a/3?p=2"),
        ("a.up::attr(href)", "http://a/x"),
        ("a.mail::attr(href)", "mailto:a@b.test"),
        ("a.bad::attr(href)", "http://[x"),
        ("a.whole::attr(href)", "http://c.test/z"),
        ("img::attr(src)", "http://a/i.png"),
        ("img::attr(data-src)", "i2.png"),
        ("form::attr(action)", "http://a/3"),
        ("button::attr(formaction)", "http://a/go"),
        ("a.n::attr(class)", "n"),
        ("a.none::attr(href)", ""),
    ],
)
def test_an_attribute_that_holds_a_url_comes_out_whole(selector: str, found: str) -> None:
    assert run(f"{{css: '{selector}'}}", LINKS) == found


def test_links_are_relative_to_the_base_of_the_head_and_to_no_other() -> None:
    assert run("{css: 'a.n::attr(href)'}", b"<head><base href=/shop/></head>" + LINKS).startswith("http://a/shop/page2")
    assert run("{css: 'a.n::attr(href)'}", LINKS + b"<base href=/shop/>").startswith("http://a/page2")


def test_a_link_that_a_pattern_finds_is_made_whole_by_a_function() -> None:
    pipe = "pipe: 'absolute_url(\"http://a/shop/list\")'"
    assert run(f"{{regex: 'src=(i[.]png)', {pipe}}}", LINKS) == "http://a/shop/i.png"


@pytest.mark.parametrize(
    "extract", ["{css: title}", "{regex: '<title>(.*?)</title>'}", "{response: body, pipe: 'substr(13, 4)'}"]
)
def test_text_is_read_in_the_charset_of_content_type(extract: str) -> None:
    assert run(extract, LINKS, (("content-type", "text/html; charset=iso-8859-1"),)) == "Caf\xe9"


def test_each_line_of_a_header_is_an_item() -> None:
    assert run("{header: vary, all: true}", b"", (("vary", "a"), ("vary", "b, c"))) == ["a", "b, c"]
