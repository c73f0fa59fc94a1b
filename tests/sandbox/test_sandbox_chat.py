"""The sandbox's chat, as `websockets`' own client sees it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from vezaflow.errors import VezaflowError
from vezaflow.sandbox import Sandbox, SandboxSettings, start


@contextmanager
def joined(sandbox: Sandbox, query: str = "", **more: Any) -> Iterator[ClientConnection]:
    url = sandbox.base_url.replace("http", "ws", 1) + "/api/v1/ws" + query
    with connect(url, proxy=None, compression=None, **more) as member:
        yield member


def say(member: ClientConnection, **record: Any) -> None:
    member.send(json.dumps(record))


def told(member: ClientConnection, within: float = 2.0) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(member.recv(within))
    return record


def told_all(member: ClientConnection) -> list[Any]:
    """The ids of what comes before the pong."""
    say(member, type="ping")
    found = []
    while (record := told(member))["type"] != "pong":
        found.append(record["id"])
    return found


def test_a_message_is_acknowledged_and_goes_to_the_others_in_its_room(sandbox: Sandbox) -> None:
    with joined(sandbox, "?room=a") as ann, joined(sandbox, "?room=a") as ben, joined(sandbox, "?room=b") as cleo:
        say(ann, id="1", text="hello")
        assert told(ann) == {"type": "ack", "id": "1"}
        found = told(ben)
        assert found.pop("from").startswith("user-")
        assert found == {"type": "message", "id": "1", "text": "hello"}
        assert told_all(ann) == told_all(cleo) == []


def test_heartbeats_are_answered(sandbox: Sandbox) -> None:
    with joined(sandbox) as member:
        say(member, type="ping")
        assert told(member) == {"type": "pong"}


def test_what_is_no_json_object_closes_the_connection(sandbox: Sandbox) -> None:
    with joined(sandbox) as member:
        member.send("hello")
        with pytest.raises(ConnectionClosed):
            member.recv(2)
        assert member.close_code == 1007


def test_another_path_is_not_found(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(sandbox.base_url.replace("http", "ws", 1) + "/x", proxy=None):
        pass
    assert refused.value.response.status_code == 404


@pytest.mark.slow
def test_the_upgrade_needs_the_token_when_asked_for() -> None:
    with start(SandboxSettings(ws_auth=True)) as sandbox:
        with pytest.raises(InvalidStatus) as refused, joined(sandbox):
            pass
        assert refused.value.response.status_code == 401
        with joined(sandbox, additional_headers={"Authorization": f"Bearer {sandbox.token}"}) as member:
            assert told_all(member) == []


@pytest.mark.slow
def test_messages_are_dropped_and_sent_twice_as_asked_for() -> None:
    with start(SandboxSettings(ws_drop=0.3, ws_duplicate=0.3)) as sandbox, joined(sandbox) as member:
        for number in range(100):
            say(member, id=number)
        found = told_all(member)
        assert 50 < len(set(found)) < 90
        assert 10 < len(found) - len(set(found)) < 40
        assert found == sorted(found)


@pytest.mark.slow
def test_messages_come_late_and_out_of_order_as_asked_for() -> None:
    with start(SandboxSettings(ws_delay=0.05, ws_reorder=0.3)) as sandbox, joined(sandbox) as member:
        for number in range(20):
            say(member, id=number)
        found = [told(member)["id"] for _ in range(20)]
        assert sorted(found) == list(range(20))
        assert found != sorted(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (SandboxSettings(ws_close_after=0.1, ws_close_code=4401), 4401),
        (SandboxSettings(ws_close_messages=2), 1011),
        (SandboxSettings(ws_idle=0.1), 4408),
    ],
    ids=["time", "messages", "idle"],
)
def test_connections_are_closed_as_asked_for(settings: SandboxSettings, code: int) -> None:
    with start(settings) as sandbox, joined(sandbox) as member:
        for number in range(2):
            say(member, id=number)
        assert [told(member)["id"] for _ in range(2)] == [0, 1]
        with pytest.raises(ConnectionClosed):
            member.recv(2)
        assert member.close_code == code


@pytest.mark.slow
@pytest.mark.parametrize(("code", "expected"), [(0, 4401), (1008, 1008)])
def test_a_token_expires_in_mid_session_and_a_login_issues_another(code: int, expected: int) -> None:
    with start(SandboxSettings(ws_token_lifetime=0.5, ws_close_code=code)) as sandbox:
        mine = {"Authorization": f"Bearer {sandbox.token}"}
        with joined(sandbox, additional_headers=mine) as member:
            assert told_all(member) == []
            with pytest.raises(ConnectionClosed):
                member.recv(2)
            assert member.close_code == expected
        with pytest.raises(InvalidStatus) as refused, joined(sandbox, additional_headers=mine):
            pass
        assert refused.value.response.status_code == 401
        user = {"email": "listener@veza.fr", "password": "sandbox"}
        token = httpx.post(f"{sandbox.base_url}/api/v1/auth/login", json=user).json()["token"]
        theirs = {"Authorization": f"Bearer {token}"}
        with joined(sandbox, additional_headers=theirs) as member:
            assert told_all(member) == []
        assert httpx.get(f"{sandbox.base_url}/api/v1/users/me", headers=mine).status_code == 200, "of the chat alone"
        assert httpx.get(f"{sandbox.base_url}/api/v1/users/me", headers=theirs).status_code == 200


@pytest.mark.parametrize("code", [999, 1005, 1006, 1015, 2000, 5000])
def test_close_codes_that_no_frame_may_have_are_refused(code: int) -> None:
    with pytest.raises(VezaflowError, match=f"code {code}"):
        SandboxSettings(ws_close_code=code)
