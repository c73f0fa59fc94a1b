"""Fetching profiles of the server while the load goes on, and what they say once it is over.

Laws: a profile that can't be had is told, with the reason, and costs no verdict but that of gates on it. While the load
goes on nothing is unpacked or counted: bytes come, and go to a file in a thread, where they are read from afterwards;
they stay in memory only where there is no file. The request is the suite's own,
through its guard; its client is not one of the load's.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import trio

from vezaflow.engine import VU
from vezaflow.observe import named_functions
from vezaflow.outputs import PostError, taken
from vezaflow.plan import EvaluationError, PlannedGate, PlannedProfile
from vezaflow.profiles import (
    PprofError,
    ProfileRecord,
    looks_like_pprof,
    parse_pprof,
    record_of,
)
from vezaflow.protocols import ErrorKind, RequestOptions, Want

PATIENCE = 15.0  # seconds beyond those that a profile is taken over
_GZIP = b"\x1f\x8b"
_WANT = Want.HEADERS | Want.BODY | Want.SHOWN
_UNFIT = re.compile(r"[^\w.-]")
_LATE = (ErrorKind.TIMEOUT_CONNECT, ErrorKind.TIMEOUT_SEND, ErrorKind.TIMEOUT_WAIT, ErrorKind.TIMEOUT_RECEIVE)


class ProfileError(Exception):
    """Why a profile could not be taken, in words."""


@dataclass(slots=True, eq=False)
class _Capture:
    """A profile as it came; with a `problem` there is none. Seconds of the load."""

    name: str
    begin: float
    end: float
    problem: str
    data: bytes = b""
    file: str = ""


class Profiler:
    """The profiles of one run. `folder`: where they are kept; None: only what is counted from them is."""

    def __init__(self, run_id: str, folder: Path | None, say: Callable[[str], None]) -> None:
        self._run_id = run_id
        self._folder = folder
        self._say = say
        self._captures: list[_Capture] = []
        self._read: dict[int, ProfileRecord] = {}  # by the number of the capture

    async def take(self, name: str, action: PlannedProfile, vu: VU, now: Callable[[], float]) -> str:
        """Fetch a profile; what was done, in words. Raises ProfileError, or EvaluationError where the request can't be
        made. `now`: the time of the load."""
        capture = _Capture(name, now(), now(), "cut off by the end of the load")
        self._captures.append(capture)
        try:
            capture.data = await _fetched(action, vu)
            capture.problem = ""
            size = len(capture.data)
            await self._keep(capture)
        except ProfileError as e:
            capture.problem = str(e)
            raise
        except EvaluationError as e:
            capture.problem = e.message
            raise
        finally:
            capture.end = now()
        return f"{action.request.forecast.url}, {size / 1024:,.0f} KiB"

    def records(self, gates: Iterable[PlannedGate]) -> tuple[ProfileRecord, ...]:
        """What they say, in the order in which they were taken. Call it when the load is over: reading one takes its
        time."""
        gates = tuple(gates)
        for number, capture in enumerate(self._captures):
            if number not in self._read:
                self._read[number] = _record(capture, gates)
                capture.data = b""
        return tuple(self._read[number] for number in range(len(self._captures)))

    def problems(self) -> tuple[str, ...]:
        """Those that came and can't be read, a line each: that is not known before `records`."""
        pairs = ((each, self._read.get(number)) for number, each in enumerate(self._captures))
        return tuple(
            f"the profile '{capture.name}' can't be read: {record.problem}"
            for capture, record in pairs
            if record is not None and record.problem and not capture.problem
        )

    async def _keep(self, capture: _Capture) -> None:
        if self._folder is None:
            return
        try:
            name = self._file_name(capture)
            capture.file = str(await trio.to_thread.run_sync(_write, self._folder, name, capture.data))
            capture.data = b""
        except OSError as e:
            self._say(f"the profile '{capture.name}' can't be written to {self._folder}: {e.strerror or e}")

    def _file_name(self, capture: _Capture) -> str:
        """A name of its own: profiles of several runs lie in one folder, for `go tool pprof -diff_base`."""
        name = _UNFIT.sub("_", capture.name)
        number = sum(_UNFIT.sub("_", each.name) == name for each in self._captures)
        ending = ".pb.gz" if capture.data.startswith(_GZIP) else ".pb"
        again = f"-{number}" if number > 1 else ""
        return f"{self._run_id}-{name}{again}{ending}"


async def _fetched(action: PlannedProfile, vu: VU) -> bytes:
    outgoing = action.request.prepare(vu)
    limit = action.seconds + PATIENCE
    options = RequestOptions(_WANT, limit, replayable=False, closes=True)
    try:
        exchange = await vu.client.send(outgoing.target.origin, outgoing.head, outgoing.body, options)
        kind = next((value for name, value in exchange.headers if name.lower() == "content-type"), "no type")
        found = taken(exchange)
    except PostError as e:
        if e.error in _LATE:
            raise ProfileError(f"no profile within {limit:g} s ({e})") from None
        raise ProfileError(str(e)) from None
    finally:
        vu.client.close()
    if not looks_like_pprof(found):
        raise ProfileError(f"the response is not a profile in pprof's format, but {kind}: is the URL right?")
    return found


def _write(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(data)
    return file


def _record(capture: _Capture, gates: tuple[PlannedGate, ...]) -> ProfileRecord:
    name, begin, end = capture.name, capture.begin, capture.end
    if capture.problem:
        return ProfileRecord(name, begin, end, problem=capture.problem)
    try:
        profile = parse_pprof(Path(capture.file).read_bytes() if capture.file else capture.data)
    except OSError as e:
        return ProfileRecord(name, begin, end, problem=f"{capture.file} can't be read: {e.strerror or e}")
    except PprofError as e:
        return ProfileRecord(name, begin, end, problem=str(e), file=capture.file)
    return record_of(profile, name, begin, end, file=capture.file, named=named_functions(gates, name))
