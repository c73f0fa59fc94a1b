"""What a response may make the loop wait for is bounded: bombs are refused, whatever they are made of."""

import resource
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from vezaflow.plan import ResponseView
from vezaflow.plan.sources import SOURCES
from vezaflow.protocols import Exchange
from vezaflow.syntax import read_html
from vezaflow.syntax.selectors import compile_css

MOST_LATE = 0.5  # seconds of CPU that one reading may take: twice what the bounds are made for, on a slow machine
MOST_MEMORY = 400 << 20  # bytes that all of them may add to this process

_NAMES = (
    "div p span b a i table tr td th tbody li ul dd dt dl svg math g desc title foreignObject script style textarea "
    "select option optgroup button form object template h1 x-y br input link font nobr ruby rt mi section noscript"
)
NAMES = st.sampled_from(_NAMES.split())
TAGS = st.one_of(
    NAMES.map(lambda name: f"<{name}>"),
    NAMES.map(lambda name: f"</{name}>"),
    NAMES.map(lambda name: f"<{name}/>"),
    st.tuples(NAMES, NAMES).map(lambda two: f'<{two[0]} a="</{two[1]}>">'),
    st.sampled_from(["<!--", "-->", "<![CDATA[", "]]>", "<? </div", "x", "<p x='>'>"]),
)
SOUP = st.tuples(st.lists(TAGS, max_size=3), st.lists(TAGS, min_size=1, max_size=6), st.integers(1, 40_000))


def soup(parts: tuple[list[str], list[str], int]) -> bytes:
    before, again, times = parts
    unit = "".join(again)
    return ("".join(before) + unit * min(times, 4_000_000 // len(unit))).encode()


def repeated(unit: str, start: str = "", end: str = "") -> st.SearchStrategy[bytes]:
    return st.integers(1, 2_000_000).map(lambda n: (start + unit * min(n, (16 << 20) // len(unit)) + end).encode())


BOMBS: dict[tuple[str, str], st.SearchStrategy[bytes]] = {
    ("css", "a::attr(href)"): SOUP.map(soup),
    ("css", "div"): SOUP.map(soup),
    ("css", "p:nth-child(3n)"): repeated("<p>"),
    ("css", "b"): st.integers(1, 100_000).map(
        lambda n: b"".join(b"<b a%d>" % i for i in range(n)) + b"<p>x" * n
    ),
    ("css", "[href]"): st.integers(1, 200_000).map(
        lambda n: b"<a " + b" ".join(b'a%d=">"' % i for i in range(n)) + b">"
    ),
    ("xpath", "//a"): st.one_of(
        repeated("<a>"), repeated("<a>x</a>", "<r>", "</r>"), repeated('<a b="c"/>', "<r>", "</r>"),
        repeated("x", "<a>" * 250, "</a>" * 250),
        st.just(
            b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
            + b"".join(b'<!ENTITY b%d "%s">' % (i, b"&b;" * 10) for i in range(9)) + b"]><a>&b8;</a>"
        ),
    ),
    ("json", "$[*]"): st.one_of(repeated("[],", "[", "1]"), repeated("1,", "[", "1]"), repeated("[")),
    ("json", "$..a..a"): st.one_of(
        st.integers(1, 1_000).map(lambda n: b'{"a":' * n + b"1" + b"}" * n), repeated('{"a":1},', "[", "1]")
    ),
    ("m3u8", "segments"): st.one_of(
        repeated("#EXTINF:1,\ns.ts\n", "#EXTM3U\n"),
        st.integers(1, 20_000).map(
            lambda n: b"#EXTM3U\n" + b"".join(b'#EXT-X-KEY:METHOD=AES-128,URI="%d"\n' % i for i in range(n))
            + b"#EXTINF:1,\ns\n" * n
        ),
    ),
    ("m3u8", "variants"): repeated(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="n",URI="u"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="g"\nv\n',
        "#EXTM3U\n",
    ),
    ("regex", "[0-9a]"): repeated("a"),
    ("regex", "(a|b)*c{900}"): repeated("ab"),
}  # fmt: skip


class Body(bytes):
    def __repr__(self) -> str:
        return f"{len(self)} bytes: {self[:200]!r}"


def response(body: bytes) -> ResponseView:
    exchange = Exchange()
    exchange.status, exchange.body, exchange.headers = 200, body, []
    return ResponseView(exchange, "http://127.0.0.1/")


@pytest.mark.slow
@pytest.mark.parametrize("kind", BOMBS, ids=lambda kind: f"{kind[0]} {kind[1]}")
def test_no_body_holds_the_loop_or_fills_the_memory(kind: tuple[str, str]) -> None:
    find = finding(*kind)
    before = memory()

    @settings(max_examples=25)
    @given(body=BOMBS[kind].map(Body))
    def holds(body: bytes) -> None:
        assert seconds(find, body) < MOST_LATE

    holds()
    assert memory() - before < MOST_MEMORY


def finding(source: str, argument: str) -> Callable[[ResponseView], Any]:
    return SOURCES[source].find(argument)


def seconds(find: Callable[[ResponseView], Any], body: bytes) -> float:
    """CPU time of one reading, the better of two: other work on the machine is nobody's fault here."""
    took = []
    for _ in range(2):
        looked_at = response(bytes(body))
        began = time.thread_time()
        try:
            find(looked_at)
        except ValueError:
            pass
        took.append(time.thread_time() - began)
        if took[0] < MOST_LATE:
            break
    return min(took)


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


PAGE = "<!doctype html><title>a > b</title><script>if (a < b && c > d) { '<div>' }</script><body>{}</body>"
ROWS = (
    '<tr class="row"><td><a href="/a?b=c&d">text</a><td><span>and <b>more</b></span><br><img src=x><p>so',
    '<div class="[&>svg]:w-4"><ul><li>one<li>two <i>three</i></ul><svg><path d="M0"/><g><path></path></g></svg></div>',
    "<!-- <div> --><dl><dt>a<dd>b<dt>c<dd>d</dl><select><option>1<option selected>2</select>",
    "<article><h2>x</h2><p>it's <em>a</em> text<p>with <code>a &lt; b</code></article><form><input name=a></form>",
)


@pytest.mark.parametrize("row", ROWS)
def test_a_long_page_is_read_as_lexbor_reads_it(row: str) -> None:
    page = PAGE.replace("{}", "<table>" + row * 3_000 + "</table>").encode()
    selector = "a, li, dd, em"
    assert len(compile_css(selector)(read_html(page))) == len(LexborHTMLParser(page).css(selector)) > 0


def test_the_error_says_what_is_read_at_most() -> None:
    with pytest.raises(ValueError, match=r"too many deeply nested elements"):
        read_html(b"<div>" * 100_000)
    with pytest.raises(ValueError, match=r"the maximum is 150,000"):
        read_html(b"<br>" * 200_000)
