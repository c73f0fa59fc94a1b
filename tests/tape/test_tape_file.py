"""Where a tape lies, who can read it, and how large it gets."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from vezaflow.protocols import ErrorKind
from vezaflow.tape import Take, Tape, newest, place_for, read_tape, write_tape
from vezaflow.tape.channel_take import ChannelKind, ChannelTake, End, Passed
from vezaflow.tape.take import Key, bounded


def take(step: str = "a", run: int = 1, turn: int = 1, body: bytes | None = b"{}", at: float = 1.0) -> Take:
    return Take(Key(step, run, turn), "GET", "/x", 200, (("a", "b"),), body, 0.1, 0.2, 0.3, None, at)


def tape(*takes: Take) -> Tape:
    return Tape("flow", {"BASE_URL": "http://x"}, None, takes)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    there = tmp_path / "deep" / "tape.jsonl"
    written = tape(take(), take("b", body=b"\xff\x00"), take("c", body=None), take("d", body="é\n".encode()))
    write_tape(there, written)
    assert read_tape(there) == written


def test_channels_that_are_written_are_read_again(tmp_path: Path) -> None:
    there = tmp_path / "tape.jsonl"
    messages = (Passed(True, 0.1, "é"), Passed(False, 0.2, b"bytes"), Passed(False, 0.3, "x", "tick", "7"))
    end = End(0.4, 1011, "down", by_server=True, error=ErrorKind.RESET, detail="reset", asked=None)
    spoken = ChannelTake(ChannelKind.WEBSOCKET, messages=messages, end=end, subprotocol="v1", pings=2, pongs=(0.1,))
    refused = ChannelTake(ChannelKind.EVENTS, refused=ErrorKind.STATUS, detail="status 204", retry=0.5, whole=False)
    written = tape(replace(take(), channel=spoken), replace(take("b"), channel=refused))
    write_tape(there, written)
    assert read_tape(there) == written


def test_a_tape_without_channels_is_of_the_first_version(tmp_path: Path) -> None:
    there = tmp_path / "tape.jsonl"
    there.write_text(
        '{"version":1,"flow":"flow","inputs":{},"base_url":null}\n'
        '{"key":["a",1,1],"method":"GET","url":"/x","status":200,"headers":[["a","b"]],"body":{"text":"{}"},'
        '"sent":0.1,"first":0.2,"ended":0.3,"certificate":null,"at":1.0}\n'
    )
    assert read_tape(there) == Tape("flow", {}, None, (take(),))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"websocket"', '"pigeon"'),
        ('"sent":true', '"sent":1'),
        ('{"text":"a"}', '{"base64":"?"}'),
        ('{"text":"a"}', "{}"),
        ('"error":"reset"', '"error":"none"'),
        ('"pongs":[0.1]', '"pongs":["x"]'),
    ],
)
def test_a_damaged_channel_is_said_to_be(tmp_path: Path, good: str, bad: str) -> None:
    there = tmp_path / "tape.jsonl"
    end = End(0.4, 1011, "", by_server=True, error=ErrorKind.RESET, detail="", asked=None)
    spoken = ChannelTake(ChannelKind.WEBSOCKET, messages=(Passed(True, 0.1, "a"),), end=end, pongs=(0.1,))
    write_tape(there, tape(replace(take(), channel=spoken)))
    assert good in there.read_text()
    there.write_text(there.read_text().replace(good, bad))
    with pytest.raises(ValueError, match=r"\w"):
        read_tape(there)


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    there = tmp_path / "try" / "tape.jsonl"
    old = os.umask(0)
    try:
        write_tape(there, tape(take()))
    finally:
        os.umask(old)
    assert stat.S_IMODE(there.stat().st_mode) == 0o600
    assert stat.S_IMODE(there.parent.stat().st_mode) == 0o700
    assert [path.name for path in there.parent.iterdir()] == ["tape.jsonl"]


def test_its_place_follows_the_flow_s_file(tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "flow.yml", tmp_path / "b" / "flow.yml"
    places = {place_for(path, {"XDG_STATE_HOME": "/state"}) for path in (one, other)}
    assert len(places) == 2
    assert {place.parent for place in places} == {Path("/state/vezaflow/try")}
    assert place_for(one, {"HOME": "/home/me"}).parent == Path("/home/me/.local/state/vezaflow/try")
    assert place_for(one, {"XDG_STATE_HOME": "relative", "HOME": "/home/me"}).parent.parts[1] == "home"


@pytest.mark.parametrize(
    "text", ["", "{", "[]\n", '{"version": 99}\n', '{"version": 1}\n', '{"version":1,"flow":"f"}\n{}\n']
)
def test_what_is_damaged_is_said_to_be(tmp_path: Path, text: str) -> None:
    there = tmp_path / "tape.jsonl"
    there.write_text(text)
    with pytest.raises(ValueError, match=r"\w"):
        read_tape(there)


def test_no_tape_is_no_error(tmp_path: Path) -> None:
    assert read_tape(tmp_path / "none.jsonl") is None


def test_the_oldest_tapes_go(tmp_path: Path) -> None:
    for number in range(55):
        there = tmp_path / f"{number}.jsonl"
        write_tape(there, tape(take()))
        os.utime(there, (number, number))
    write_tape(tmp_path / "last.jsonl", tape(take()))
    left = {path.stem for path in newest(tmp_path)}
    assert len(left) == 50
    assert {"last", "54"} <= left
    assert "0" not in left


def test_steps_that_did_not_run_keep_their_takes() -> None:
    older, fresh = tape(take("a", at=1.0), take("a", 2, at=1.0), take("b", at=1.0)), tape(take("a", at=2.0))
    assert [(t.key.step, t.key.run, t.at) for t in fresh.over(older).takes] == [("a", 1, 2.0), ("b", 1, 1.0)]
    assert fresh.over(None) is fresh


def test_a_tape_is_bounded() -> None:
    takes = [take(body=b"x" * 600) for _ in range(10)]
    assert len(bounded(takes, 5 * takes[0].size)) == 5
