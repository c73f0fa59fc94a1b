"""Autobahn's cases, as kosoku runs them, against an echo made of our channel: framing, pings, fragments, UTF-8, closes,
limits, compression. Its server runs in a thread, as it needs asyncio; in CI the cases that take long are left out.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio
from kosoku import FailureError, run_fuzzingserver
from ws_peer import get, opened, ws_client

from vezaflow.protocols import ChannelMessage, Client, Origin, WebSocketOptions
from vezaflow.protocols.websocket import WebSocketChannel

PASSED = ("OK", "NON-STRICT", "INFORMATIONAL")
UNOFFERED = "UNIMPLEMENTED"  # what a server of 13.* would only agree to if we offered more than browsers do
BASIC = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
LONG = ["12.*", "13.*"]
Verdicts = dict[str, tuple[str, str]]


@contextmanager
def fuzzing(cases: list[str], verdicts: Verdicts) -> Iterator[Origin]:
    """The server; leaving it waits for what it found."""
    started = threading.Event()
    ports: list[int] = []

    async def run() -> None:
        async with run_fuzzingserver(cases, port=0) as server:
            ports.append(server.port)
            started.set()
            try:
                results = await server.get_result()
            except FailureError as error:
                results = error.results
        for each in results:
            verdicts[each.case_id] = (each.behavior.value, each.behavior_close.value)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    started.wait(10)
    yield Origin("http", "127.0.0.1", ports[0])
    thread.join(10)


async def echo_all(client: Client, origin: Origin, *, compress: bool) -> int:
    """Run every case; how many there were."""
    channel = await opened(client, origin, target="/getCaseCount")
    told = await channel.receive(client.clock() + 5)
    assert isinstance(told, ChannelMessage)
    await channel.close()
    options = WebSocketOptions(30.0, compress=compress, max_message=1 << 26)
    for number in range(1, int(told.data) + 1):
        found = await client.open_websocket(origin, get(origin, f"/runCase?case={number}&agent=vezaflow"), options)
        assert isinstance(found.channel, WebSocketChannel), found.exchange.detail
        while isinstance(message := await found.channel.receive(client.clock() + 120), ChannelMessage):
            await found.channel.send(message.data, client.clock() + 120)
        await found.channel.gone()
    await (await opened(client, origin, target="/updateReports?agent=vezaflow")).close()
    return int(told.data)


def conform(cases: list[str], *, compress: bool = False) -> None:
    verdicts: Verdicts = {}

    async def run(origin: Origin) -> int:
        async with ws_client() as client:
            return await echo_all(client, origin, compress=compress)

    with fuzzing(cases, verdicts) as origin:
        count = trio.run(run, origin)
    passed = (*PASSED, UNOFFERED) if compress else PASSED
    wrong = {case: found for case, found in verdicts.items() if not all(each in passed for each in found)}
    assert (len(verdicts), wrong) == (count, {})


@pytest.mark.slow
@pytest.mark.parametrize("cases", [BASIC, ["9.*"]], ids=["basic", "limits"])
def test_cases_are_right(cases: list[str]) -> None:
    conform(cases)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("cases", LONG)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_compression_is_right(cases: str) -> None:
    conform([cases], compress=True)
