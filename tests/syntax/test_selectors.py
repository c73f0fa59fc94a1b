"""CSS on HTML, XPath on XML: texts come out, and a hostile document gets nothing."""

import pytest

from vezaflow.syntax import read_html, read_xml
from vezaflow.syntax.selectors import compile_css, compile_xpath

PAGE = b"""<html><body><h1> Tracks </h1>
<ul><li class=t data-id=1>One</li><li class=t data-id=2>Two <b>bold</b></li><li>none</li></ul>
<a class=next href="/p?a=1&amp;b=2">more</a><a class=next>nowhere</a></body></html>"""
FEED = b"""<rss xmlns:m="urn:m"><item i="1"><t>One</t></item><item i="2"><t>Two<m:x>!</m:x></t></item></rss>"""


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("h1", [" Tracks "]),
        ("li.t", ["One", "Two bold"]),
        ("li::attr(data-id)", ["1", "2"]),
        ("a.next::attr( href )", ["/p?a=1&b=2"]),
        ("p.no", []),
    ],
)
def test_a_selector_finds_texts_and_attributes(selector: str, found: list[str]) -> None:
    assert compile_css(selector)(read_html(PAGE)) == found


@pytest.mark.parametrize("body", [b"", b"\xff\xfe<a>", b"<a" * 1000, b"\x00"])
def test_any_bytes_are_html(body: bytes) -> None:
    assert isinstance(compile_css("a")(read_html(body)), list)


@pytest.mark.parametrize("text", ["", "li[", "::::", "li >", "a::attr()", "x" * 2000])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compile_css(text)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("//item/t", ["One", "Two!"]),
        ("//item/@i", ["1", "2"]),
        ("//t/text()", ["One", "Two"]),
        ("//m:x", ["!"]),
        ("count(//item)", [2]),
        ("sum(//item/@i) div 2", [1.5]),
        ("count(//item) > 1", [True]),
        ("string(//nothing)", []),
        ("number('x')", []),
        ("//nothing", []),
    ],
)
def test_a_path_finds_texts_attributes_and_values(path: str, found: list[object]) -> None:
    assert compile_xpath(path)(read_xml(FEED)) == found


def test_a_default_namespace_has_the_prefix_ns() -> None:
    root = read_xml(b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/"><Key>a</Key></ListBucketResult>')
    assert compile_xpath("//ns:Key")(root) == ["a"]
    assert compile_xpath("//Key")(root) == []


@pytest.mark.parametrize("text", ["//[", "", "a b", "x" * 2000])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compile_xpath(text)


@pytest.mark.parametrize("text", ["//nosuch:a", "nosuch()", "document('file:///etc/passwd')"])
def test_a_path_that_can_not_be_followed_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compile_xpath(text)(read_xml(FEED))


def test_a_document_with_entities_is_not_read() -> None:
    laughs = b"<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><l>&b;</l>"
    with pytest.raises(ValueError, match="entities"):
        read_xml(laughs)


def test_a_document_reads_no_file(tmp_path: object) -> None:
    secret = f"{tmp_path}/secret"
    with open(secret, "w", encoding="utf-8") as file:
        file.write("secret")
    body = f"<!DOCTYPE l SYSTEM 'file://{secret}'><l>&x;</l>".encode()
    try:
        text = compile_xpath("string(/l)")(read_xml(body))
    except ValueError:
        return
    assert text == []


@pytest.mark.parametrize("body", [b"", b"<a", b"<a></b>", b"{}", b"\x00"])
def test_what_is_no_xml_says_why(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_xml(body)


def test_prefixes_that_a_path_does_not_use_change_nothing() -> None:
    unread = '<r xmlns="a" xmlns:b="{0}"><x>1</x><b:x>2</b:x></r>'
    for uri in ("c", "d", "e" * 10_000):
        root = read_xml(unread.format(uri).encode())
        assert compile_xpath("//ns:x")(root) == ["1"]
        assert compile_xpath("//b:x")(root) == ["2"]
