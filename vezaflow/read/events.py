"""`events` of suite.yml: what happens at a time of the load."""

import re

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.keys import EVENT, HAPROXY, UNDO, Kind
from vezaflow.metrics import OUTSIDE
from vezaflow.model import EventAction, HAProxyAction, MarkAction, StepsAction, SuiteEvent
from vezaflow.read import scalars
from vezaflow.read.mappings import Row, items, open_mapping, sub_mapping
from vezaflow.read.profiles import read_event_profile, read_profiles
from vezaflow.read.steps import read_steps
from vezaflow.read.trees import scalar_text
from vezaflow.syntax import Expression, Mapping, Node, Sequence

_NAME = re.compile(r"\w(?:[\w .-]*\w)?")  # what a label's value may be without doubt


def read_events(row: Row) -> tuple[SuiteEvent, ...]:
    """The events under `events`, and those that `profile` stands for, in the order written; names that can't be used
    are reported."""
    nodes = items(row.node("events"), "'events'", Kind.SCHEDULE.value, row.diagnostics)
    own = (event for node in nodes if (event := _event(node, row.diagnostics)) is not None)
    found = (*own, *read_profiles(row))
    taken: dict[str, Span] = {}
    for event in found:
        _check_name(event, row.diagnostics)
        if event.name in taken:
            row.diagnostics.error(
                "VF160",
                event.span,
                f"there are two events '{event.name}'",
                help="give each a name of its own: gates find them by it",
                related=((taken[event.name], "the first"),),
            )
        taken.setdefault(event.name, event.span)
    return found


def _event(node: Node, diagnostics: Diagnostics) -> SuiteEvent | None:
    row = open_mapping(node, EVENT, diagnostics)
    if row is None or "name" not in row.entries:
        return None
    name, span = row.text("name"), row.entries["name"].value.span
    action = _action(row, name)
    return SuiteEvent(
        name=name,
        at=row.expression("at"),
        every=row.expression("every"),
        lasts=row.expression("for"),
        window=row.expression("window"),
        action=action,
        final=_undo(row),
        span=span,
    )


def _check_name(event: SuiteEvent, diagnostics: Diagnostics) -> None:
    name = event.name
    if name == OUTSIDE or not _NAME.fullmatch(name):
        why = "`during:none` means outside of all events" if name == OUTSIDE else "use letters, digits, blanks, - and _"
        diagnostics.error("VF160", event.span, f"'{name}' can't be the name of an event", help=why)


def _action(row: Row, name: str) -> EventAction:
    if "do" in row.entries:
        return StepsAction(read_steps(row, "do"))
    return _haproxy(row) or read_event_profile(row, name) or MarkAction()


def _undo(row: Row) -> EventAction:
    node = row.node("finally")
    if node is None:
        return MarkAction()
    if isinstance(node, Sequence):
        return StepsAction(read_steps(row, "finally"))
    if not isinstance(node, Mapping):
        scalars.report_shape(node, "'finally'", Kind.UNDO.value, row.diagnostics)
        return MarkAction()
    inner = open_mapping(node, UNDO, row.diagnostics)
    return MarkAction() if inner is None else _haproxy(inner) or MarkAction()


def _haproxy(row: Row) -> HAProxyAction | None:
    inner = sub_mapping(row, "haproxy", HAPROXY)
    if inner is None:
        return None
    return HAProxyAction(
        socket=inner.expression("socket"),
        tcp=inner.expression("tcp"),
        commands=_commands(inner),
        span=row.key_span("haproxy"),
    )


def _commands(row: Row) -> tuple[Expression, ...]:
    node = row.node("command")
    if node is None:
        return ()
    listed = items(node, "'command'", Kind.COMMANDS.value, row.diagnostics) if isinstance(node, Sequence) else (node,)
    return tuple(scalar_text(each, "command", row.diagnostics) for each in listed)
