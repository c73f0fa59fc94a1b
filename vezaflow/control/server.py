"""The running test's side of its control socket.

Laws: only its owner gets a response; a caller can't hold up the run (requests are short lines, callers few, and each
response is made from what the last tick said); the socket appears under its name only once it can response, and is
gone when the run is. A run that can't be steered is still a run: `serve` says why and lets it go on.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import trio

from vezaflow.control.client import sweep
from vezaflow.control.place import folders, own_folder, socket_path
from vezaflow.control.wire import REQUEST_LIMIT, Controls, is_owner
from vezaflow.errors import VezaflowError
from vezaflow.model import MOST_VUS

_CALLERS = 16  # at once
_IDLE = 60.0  # seconds that a caller may be silent, or slow to read


async def serve(
    controls: Controls,
    run_id: str,
    *,
    folder: Path | None = None,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """ResponseView other terminals until cancelled. Started with '' when it listens, or with why it can't."""
    try:
        place = own_folder(folders() if folder is None else (folder,))
        sweep((place,))
        path = socket_path(place, run_id)
        listening = _listen(path)
    except VezaflowError as e:
        task_status.started(e.message)
        return
    except OSError as e:
        task_status.started(f"this run can't be controlled from another terminal: {e.strerror}")
        return
    try:
        reception = _Reception(controls)
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
        task_status.started("")
        await trio.serve_listeners(reception.attend, [listener])
    finally:
        path.unlink(missing_ok=True)


def _listen(path: Path) -> socket.socket:
    """A listening socket under a name of its own. It is renamed to that when it listens: whoever finds a socket that
    refuses knows that its run is dead."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        listening.bind(str(unfinished))
        os.chmod(unfinished, 0o600)
        listening.listen(_CALLERS)
        unfinished.rename(path)
    except OSError:
        listening.close()
        unfinished.unlink(missing_ok=True)
        raise
    return listening


class _Reception:
    """Takes callers in, one task each."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._callers = 0

    async def attend(self, stream: trio.SocketStream) -> None:
        """One caller, from its first request to its last."""
        if self._callers >= _CALLERS:
            return
        self._callers += 1
        try:
            if is_owner(stream.socket):
                with trio.move_on_after(_IDLE) as patience:
                    await self._converse(stream, patience)
        except (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            pass  # the caller has left
        finally:
            self._callers -= 1

    async def _converse(self, stream: trio.SocketStream, patience: trio.CancelScope) -> None:
        received = bytearray()
        while chunk := await stream.receive_some(REQUEST_LIMIT):
            received += chunk
            while (end := received.find(b"\n")) >= 0:
                line = bytes(received[:end])
                del received[: end + 1]
                await stream.send_all(orjson.dumps(response(self._controls, line)) + b"\n")
                patience.deadline = trio.current_time() + _IDLE
            if len(received) > REQUEST_LIMIT:
                await stream.send_all(orjson.dumps(_wrong("a request must be one short line")) + b"\n")
                return


def response(controls: Controls, line: bytes) -> dict[str, Any]:
    """What a request is answered."""
    try:
        request = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _wrong("a request must be a line of JSON")
    if not isinstance(request, dict):
        return _wrong("a request must be a JSON object")
    act = _ACTS.get(str(request.get("do")))
    if act is None:
        return _wrong(f"a request needs `do`: {', '.join(_ACTS)}")
    try:
        return act(controls, request)
    except VezaflowError as e:
        return {"error": e.message, "hint": e.hint}


def _pause(controls: Controls, request: dict[str, Any]) -> dict[str, Any]:
    return {"said": controls.pause(_flow(request))}


def _resume(controls: Controls, request: dict[str, Any]) -> dict[str, Any]:
    return {"said": controls.resume(_flow(request))}


def _scale(controls: Controls, request: dict[str, Any]) -> dict[str, Any]:
    flow, vus = _flow(request), request.get("vus")
    if flow is None or type(vus) is not int or not 0 <= vus <= MOST_VUS:
        raise VezaflowError(f"`scale` needs a flow and a whole number of VUs, {MOST_VUS:,} at most")
    return {"said": controls.scale(flow, vus)}


def _mark(controls: Controls, request: dict[str, Any]) -> dict[str, Any]:
    text = request.get("text")
    if not isinstance(text, str):
        raise VezaflowError("`mark` needs a text")
    return {"said": controls.mark(text)}


def _flow(request: dict[str, Any]) -> str | None:
    flow = request.get("flow")
    if flow is not None and not isinstance(flow, str):
        raise VezaflowError("a flow is named by a text")
    return flow


def _wrong(message: str) -> dict[str, Any]:
    return {"error": message, "hint": ""}


_ACTS: dict[str, Callable[[Controls, dict[str, Any]], dict[str, Any]]] = {
    "status": lambda controls, _: controls.status(),
    "pause": _pause,
    "resume": _resume,
    "scale": _scale,
    "mark": _mark,
    "stop": lambda controls, _: {"said": controls.stop()},
}
