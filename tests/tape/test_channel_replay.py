"""When a recorded channel says what, on a clock that nobody waits for."""

from collections.abc import Awaitable, Callable

import trio
import trio.testing

from vezaflow.protocols import ChannelMessage, Ending, ErrorKind, EventMessage, Voice
from vezaflow.tape.channel_replay import ReplayedChannel
from vezaflow.tape.channel_take import ChannelKind, ChannelTake, End, Passed

_SAID = Passed(True, 1.0, "hello")
_ACK = Passed(False, 1.5, "ack")


class Heard:
    """Plays a channel, and keeps what it says beside its messages."""

    def __init__(self, *messages: Passed, end: End | None = None, kind: ChannelKind = ChannelKind.WEBSOCKET) -> None:
        self.take = ChannelTake(kind, messages=messages, end=end)
        self.notes: list[str] = []
        self.differences: list[str] = []

    def play(self, scene: Callable[[ReplayedChannel], Awaitable[None]], reply: str = "") -> None:
        def came(voice: Voice, message: ChannelMessage) -> bool:
            if message.data == reply:
                voice.post("replied")
            return False

        async def main() -> None:
            channel = ReplayedChannel(
                self.take, trio.current_time(), came, lambda data: data, self.differences.append,
                self.notes.append,
            )  # fmt: skip
            async with trio.open_nursery() as nursery:
                nursery.start_soon(channel.play)
                await scene(channel)
                nursery.cancel_scope.cancel()

        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


async def _data(channel: ReplayedChannel, within: float = 10) -> object:
    found = await channel.receive(trio.current_time() + within)
    return found.data if isinstance(found, ChannelMessage) else found


def test_what_came_after_a_message_comes_after_it_is_sent() -> None:
    heard = Heard(_SAID, _ACK)

    async def scene(channel: ReplayedChannel) -> None:
        assert await _data(channel) is None
        begun = trio.current_time()
        await channel.send("hello", begun)
        found = await channel.receive(begun + 10)
        assert isinstance(found, ChannelMessage)
        assert (found.data, found.at) == ("ack", begun + 0.5)

    heard.play(scene)
    assert heard.notes == ["the next message was recorded after hello, which was not sent"]


def test_what_is_not_asked_for_comes_by_itself_at_its_time() -> None:
    heard = Heard(Passed(False, 1.0, "one"), Passed(False, 3.0, "two"))

    async def scene(channel: ReplayedChannel) -> None:
        begun = trio.current_time()
        assert await _data(channel) == "one"
        assert await _data(channel, within=1) is None
        await trio.sleep(100)
        found = await channel.receive(0)
        assert isinstance(found, ChannelMessage)
        assert (found.data, found.at) == ("two", begun + 3)

    heard.play(scene)


def test_messages_find_their_own_counterpart_whatever_their_order() -> None:
    heard = Heard(_SAID, Passed(True, 1.1, "ping"), Passed(False, 1.2, "pong"), Passed(False, 1.3, "ack"))

    async def scene(channel: ReplayedChannel) -> None:
        channel.post("ping")
        assert await _data(channel, within=1) is None
        channel.post("hello")
        assert [await _data(channel), await _data(channel)] == ["pong", "ack"]

    heard.play(scene)
    assert heard.differences == []


def test_another_message_takes_the_place_of_the_next_one_and_is_told() -> None:
    heard = Heard(_SAID, _ACK)

    async def scene(channel: ReplayedChannel) -> None:
        channel.post("good bye")
        assert await _data(channel) == "ack"
        channel.post("more")
        channel.post("and more")

    heard.play(scene)
    assert heard.differences == [
        "the recorded message is hello, and this is good bye",
        "no further message is recorded, and this is more",
    ]


def test_a_message_that_differs_in_its_time_finds_its_counterpart() -> None:
    heard = Heard(_SAID, Passed(True, 1.1, "ping 12.5"), Passed(False, 1.2, "pong"), Passed(False, 1.3, "ack"))

    async def scene(channel: ReplayedChannel) -> None:
        channel.post("ping 99.25")
        assert await _data(channel, within=1) is None
        channel.post("hello")
        assert await _data(channel) == "pong"

    heard.play(scene)
    assert heard.differences == ["the recorded message is ping 12.5, and this is ping 99.25"]


