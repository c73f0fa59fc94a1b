"""`/debug/pprof/…`: real profiles of the sandbox itself in pprof's format, as Go's net/http/pprof serves them.

`profile` samples the stack of the thread that serves at 100 Hz of the CPU time that the process takes (SIGPROF);
`goroutine` has the tasks that wait, by where they do; `heap` is there while Python traces its memory
(PYTHONTRACEMALLOC), which costs too much otherwise. One CPU profile at a time: a second is refused, with Go's words.
"""

import asyncio
import gzip
import signal
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Mapping
from types import CodeType, FrameType
from urllib.parse import parse_qs

from vezaflow.profiles import pprof_messages
from vezaflow.protobuf import Message
from vezaflow.sandbox.reply import Reply, reply

PREFIX = "/debug/pprof/"
HERTZ = 100
SECONDS = 30  # without the parameter, as Go has it
MOST_SECONDS = 3600
_TEXT = b"text/plain; charset=utf-8"
_BINARY = b"application/octet-stream"
_NANO = 1_000_000_000
_BUSY = "Could not enable CPU profiling: cpu profiling already in use\n"
_THREAD = "Could not enable CPU profiling: the sandbox is not in the main thread of its process\n"

Frame = tuple[str, str, int]  # function, file, line
Stacks = Mapping[tuple[Frame, ...], tuple[int, ...]]  # from the leaf on


class Profiles:
    """What can be asked of one process."""

    def __init__(self) -> None:
        self._busy = False

    async def find(self, path: str, query: bytes) -> Reply | None:
        """The profile of a path; None where there is none."""
        match path.removeprefix(PREFIX):
            case "profile":
                return await self._cpu(_seconds(query))
            case "goroutine":
                return _profile(path, _waiting(), (("goroutine", "count"),))
            case "heap" if tracemalloc.is_tracing():
                kinds = (("inuse_objects", "count"), ("inuse_space", "bytes"))
                return _profile(path, _memory(), kinds)
        return None

    async def _cpu(self, seconds: int) -> Reply:
        route = f"{PREFIX}profile"
        if self._busy:
            return _refused(route, _BUSY)
        if threading.current_thread() is not threading.main_thread():
            return _refused(route, _THREAD)
        self._busy = True
        found: Counter[tuple[Frame, ...]] = Counter()
        began = time.time_ns()
        before = signal.signal(signal.SIGPROF, lambda _, frame: _sample(frame, found))
        try:
            signal.setitimer(signal.ITIMER_PROF, 1 / HERTZ, 1 / HERTZ)
            await asyncio.sleep(seconds)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            self._busy = False
        stacks: Stacks = {stack: (count, count * _NANO // HERTZ) for stack, count in found.items()}
        kinds = (("samples", "count"), ("cpu", "nanoseconds"))
        # in a thread: protobuf is loaded for the first one, and the load should not see that
        return await asyncio.to_thread(_profile, route, stacks, kinds, began, _NANO // HERTZ)


def _seconds(query: bytes) -> int:
    """As Go does: what is no number above zero is 30."""
    found = parse_qs(query.decode("latin-1")).get("seconds", [""])[0]
    seconds = int(found) if found.isascii() and found.isdigit() and len(found) < 6 else 0
    return min(seconds, MOST_SECONDS) or SECONDS


def _refused(route: str, why: str) -> Reply:
    headers = ((b"x-go-pprof", b"1"),)
    return reply(route, why.encode(), status=500, kind=_TEXT, headers=headers)


def _sample(frame: FrameType | None, found: Counter[tuple[Frame, ...]]) -> None:
    found[tuple(_frames(frame))] += 1


def _frames(frame: FrameType | None) -> Iterable[Frame]:
    while frame is not None:
        yield (*_function(frame.f_code, frame.f_globals.get("__name__")), frame.f_lineno)
        frame = frame.f_back


def _function(code: CodeType, module: object) -> tuple[str, str]:
    """The function's name with its module, and its file."""
    return f"{module}.{code.co_qualname}" if module else code.co_qualname, code.co_filename


def _waiting() -> Stacks:
    """The tasks of the loop, by the coroutines that they are in."""
    found: Counter[tuple[Frame, ...]] = Counter()
    for task in asyncio.all_tasks():
        stack = [frame for frame in task.get_stack() if frame is not None]
        found[tuple(next(iter(_frames(frame))) for frame in reversed(stack))] += 1
    return {stack: (count,) for stack, count in found.items() if stack}


def _memory() -> Stacks:
    """What was allocated and not freed, by where. Without traces of more frames a stack has one line."""
    found: dict[tuple[Frame, ...], tuple[int, ...]] = {}
    for each in tracemalloc.take_snapshot().statistics("traceback"):
        stack = tuple((f"{frame.filename}:{frame.lineno}", frame.filename, frame.lineno) for frame in each.traceback)
        found[tuple(reversed(stack))] = (each.count, each.size)
    return found


def _profile(route: str, stacks: Stacks, kinds: tuple[tuple[str, str], ...], began: int = 0, period: int = 1) -> Reply:
    """The response with a profile."""
    packed = gzip.compress(encoded(stacks, kinds, began=began, period=period), 6, mtime=0)
    named = f'attachment; filename="{route.removeprefix(PREFIX)}"'.encode()
    return reply(route, packed, kind=_BINARY, headers=((b"content-disposition", named),))


def encoded(stacks: Stacks, kinds: tuple[tuple[str, str], ...], *, began: int = 0, period: int = 1) -> bytes:
    """A profile's message: each function and each of its lines once."""
    profile: Message = pprof_messages()["Profile"]()
    texts: dict[str, int] = {"": 0}

    def text(value: str) -> int:
        return texts.setdefault(value, len(texts))

    for kind, unit in kinds:
        profile.sample_type.add(type=text(kind), unit=text(unit))
    functions: dict[tuple[str, str], int] = {}
    places: dict[Frame, int] = {}
    for stack, values in stacks.items():
        for name, file, line in stack:
            if (name, file, line) in places:
                continue
            if (name, file) not in functions:
                number = functions[name, file] = len(functions) + 1
                profile.function.add(id=number, name=text(name), system_name=text(name), filename=text(file))
            place = places[name, file, line] = len(places) + 1
            profile.location.add(id=place).line.add(function_id=functions[name, file], line=line)
        profile.sample.add(location_id=[places[frame] for frame in stack], value=values)
    profile.period_type.type, profile.period_type.unit = text(kinds[-1][0]), text(kinds[-1][1])
    profile.period = period
    if began:
        profile.time_nanos, profile.duration_nanos = began, time.time_ns() - began
    profile.string_table.extend(value.encode("utf-8", "replace") for value in texts)
    found: bytes = profile.SerializeToString()
    return found
