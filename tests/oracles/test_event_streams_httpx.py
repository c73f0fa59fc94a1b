"""Event streams, held against httpx-sse's parser: what it makes of the same text.

It dispatches events without data, which the standard forbids, and takes more for a `retry` than digits: those are left
out.
"""

from httpx_sse import ServerSentEvent
from httpx_sse._decoders import SSEDecoder, SSELineDecoder
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.protocols.event_stream import EventParser

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)
LINES = st.one_of(
    st.tuples(st.sampled_from(["data", "data", "event", "id", "x", ""]), st.sampled_from([":", ": "]), VALUES).map(
        "".join
    ),
    st.integers(0, 10**6).map("retry: {}".format),
    st.just(""),
    VALUES,
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n"])).map("".join)).map("".join)


def theirs(stream: str) -> list[ServerSentEvent]:
    lines, decoder = SSELineDecoder(), SSEDecoder()
    found = (decoder.decode(line) for line in [*lines.decode(stream), *lines.flush()] if stream)
    return [event for event in found if event is not None]


@given(STREAMS)
def test_events_are_those_that_httpx_sse_finds(stream: str) -> None:
    expected = [(event.event or "message", event.id, event.data) for event in theirs(stream.removeprefix("\ufeff"))]
    found = [(event.name, event.id, event.data) for event in EventParser(1 << 20).feed(stream.encode())]
    assert [event for event in found if event[2]] == [event for event in expected if event[2]]
