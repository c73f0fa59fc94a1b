"""Which recorded channel an opening gets."""

from collections.abc import Sequence

import pytest
import trio
import trio.testing

from vezaflow.plan import Secrets
from vezaflow.protocols import ClientOptions, EventStreamOptions, Origin
from vezaflow.tape import Position, Replay, Take, Tape
from vezaflow.tape.channel_take import ChannelKind, ChannelTake, Passed
from vezaflow.tape.take import Key

_ORIGIN = Origin("http", "example.test", 80)


def _stream(run: int, turn: int) -> Take:
    channel = ChannelTake(ChannelKind.EVENTS, messages=(Passed(False, 0.1, f"{run}.{turn}", "message"),))
    return Take(Key("feed", run, turn), "GET", "/x", 200, (), b"", 0.1, 0.2, 0.3, None, 1.0, channel)


class _Keys(Position):
    """A flow's openings in their order."""

    def __init__(self, keys: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self._left = [Key("feed", *key) for key in keys]

    def next_key(self) -> Key:
        return self._left.pop(0)


@pytest.mark.parametrize(
    ("recorded", "opened", "said"),
    [
        ([(1, 1), (1, 2), (2, 1)], [(1, 1), (1, 2), (2, 1)], ["1.1", "1.2", "2.1"]),
        ([(1, 1), (1, 3), (2, 1)], [(1, 1), (1, 2), (1, 3), (2, 1)], ["1.1", "1.3", "", "2.1"]),  # one dial failed
        ([(1, 1)], [(1, 1), (1, 2), (2, 1), (2, 2)], ["1.1", "", "1.1", ""]),
    ],
)
def test_a_reconnect_opens_the_next_channel_of_its_own_run(
    recorded: list[tuple[int, int]], opened: list[tuple[int, int]], said: list[str]
) -> None:
    tape = Tape("flow", {}, None, tuple(_stream(*key) for key in recorded))
    replay = Replay(tape, _Keys(opened), _ORIGIN, Secrets.of(()), lambda _text: None)

    async def main() -> list[str]:
        found = []
        async with trio.open_nursery() as nursery:
            await nursery.start(replay.run)
            client = replay.client(ClientOptions())
            for _ in opened:
                opening = await client.open_events(_ORIGIN, b"GET /x HTTP/1.1\r\n\r\n", EventStreamOptions(1.0))
                if opening.channel is None:
                    assert "no event stream is recorded for " in opening.exchange.detail
                    found.append("")
                else:
                    message = await opening.channel.receive(trio.current_time() + 1)
                    found.append(str(getattr(message, "data", message)))
            nursery.cancel_scope.cancel()
        return found

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == said
