"""There is one reading of a response. Whatever the step wants, however the bytes are cut, and whichever reader takes
them: llhttp, which is fast and reads what comes whole and says nothing of note, or the one that knows RFC 9112.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from responses import Seen, conversation, cuts, responses

from vezaflow.protocols import Want

pytestmark = pytest.mark.slow
WANTS = [Want.NOTHING, Want.BODY, Want.HEADERS, Want.COOKIES, Want.BODY | Want.COOKIES]
ALL = Want.HEADERS | Want.COOKIES
# what changes a byte into one that means something else
TELLING = st.sampled_from(list(b'\r\n\t :;,0159aAfxX\0\x01\xff"') + list(b"HTTP/1.02.0"))


@st.composite
def altered(draw: st.DrawFn) -> tuple[bytes, bool]:
    """A response with a few of its head's bytes changed, doubled or gone, and whether it answers HEAD."""
    drawn = draw(responses(ended=False))
    sent = bytearray(drawn.sent)
    for _ in range(draw(st.integers(0, 3))):
        if sent:
            place = draw(st.integers(0, min(len(sent), 300) - 1))
            byte = draw(TELLING)
            match draw(st.sampled_from(["set", "insert", "delete"])):
                case "set":
                    sent[place] = byte
                case "insert":
                    sent.insert(place, byte)
                case _:
                    del sent[place]
    return bytes(sent), drawn.head


def read(pieces: list[bytes], want: Want, head: bool) -> Seen | None:
    with conversation() as talk:
        return talk.ask(pieces, want, head=head, eof=True)


def reduced(seen: Seen | None, want: Want) -> Seen | None:
    """What is left of a response for who wants less of it."""
    if seen is None or seen.error is not None:
        return None if seen is None else replace(seen, status=0, headers=[], body=b"", cookie=None)
    headers = seen.headers if want & Want.HEADERS or 300 <= seen.status < 400 else []
    body = seen.body if want & Want.BODY else b""
    return replace(seen, headers=headers, body=body, cookie=seen.cookie if want & Want.COOKIES else None)


@pytest.mark.parametrize("want", WANTS, ids=str)
@given(st.data())
def test_who_looks_on_changes_nothing(want: Want, data: st.DataObject) -> None:
    """`try` keeps headers and body of every response, and judges it as `run` does."""
    sent, head = data.draw(altered())
    if data.draw(st.booleans()):  # over the limit, and cut short
        sent = sent.replace(b"hello", b"hello" * 30_000)
    pieces = data.draw(cuts(sent))
    looked_at = want | Want.HEADERS | (Want.BODY if want & Want.BODY else Want.BODY | Want.SHOWN)
    run, tried = read(pieces, want, head), read(pieces, looked_at, head)
    assert reduced(tried, want) == reduced(run, want)


@pytest.mark.parametrize("want", WANTS, ids=str)
@given(st.data())
def test_what_is_wanted_and_how_it_is_cut_change_nothing(want: Want, data: st.DataObject) -> None:
    sent, head = data.draw(altered())
    streamed = reduced(read([sent], ALL | want & Want.BODY, head), want)
    assert reduced(read([sent], want, head), want) == streamed
    cut = reduced(read(data.draw(cuts(sent)), want, head), want)
    if cut is not None and streamed is not None:  # what is behind the end may come after the step has gone on
        cut = replace(cut, alive=streamed.alive)
    assert cut == streamed
