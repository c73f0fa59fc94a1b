"""WebSockets and event streams as `try` records them, and `try --replay` plays them without a target."""

import json
import re
from pathlib import Path

import pytest
from program import vezaflow

pytestmark = pytest.mark.slow

CHAT = """
steps:
  - websocket: /api/v1/ws
    name: chat
    query: {room: "${vu}"}
    do:
      - send: {json: {id: "${uuid()}", text: hello}}
        ack: {where: json("$.type") == "ack" and json("$.id") == sent.id, within: 1s}
      - think: 50ms
      - send: {json: {type: ping}}
      - receive: {where: json("$.type") == "pong", within: 2s, extract: {kind: $.type}}
      - log: a ${kind}
      - ping: {within: 1s}
"""
FEED = """
steps:
  - sse: /api/v1/events?every=0.01
    name: feed
    do:
      - repeat: 3
        do:
          - receive: {where: message.event == "tick", within: 2s, extract: {number: $.number}}
      - log: event ${number}
"""


class Tried:
    """A flow that is tried once against a sandbox, which is gone afterwards, and then replayed."""

    def __init__(self, folder: Path) -> None:
        self.state = {"XDG_STATE_HOME": str(folder / "state")}
        self.folder = folder / "suite"
        self.folder.mkdir()
        (self.folder / "suite.yml").write_text("suite: test\nbase_url: ${env.BASE_URL}\n")

    def record(self, flow: str, *words: str, code: int = 0) -> str:
        (self.folder / "flow.yml").write_text(flow)
        done = vezaflow("try", self.folder, "--sandbox", *words, env=self.state)
        assert done.code == code, done.text
        return done.out

    def replay(self, flow: str, code: int = 0) -> str:
        (self.folder / "flow.yml").write_text(flow)
        done = vezaflow("try", self.folder, "--replay", env=self.state, limit=30)
        assert done.code == code, done.text
        return done.out

    @property
    def tape(self) -> Path:
        (tape,) = (self.folder.parent / "state" / "vezaflow" / "try").iterdir()
        return tape


@pytest.fixture
def tried(tmp_path: Path) -> Tried:
    return Tried(tmp_path)


def told(out: str) -> list[str]:
    """What steps and channels have said, without times, in an order that does not depend on them."""
    lines = [line for line in out.splitlines() if line.startswith("▶")]
    return sorted(re.sub(r"   \+.*|(?<=pong after ).*", "", line) for line in lines)


def test_a_websocket_is_replayed_without_its_target(tried: Tried) -> None:
    live = tried.record(CHAT)
    offline = tried.replay(CHAT.replace("50ms", "1h"))
    assert told(offline) == [line.replace("50 ms", "1h") for line in told(live)]
    assert "101 Switching Protocols" in offline
    assert "1 request, all as expected; nothing was sent: the responses were recorded on " in offline
    assert "replay:" not in offline


def test_an_event_stream_is_replayed_without_its_target(tried: Tried) -> None:
    live = tried.record(FEED)
    offline = tried.replay(FEED)
    assert told(offline) == told(live)
    assert "replay:" not in offline


def test_a_message_that_differs_is_told_and_gets_the_recorded_reply(tried: Tried) -> None:
    tried.record(CHAT)
    offline = tried.replay(CHAT.replace("type: ping}", "type: pong}"))
    assert """replay: 'chat': the recorded message is {"type":"ping"}, and this is {"type":"pong"}""" in offline
    assert offline.endswith("; 1 message not as recorded\n")


def test_an_ack_that_was_not_recorded_is_missed(tried: Tried) -> None:
    tried.record(CHAT)
    assert "a message was not acknowledged within 1 s" in tried.replay(CHAT.replace('"ack"', '"read"'), code=99)


