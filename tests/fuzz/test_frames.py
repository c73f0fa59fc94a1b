"""A worker that says anything but what it should is lost, with a name, and nobody waits for it."""

import struct
from typing import Any

import pytest
import trio
import trio.socket
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.scale.frames import Channel
from vezaflow.scale.process import WorkerProcess


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_a_channel_takes_any_bytes(pieces: list[bytes]) -> None:
    async def said() -> None:
        mine, other = trio.socket.socketpair()
        with mine, other:
            for piece in pieces:
                await other.send(piece)
            other.shutdown(trio.socket.SHUT_WR)
            with trio.fail_after(5):
                while await Channel(mine).receive() is not None:
                    pass

    try:
        trio.run(said)
    except ValueError:
        pass


@pytest.mark.trio
@pytest.mark.parametrize("message", [b"{", b"[]", b'"x"', b"null", b"\xff"])
async def test_what_is_no_message_is_told(message: bytes) -> None:
    mine, other = trio.socket.socketpair()
    with mine, other:
        await other.send(struct.pack(">I", len(message)) + message)
        with pytest.raises(ValueError):  # noqa: PT011  # of orjson, or of ours
            await Channel(mine).receive()


@pytest.mark.trio
async def test_a_message_that_no_memory_holds_is_told_at_once() -> None:
    mine, other = trio.socket.socketpair()
    with mine, other:
        await other.send(b"\xff" * 4)
        with pytest.raises(ValueError, match="gigabyte"):
            await Channel(mine).receive()


@pytest.mark.parametrize("message", [{}, {"is": "x"}, {"is": []}, {"is": "report"}, {"is": "report", "over": 1}])
def test_a_message_that_means_nothing_is_none(message: Any) -> None:
    member = WorkerProcess.__new__(WorkerProcess)  # without its process
    assert not member._took(message)
