"""Whether servers can be reached: a connection each, which is closed at once; Prometheus is asked for its time.

Laws: names are resolved and Prometheus is asked by what a run does both with, so that what is found here holds there.
To a target nothing is sent. All are tried at the same time, each for no longer than `patience`; nothing is raised.
"""

import os
import socket
import time
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import trio

from vezaflow import units
from vezaflow.doctor.finding import Aspect, Finding, Grade
from vezaflow.errors import ExitCode
from vezaflow.observe import PrometheusApi, UnreadError
from vezaflow.plan import PlannedPrometheus, Targets
from vezaflow.protocols import ClientOptions, Resolver, TlsFault, Transport

Target = tuple[str, str, int]  # what it is called, its host and its port
PATIENCE = 3.0  # seconds
_URL = (
    "start it, or check the URL: it is that of the server, without `/graph`, with the password in it; "
    "a token or a CA goes into `observe` in suite.yml"
)
_OBSERVE = "start it, or check `observe` in suite.yml: its URL, `auth` and `tls`"


def reached(targets: Iterable[Target], patience: float = PATIENCE) -> tuple[Finding, ...]:
    """A finding for each target."""
    return trio.run(_reached_all, tuple(targets), patience)


async def _reached_all(targets: tuple[Target, ...], patience: float) -> tuple[Finding, ...]:
    found: dict[Target, Finding] = {}
    resolver = Resolver()

    async def one(target: Target) -> None:
        found[target] = await _reached(target, resolver, patience)

    async with trio.open_nursery() as nursery:
        for target in targets:
            nursery.start_soon(one, target)
    return tuple(found[target] for target in targets)


async def _reached(target: Target, resolver: Resolver, patience: float) -> Finding:
    name, host, port = target
    begun = time.perf_counter()
    problem = "no response in time"
    with trio.move_on_after(patience):
        try:
            await _connected(resolver, host, port)
            problem = ""
        except OSError as e:
            problem = _reason(e)
    if problem:
        remedy = "start it, or check the address, the DNS name and the firewall between here and there"
        return Finding(Aspect.NETWORK, name, Grade.BAD, f"can't be reached: {problem}", remedy, ExitCode.REFUSED)
    took = time.perf_counter() - begun
    text = f"reached, name and connection in {units.duration(took)}"
    return Finding(Aspect.NETWORK, name, Grade.GOOD, text, value=took)


def _reason(error: OSError) -> str:
    """Without the address, which trio's text has, and a user has not written so."""
    of_system = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror
    return (of_system or str(error)).lower()


async def _connected(resolver: Resolver, host: str, port: int) -> None:
    """Open a connection to the first address that takes one, and close it. Raises the OSError of the first one."""
    first: OSError | None = None
    for family, address in await resolver.resolve(host, port):
        with trio.socket.socket(family, socket.SOCK_STREAM) as tried:
            try:
                await tried.connect(address)
                return
            except OSError as e:
                first = first or e
    raise first or OSError("the name has no address")


def prometheus(url: str, patience: float = PATIENCE) -> Finding:
    """Whether a Prometheus is at this URL, and which. A run does without it: it is no reason to send no load."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    headers: tuple[tuple[str, str], ...] = ()
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = (("Authorization", f"Basic {b64encode(pair.encode()).decode()}"),)
    base = f"{parts.scheme}://{place}{parts.path.rstrip('/')}"
    targets = Targets(base, (parts.hostname or "",))
    planned = PlannedPrometheus(targets, ClientOptions(cookies=False), headers, patience, patience, ())
    return _asked(planned, f"Prometheus {parts.scheme}://{place}", _URL, ExitCode.GREEN, patience)


def observed(planned: PlannedPrometheus, *, judges: bool, patience: float = PATIENCE) -> Finding:
    """Whether the Prometheus of a suite's `observe` answers. `judges`: gates need it, and are inconclusive without."""
    origin = planned.base.origin
    name = f"Prometheus {origin.scheme}://{origin.authority}"
    return _asked(planned, name, _OBSERVE, ExitCode.INCONCLUSIVE if judges else ExitCode.GREEN, patience)


def _asked(planned: PlannedPrometheus, name: str, remedy: str, code: ExitCode, patience: float) -> Finding:
    found = trio.run(_said, replace(planned, timeout=min(planned.timeout, patience)), patience)
    if isinstance(found, UnreadError):
        return Finding(Aspect.NETWORK, name, Grade.POOR, f"can't be read: {found}", remedy, code)
    text = f"reached, version {found}" if found else "reached, its version is not known"
    return Finding(Aspect.NETWORK, name, Grade.GOOD, text, value=found or None)


async def _said(planned: PlannedPrometheus, patience: float) -> str | UnreadError:
    """The version of a Prometheus that answers queries; or why there is no answer."""
    transport = Transport(max_body=1 << 20)
    said: str | UnreadError = UnreadError("no response in time")
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        api = PrometheusApi(planned, transport)
        with trio.move_on_after(patience):
            try:
                await api.now()
                said = ""
                said = await api.version()
            except UnreadError as e:
                said = e
            except TlsFault as e:
                said = UnreadError(str(e))
        api.close()
        nursery.cancel_scope.cancel()
    return said