def test_what_is_not_recorded_is_told(tried: Tried) -> None:
    tried.record(CHAT)
    longer = CHAT + '      - send: {text: more}\n      - receive: {where: json("$.x") == 1, within: 2s}\n'
    offline = tried.replay(longer, code=99)
    assert "replay: 'chat': no further message is recorded, and this is more" in offline
    assert "replay: 'chat': no further message is recorded\n" in offline
    assert "no message within 2 s (timeout)" in offline
    shorter = CHAT.replace("- send: {json: {type: ping}}", "- think: 1s")
    offline = tried.replay(shorter, code=99)
    assert """the next message was recorded after {"type":"ping"}, which was not sent""" in offline
    offline = tried.replay(CHAT.replace("name: chat", "name: other").replace("api/v1/ws", "ws"), code=99)
    assert "no WebSocket is recorded for 'other'; `vezaflow try` without --replay records one" in offline


def test_what_is_sent_by_itself_and_in_reply_goes_on(tried: Tried) -> None:
    flow = """
    steps:
      - websocket: /api/v1/ws
        name: chat
        every:
          - {each: 40ms, send: {json: {type: ping}}}
        reply:
          - {where: json("$.type") == "pong", send: {json: {id: one, text: again}}}
        do:
          - receive: {where: json("$.type") == "ack", within: 2s}
          - receive: {where: json("$.type") == "ack", within: 2s}
    """
    tried.record(flow)
    offline = tried.replay(flow)
    assert offline.count('▶ → {"type":"ping"}') == 2
    assert "not as recorded" not in offline


def test_a_reconnect_is_a_further_opening(tried: Tried) -> None:
    flow = FEED.replace("    do:\n      - repeat: 3", "    reconnect: {max: 3}\n    do:\n      - repeat: 3")
    live = tried.record(flow, "--sse-close-events", "2")
    offline = tried.replay(flow)
    assert live.count("200 OK") == offline.count("200 OK") == 2
    assert "the server ended the event stream" in offline
    assert told(offline) == told(live)


def test_a_close_by_the_server_is_replayed(tried: Tried) -> None:
    live = tried.record(CHAT, "--ws-close-messages", "1", "--ws-close-code", "4000", code=99)
    offline = tried.replay(CHAT, code=99)
    assert told(offline) == told(live)
    assert "the server closed the WebSocket (code 4000" in offline


def test_a_websocket_that_was_opened_again_is_opened_again(tried: Tried) -> None:
    flow = """
    steps:
      - websocket: /api/v1/ws
        name: chat
        reconnect: {max: 3, wait: 10ms}
        do:
          - repeat: 3
            do:
              - send: {json: {id: "${uuid()}", text: hello}}
              - think: 200ms
          - receive: {where: json("$.type") == "ack", within: 2s}
    """
    live = tried.record(flow, "--ws-close-messages", "2")
    offline = tried.replay(flow)
    assert live.count("101 Switching Protocols") == offline.count("101 Switching Protocols") == 2
    assert told(offline) == told(live)


def test_a_message_that_was_not_acknowledged_is_not_in_the_replay_either(tried: Tried) -> None:
    tried.record(CHAT, "--ws-drop", "100%", code=99)
    assert "a message was not acknowledged within 1 s" in tried.replay(CHAT, code=99)


def test_an_opening_that_was_refused_is_refused_again(tried: Tried) -> None:
    refused = CHAT.replace("/api/v1/ws", "/api/v1/tracks")
    tried.record(refused, code=99)
    assert "the response to the upgrade has status" in tried.replay(refused, code=99)


def test_a_tape_of_the_version_before_channels_is_read(tried: Tried) -> None:
    tried.record(FEED)
    head, *takes = [json.loads(line) for line in tried.tape.read_text().splitlines()]
    head["version"] = 1
    for take in takes:
        del take["channel"]
    tried.tape.write_text("".join(json.dumps(record) + "\n" for record in (head, *takes)))
    offline = tried.replay(FEED, code=99)
    assert "no event stream is recorded for 'feed'; `vezaflow try` without --replay records one" in offline
    assert tried.replay(FEED.split("    do:", maxsplit=1)[0].replace("sse:", "get:")).endswith("\n")


def test_credentials_in_messages_are_not_recorded(tried: Tried) -> None:
    flow = CHAT.replace("text: hello", "text: hello, token: open-sesame-42")
    tried.record(flow)
    assert "hello" in tried.tape.read_text()
    assert "sesame" not in tried.tape.read_text()
    assert "not as recorded" not in tried.replay(flow)
