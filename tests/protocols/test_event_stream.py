"""The parser of event streams, held against the HTML standard's examples and rules."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.protocols.event_stream import EventParser, EventTooLarge, StreamEvent


def events(*pieces: bytes, most: int = 1 << 20) -> list[StreamEvent]:
    parser = EventParser(most)
    return [event for piece in pieces for event in parser.feed(piece)]


def told(*pieces: bytes) -> list[tuple[str, str, str]]:
    return [(event.name, event.id, event.data) for event in events(*pieces)]


STREAMS = st.lists(
    st.sampled_from(
        [b"data", b"data:", b"data: ", b"event: a", b"id: 1", b"id", b"id: \0", b"retry: 7", b": beat", b"x",
         b"\xef\xbb\xbf", b"\xc3\xa4", b"\xff", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b":", b" "]
    )
).map(b"".join)  # fmt: skip


@given(STREAMS, st.lists(st.integers(0, 200)))
def test_the_same_bytes_are_the_same_events_however_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    whole, cut = EventParser(1 << 20), EventParser(1 << 20)
    at_once = list(whole.feed(stream))
    in_pieces = [event for begin, end in pairwise(edges) for event in cut.feed(stream[begin:end])]
    assert in_pieces == at_once
    assert (cut.last_id, cut.retry) == (whole.last_id, whole.retry)


@given(STREAMS)
def test_every_byte_alone_gives_the_same_events(stream: bytes) -> None:
    assert told(*(stream[at : at + 1] for at in range(len(stream)))) == told(stream)


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        # the examples of 9.2.6
        (
            b"data: YHOO\ndata: +2\ndata: 10\n\n",
            [("message", "", "YHOO\n+2\n10")],
        ),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [("message", "1", "first event"), ("message", "", "second event"), ("message", "", " third event")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "", "\n")]),
        (b"data:test\n\ndata: test\n\n", [("message", "", "test")] * 2),
        # its rules
        (b"\xef\xbb\xbfdata: a\n\n", [("message", "", "a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [("message", "", "b")]),
        (b"data: a\r\rdata: b\r\n\r\ndata: c\n\r", [("message", "", "a"), ("message", "", "b"), ("message", "", "c")]),
        (b"event: add\ndata: 1\n\ndata: 2\n\n", [("add", "", "1"), ("message", "", "2")]),
        (b"event: add\n\ndata: 2\n\n", [("message", "", "2")]),
        (b"id: 7\ndata: a\n\ndata: b\n\n", [("message", "7", "a"), ("message", "7", "b")]),
        (b"id: 7\nid: a\0b\ndata: a\n\n", [("message", "7", "a")]),
        (b"Data: a\ndata : b\n data: c\nfoo: d\n\n", []),
        (b"data: a:b: c\n\n", [("message", "", "a:b: c")]),
        (b"data: a\n", []),
        (b"data: a\n\ndata: lost", [("message", "", "a")]),
        (b"data: \xff\xc3\xa4\n\n", [("message", "", "\ufffdä")]),
        ("data: a\x0bb\u2028c\n\n".encode(), [("message", "", "a\x0bb\u2028c")]),
    ],
)
def test_streams_are_read_as_the_standard_says(stream: bytes, found: list[tuple[str, str, str]]) -> None:
    assert told(stream) == found


def test_an_id_counts_with_the_blank_line_after_it() -> None:
    parser = EventParser(100)
    assert not list(parser.feed(b"id: 1\n\nid: 2\n"))
    assert parser.last_id == "1", "the block of 2 has not ended"
    assert not list(parser.feed(b"\n"))
    assert parser.last_id == "2"
    assert not list(parser.feed(b"id:\n\n"))
    assert parser.last_id == "", "an empty id forgets"


def test_a_reconnect_goes_on_with_the_id_that_it_has() -> None:
    parser = EventParser(100, "41")
    assert [event.id for event in parser.feed(b"data: a\n\n")] == ["41"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"2500", 2.5), (b"0", 0.0), (b"", None), (b"-1", None), (b"1.5", None), (b"1 ", None), ("٣".encode(), None)],
)
def test_retry_is_digits_alone(value: bytes, seconds: float | None) -> None:
    parser = EventParser(100)
    list(parser.feed(b"retry: " + value + b"\n\n"))
    assert parser.retry == seconds


@pytest.mark.parametrize("endless", [b"data: aaaaaaaa\n", b"a", b": ", b"data\n"])
def test_what_does_not_end_is_held_up_to_the_limit(endless: bytes) -> None:
    parser = EventParser(64)
    with pytest.raises(EventTooLarge):
        assert [list(parser.feed(endless)) for _ in range(100)]


def test_heartbeats_cost_nothing() -> None:
    parser = EventParser(64)
    list(parser.feed(b"data: a\n"))
    for _ in range(100):
        list(parser.feed(b": still here\n"))
    assert [event.data for event in parser.feed(b"\n")] == ["a"]


def test_events_before_one_that_is_too_large_still_count() -> None:
    found = EventParser(16).feed(b"data: a\n\ndata: " + b"b" * 99 + b"\n\n")
    assert next(found).data == "a"
    with pytest.raises(EventTooLarge):
        next(found)
