"""Where a flow's tape lies: one file of JSON lines below `$XDG_STATE_HOME/vezaflow/try`, for its owner alone.

Laws: a tape is written whole or not at all; what can't be read is told, never guessed at; the folder is bounded.
"""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson

from vezaflow.protocols import ErrorKind
from vezaflow.tape.channel_take import ChannelKind, ChannelTake, End, Passed
from vezaflow.tape.take import Key, Take, Tape
from vezaflow.untrusted import MappingOf, Maybe, Null, Shape, TupleOf, misfit

_VERSION = 2
_READ = (1, _VERSION)  # the first one had no channels
_MOST_TAPES = 50  # the oldest go
_HEAD: Shape = {"version": int, "flow": str, "inputs": MappingOf(str), "base_url": Null(str)}
_DATA: Shape = {"text": Maybe(str), "base64": Maybe(str)}
_KINDS = frozenset(kind.value for kind in ErrorKind)
_END: Shape = {
    "at": float,
    "code": int,
    "reason": str,
    "by_server": bool,
    "error": Null(_KINDS),
    "detail": str,
    "asked": Null(int),
}
_CHANNEL: Shape = {
    "kind": frozenset(kind.value for kind in ChannelKind),
    "refused": Null(_KINDS),
    "detail": str,
    "messages": [{"sent": bool, "at": float, "data": _DATA, "event": str, "id": str}],
    "whole": bool,
    "end": Null(_END),
    "subprotocol": Null(str),
    "retry": Null(float),
    "pings": int,
    "pongs": [float],
}
_TAKE: Shape = {
    "key": TupleOf((str, int, int)),
    "method": str,
    "url": str,
    "status": int,
    "headers": [TupleOf((str, str))],
    "body": Null(_DATA),
    **dict.fromkeys(("sent", "first", "ended", "at"), float),
    "certificate": Null(float),
    "channel": Maybe(Null(_CHANNEL)),
}


def place_for(flow_file: Path, environment: Mapping[str, str]) -> Path:
    """The file of the tape of a flow, whether it is there or not."""
    state = environment.get("XDG_STATE_HOME", "")
    home = Path(state) if state.startswith("/") else Path(environment.get("HOME") or "/", ".local", "state")
    whole = flow_file.resolve()
    name = re.sub(r"[^A-Za-z0-9._-]", "-", whole.stem)[:40]
    return home / "vezaflow" / "try" / f"{name}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:16]}.jsonl"


def write_tape(path: Path, tape: Tape) -> None:
    """Replace the tape at `path`. OSError when it can't be written."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(_lines(tape))
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    for old in newest(path.parent)[_MOST_TAPES:]:
        old.unlink(missing_ok=True)


def read_tape(path: Path) -> Tape | None:
    """The tape at `path`, None where there is none. ValueError, or OSError, when it can't be read."""
    try:
        written = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        records: list[Any] = list(map(orjson.loads, written.splitlines()))
    except orjson.JSONDecodeError as e:
        raise ValueError(f"it is corrupt: {e}") from None
    head, takes = (records[0] if records else {}), records[1:]
    if isinstance(head, dict) and head.get("version", _VERSION) not in _READ:
        raise ValueError("it is from another version of vezaflow")
    if place := misfit(head, _HEAD) or misfit(takes, [_TAKE]):
        raise ValueError(f"it is corrupt: `{place}` is invalid")
    try:
        return Tape(head["flow"], head["inputs"], head["base_url"], tuple(map(_take, takes)))
    except (KeyError, TypeError) as e:
        raise ValueError(f"it is corrupt: {e}") from None


def newest(folder: Path) -> list[Path]:
    """The tapes in a folder, the newest first."""
    return sorted(folder.glob("[!.]*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)


def _lines(tape: Tape) -> Iterator[bytes]:
    head = {"version": _VERSION, "flow": tape.flow, "inputs": dict(tape.inputs), "base_url": tape.base_url}
    yield orjson.dumps(head) + b"\n"
    for take in tape.takes:
        fields = asdict(replace(take, channel=None))
        fields["key"] = list(take.key)
        fields["body"] = None if take.body is None else _written(take.body)
        fields["channel"] = None if take.channel is None else _channel_written(take.channel)
        yield orjson.dumps(fields) + b"\n"


def _written(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return _in_base64(data)


def _in_base64(data: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(data).decode()}


def _read(data: Mapping[str, str]) -> bytes:
    return data["text"].encode() if "text" in data else base64.b64decode(data["base64"], validate=True)


def _channel_written(channel: ChannelTake) -> dict[str, Any]:
    """Of a message a text is one that was sent as such, and all else in base64."""
    messages = [
        {**asdict(each), "data": {"text": each.data} if isinstance(each.data, str) else _in_base64(each.data)}
        for each in channel.messages
    ]
    return {**asdict(replace(channel, messages=())), "messages": messages}  # orjson writes an enum as its value


def _take(fields: dict[str, Any]) -> Take:
    body, channel = fields["body"], fields.get("channel")
    headers = tuple((str(name), str(value)) for name, value in fields["headers"])
    read: dict[str, Any] = {
        "key": Key(*fields["key"]),
        "headers": headers,
        "body": None if body is None else _read(body),
        "channel": None if channel is None else _channel(channel),
    }
    return Take(**{**fields, **read})


def _channel(fields: dict[str, Any]) -> ChannelTake:
    end = fields["end"]
    read: dict[str, Any] = {
        "kind": ChannelKind(fields["kind"]),
        "refused": _kind(fields["refused"]),
        "messages": tuple(map(_passed, fields["messages"])),
        "end": None if end is None else End(**{**end, "error": _kind(end["error"])}),
        "pongs": tuple(fields["pongs"]),
    }
    return ChannelTake(**{**fields, **read})


def _passed(fields: dict[str, Any]) -> Passed:
    data = fields["data"]
    return Passed(**{**fields, "data": data["text"] if "text" in data else _read(data)})


def _kind(name: str | None) -> ErrorKind | None:
    return None if name is None else ErrorKind(name)
