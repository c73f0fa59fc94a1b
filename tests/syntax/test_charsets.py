"""A body is read in the encoding that its server says, as httpx, lxml and browsers read it."""

import tracemalloc
from encodings.aliases import aliases

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from vezaflow.syntax import decoded, read_html, read_xml
from vezaflow.syntax.selectors import compile_css, compile_xpath

NAMES = ["utf-8", "iso-8859-15", "windows-1251", "windows-1252", "koi8-r", "euc-jp", "gb18030"]
PAGE = "<html><head><title>Café</title></head><body><p class=c>Zürich</p></body></html>"


def titles(body: bytes, content_type: str) -> list[str]:
    found: list[str] = compile_css("title")(read_html(body, content_type))
    return found


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30), st.sampled_from(NAMES))
def test_a_text_is_what_httpx_reads(text: str, charset: str) -> None:
    body = text.lstrip("\ufeff").encode(charset, "ignore")
    for content_type in (f"text/plain; charset={charset}", f'text/plain;format=flowed; CHARSET="{charset.upper()}"'):
        expected = httpx.Response(200, content=body, headers={"content-type": content_type}).text
        assert decoded(body, content_type) == expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PAGE.encode("latin-1"), "text/html; charset=ISO-8859-1"),
        (PAGE.encode("latin-1"), "text/html;charset='latin1'"),
        (PAGE.replace("<head>", "<head><meta charset=iso-8859-1>").encode("latin-1"), "text/html"),
        (PAGE.replace("<head>", '<head><META\tid=1 CHARSET = "latin1" />').encode("latin-1"), ""),
        (
            PAGE.replace(
                "<head>", '<head><meta http-equiv="content-type" content="text/html; charset=windows-1252">'
            ).encode("latin-1"),
            "text/html",
        ),
        (PAGE.encode(), "text/html"),
        (PAGE.encode(), "text/html; charset=unknown-8"),
        (PAGE.encode(), "text/html; charset=base64"),
        (PAGE.encode(), "text/html; charset="),
        (PAGE.replace("<head>", "<head><meta charset=utf-16>").encode(), "text/html"),
        (PAGE.replace("<head>", "<head><!-- <meta charset=latin1> -->").encode(), "text/html"),
        (PAGE.replace("<head>", "<head><meta charset=latin1>").encode(), "text/html; charset=utf-8"),
        (b"\xef\xbb\xbf" + PAGE.encode(), "text/html; charset=latin1"),
        (PAGE.encode("utf-16"), "text/html"),
        (PAGE.encode("utf-16-be"), "text/html; charset=utf-16be"),
    ],
)
def test_a_page_is_read_in_its_own_charset(body: bytes, content_type: str) -> None:
    assert titles(body, content_type) == ["Café"]
    assert "Zürich" in decoded(body, content_type)
    assert not decoded(body, content_type).startswith("\ufeff")


def test_what_looks_like_a_tag_in_a_plain_text_is_none() -> None:
    text = "<meta charset=latin1> é"
    assert decoded(text.encode(), "text/plain") == text


@pytest.mark.parametrize(
    ("charset", "word"), [("gb2312", "你好"), ("big5", "你好"), ("euc-kr", "안녕"), ("shift_jis", "こんにちは")]
)
def test_asian_charsets_are_read(charset: str, word: str) -> None:
    assert decoded(word.encode(charset), f"text/html; charset={charset}") == word


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_xml_is_what_lxml_reads_by_its_declaration(charset: str) -> None:
    root = etree.Element("r")
    root.text = "Café"
    body = etree.tostring(root, xml_declaration=True, encoding=charset)
    assert compile_xpath("//r")(read_xml(body, "application/xml")) == ["Café"]
    assert "Café" in decoded(body, "application/xml")


@pytest.mark.parametrize("content_type", ["text/xml; charset=iso-8859-1", "application/rss+xml; charset=latin1"])
def test_the_charset_of_content_type_overrides_an_xml_declaration(content_type: str) -> None:
    body = '<?xml version="1.0" encoding="utf-8"?><r>Café</r>'.encode("latin-1")
    assert compile_xpath("//r")(read_xml(body, content_type)) == ["Café"]


@given(st.binary(max_size=200), st.text(max_size=30).map(lambda t: f"text/html; charset={t}") | st.text(max_size=30))
def test_any_body_of_any_type_is_a_text(body: bytes, content_type: str) -> None:
    assert isinstance(decoded(body, content_type), str)
    assert read_html(body, content_type) is not None


@given(st.sampled_from([b"<meta ", b"charset=", b"<!--", b"-->", b">", b"<?xml encoding="]), st.integers(0, 999))
def test_a_page_of_nothing_but_beginnings_is_read_in_no_time(piece: bytes, count: int) -> None:
    assert decoded(piece * count, "text/html") == (piece * count).decode()


def test_python_has_every_codec_that_a_label_means() -> None:
    for label in {*aliases, *aliases.values()}:
        for spelt in (label, label.upper(), label.replace("_", "-")):
            assert isinstance(decoded(b"\x80 body", f"text/plain; charset={spelt}"), str)


def test_charsets_that_servers_make_up_leave_nothing_behind() -> None:
    bodies = [(b"a", f"text/plain; charset=made-up-{number}") for number in range(3000)]
    assert decoded(*bodies[0]) == "a"
    tracemalloc.start()
    try:
        for body, content_type in bodies:
            decoded(body, content_type)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100_000
