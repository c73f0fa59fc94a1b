"""Link headers, RFC 8288: what an response leads to, however it is written."""

import time

import pytest

from vezaflow.plan.links import linked, relations_of
from vezaflow.plan.response import UndecodableError

BASE = "https://api.example/v1/tracks?limit=2"


@pytest.mark.parametrize(
    ("header", "urls"),
    [
        ('<https://api.example/v1/tracks?p=2>; rel="next"', ["https://api.example/v1/tracks?p=2"]),
        ("</v1/tracks?p=2>;rel=next", ["https://api.example/v1/tracks?p=2"]),
        ("<?p=2> ; REL = NEXT", ["https://api.example/v1/tracks?p=2"]),
        ('<a>; rel="prev", <b>; title="x, <y>; rel=no"; rel="next"', ["https://api.example/v1/b"]),
        ('<b>; rel="last next"', ["https://api.example/v1/b"]),
        ('<b>; rel="next"; rel="prev"', ["https://api.example/v1/b"]),
        ('<b>; rel="prev"; rel="next"', []),
        ("<b?x=1,2;y=3>; rel=next", ["https://api.example/v1/b?x=1,2;y=3"]),
        ("<a>; rel=next, <b>; rel=next", ["https://api.example/v1/a", "https://api.example/v1/b"]),
        ('<b>; title="rel=next"', []),
        ("<b>; relation=next", []),
        ("<b>", []),
        ("b; rel=next", []),
        ("", []),
        ("<b; rel=next", []),
    ],
)
def test_the_urls_of_a_relation_come_out_whole(header: str, urls: list[str]) -> None:
    assert linked([("content-type", "text/html"), ("link", header)], "next", BASE) == urls


def test_what_is_no_url_can_not_be_read() -> None:
    with pytest.raises(UndecodableError, match="is not a valid URL"):
        linked([("link", "<http://[x>; rel=next")], "next", BASE)


def test_several_headers_are_read_as_one() -> None:
    headers = [("link", "<a>; rel=prev"), ("link", "<b>; rel=next")]
    assert linked(headers, "next", BASE) == ["https://api.example/v1/b"]
    assert relations_of(headers) == ["next", "prev"]


@pytest.mark.parametrize("piece", ["<", "<>;", "<a>; rel=", '<a>; x="\\', " ;", '<a>; rel="'])
def test_a_header_that_is_made_to_hurt_is_read_in_linear_time(piece: str) -> None:
    begun = time.process_time()
    linked([("link", piece * 20_000)], "next", BASE)
    assert time.process_time() - begun < 30  # in the square of its length it would be hours
