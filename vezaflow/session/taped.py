"""The tape of a flow: found by the flow's file, played in a rehearsal, or brought up to date by one."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import Flow
from vezaflow.outputs import Traced, TracedRequest
from vezaflow.plan import Inputs, Plan, Secrets
from vezaflow.tape import SEARCHED, Recording, Tape, blotted, credentials_of, place_for, read_tape, write_tape


def tape_to_replay(flow: Flow) -> Tape:
    """What was recorded of the flow. Raises VezaflowError where nothing was, or nothing that can be read."""
    path = place_of_tape(flow)
    try:
        tape = read_tape(path)
    except (OSError, ValueError) as e:
        raise VezaflowError(
            f"--replay: the recording {path} can't be read: {e}",
            hint="run `vezaflow try` without --replay to record a new one",
            code=ExitCode.REFUSED,
        ) from None
    if tape is None or not tape.takes:
        raise VezaflowError(
            f"--replay: there is no recording of the flow {flow.name}",
            hint="run `vezaflow try` without --replay once to record the responses",
            code=ExitCode.REFUSED,
        )
    return tape


def as_recorded(inputs: Inputs, tape: Tape, *, tape_wins: bool) -> Inputs:
    """The inputs, with those of the recording where there are none (`tape_wins`: instead of them)."""
    layers = (inputs.environment, tape.inputs) if tape_wins else (tape.inputs, inputs.environment)
    base_url = tape.base_url if inputs.base_url is None else inputs.base_url
    return replace(inputs, environment={**layers[0], **layers[1]}, base_url=base_url)


def keep_tape(recording: Recording, plan: Plan, flow: Flow) -> str:
    """Write what was recorded over what was there of the same steps. Returns why that can't be, or ''."""
    path = place_of_tape(flow)
    try:
        older = read_tape(path)
    except (OSError, ValueError):
        older = None
    tape = recording.tape(plan, flow.name, older)
    try:
        write_tape(path, tape)
    except OSError as e:
        return f"not recorded for --replay: {path}: {e.strerror}"
    return ""


def mask_of(events: Iterable[Traced], secrets: Secrets) -> Callable[[str], str]:
    """Blots out the secrets, and the credentials in what was sent and answered: for what is kept of a trace."""
    found: dict[str, None] = {}
    for event in events:
        if isinstance(event, TracedRequest):
            for piece in event.pieces:
                found.update(dict.fromkeys(credentials_of(event.request_headers, bytes(piece[:SEARCHED]))))
            found.update(dict.fromkeys(credentials_of((), url=event.url)))
            if event.response is not None:
                found.update(dict.fromkeys(credentials_of(event.response.headers, event.response.body)))
    known = secrets.and_of(found)
    return lambda text: blotted(known.mask(text).encode(errors="replace")).decode()


def place_of_tape(flow: Flow) -> Path:
    return place_for(Path(flow.source.path), os.environ)