def test_a_reply_counts_as_sent() -> None:
    heard = Heard(Passed(False, 1.0, "who"), Passed(True, 1.0, "replied"), Passed(False, 1.5, "thanks"))

    async def scene(channel: ReplayedChannel) -> None:
        assert [await _data(channel), await _data(channel)] == ["who", "thanks"]

    heard.play(scene, reply="who")
    assert heard.differences == []


def test_an_end_by_the_server_comes_when_all_else_has() -> None:
    end = End(2.0, 1011, "down", by_server=True, error=None, detail="", asked=None)
    heard = Heard(_SAID, _ACK, end=end)

    async def scene(channel: ReplayedChannel) -> None:
        begun = trio.current_time()
        assert await channel.ended_by(begun + 60) is None
        await channel.send("hello", 0)
        ending = await channel.ended_by(begun + 120)
        assert ending == Ending(begun + 61, 1011, "down", by_server=True)
        assert await _data(channel) == "ack"
        assert await channel.receive(0) == ending
        assert (await channel.send("late", 0)).error is ErrorKind.CLOSED_EARLY
        assert await channel.close() == ending

    heard.play(scene)


def test_a_close_by_the_flow_ends_as_it_did() -> None:
    end = End(2.0, 1006, "", by_server=True, error=ErrorKind.TIMEOUT_CLOSE, detail="no close", asked=1000)
    heard = Heard(_SAID, end=end)

    async def scene(channel: ReplayedChannel) -> None:
        assert await channel.ended_by(trio.current_time() + 60) is None
        ending = await channel.close(3000)
        assert (ending.error, ending.detail) == (ErrorKind.TIMEOUT_CLOSE, "no close")

    heard.play(scene)
    assert heard.differences == ["it was closed with the code 1000, and now with 3000"]
    assert heard.notes == ["the recorded message hello was not sent"]


def test_a_close_that_comes_sooner_than_it_did_is_in_order() -> None:
    end = End(2.0, 1011, "down", by_server=True, error=None, detail="", asked=None)

    async def scene(channel: ReplayedChannel) -> None:
        ending = await channel.close(3000, "enough")
        assert (ending.code, ending.reason, ending.by_server) == (3000, "enough", False)

    Heard(end=end).play(scene)


def test_a_ping_takes_as_long_as_it_did() -> None:
    heard = Heard()
    heard.take = ChannelTake(ChannelKind.WEBSOCKET, pings=2, pongs=(0.25, 0.5))

    async def scene(channel: ReplayedChannel) -> None:
        far = trio.current_time() + 60
        assert [await channel.ping(far), await channel.ping(far), await channel.ping(far)] == [0.25, 0.5, 0.5]
        assert await channel.ping(trio.current_time() + 0.1) is None

    heard.play(scene)


def test_a_ping_without_a_recorded_pong_has_none() -> None:
    heard = Heard()
    heard.take = ChannelTake(ChannelKind.WEBSOCKET, pings=1)

    async def scene(channel: ReplayedChannel) -> None:
        assert await channel.ping(trio.current_time() + 5) is None

    heard.play(scene)


def test_an_event_stream_knows_its_last_event() -> None:
    heard = Heard(Passed(False, 0.1, "a", "tick", "7"), Passed(False, 0.2, "b", "tick"), kind=ChannelKind.EVENTS)

    async def scene(channel: ReplayedChannel) -> None:
        found = await channel.receive(trio.current_time() + 1)
        assert isinstance(found, EventMessage)
        assert (found.event, found.id, found.data) == ("tick", "7", "a")
        assert await _data(channel) == "b"
        assert channel.last_id == "7"
        channel.drop()
        assert channel.ending is not None
        assert channel.ending.error is None

    heard.play(scene)
