"""JSON bodies that come again are read once; those that don't cost no memory."""

from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.plan.documents import Documents
from vezaflow.syntax import JsonError


def bodies(start: int, count: int) -> Iterator[bytes]:
    return (b'{"n": %d}' % n for n in range(start, start + count))


def test_the_same_bytes_are_the_same_value() -> None:
    documents = Documents()
    assert documents.read(b'{"a": [1]}') is documents.read(bytes(bytearray(b'{"a": [1]}')))


def test_no_more_than_the_last_few_are_kept() -> None:
    documents = Documents()
    first = documents.read(b'{"a": [1]}')
    for body in bodies(0, 63):
        documents.read(body)
    assert documents.read(b'{"a": [1]}') is first
    for body in bodies(100, 64):
        documents.read(body)
    assert documents.read(b'{"a": [1]}') is not first


def test_where_nothing_comes_again_nothing_is_kept_until_it_is_tried_again() -> None:
    documents = Documents()
    for body in bodies(0, 512):
        documents.read(body)
    assert documents.read(b"[]") is not documents.read(b"[]")
    for body in bodies(0, 16 * 512 - 2):
        documents.read(body)
    assert documents.read(b"[]") is documents.read(b"[]")


def test_bodies_that_differ_only_in_the_middle_are_told_apart() -> None:
    documents = Documents()
    one, two = (orjson.dumps(["x" * 100, n, "x" * 100]) for n in (1, 2))
    for _ in range(2):
        assert documents.read(one)[1] == 1
        assert documents.read(two)[1] == 2


def test_a_large_body_is_not_kept() -> None:
    large = orjson.dumps(["x" * 100] * 100)
    documents = Documents()
    assert documents.read(large) is not documents.read(large)


@given(st.lists(st.sampled_from([b"1", b"[1, 2]", b'{"a": null}', b"[]", b'"x"']), max_size=1500))
def test_what_is_read_is_what_stands_there(texts: list[bytes]) -> None:
    documents = Documents()
    for text in texts:
        assert documents.read(text) == orjson.loads(text)


def test_what_is_no_json_is_so_each_time() -> None:
    documents = Documents()
    for _ in range(2):
        with pytest.raises(JsonError):
            documents.read(b"{")
