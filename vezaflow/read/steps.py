"""Steps: a mapping with exactly one verb. The verb's table says which keys may stand beside it."""

import re
from collections.abc import Callable

from vezaflow.diagnostics import Diagnostics
from vezaflow.keys import BRANCH, METHODS, NO_STEPS, OTHERWISE, STEPS, VERBS, Kind, Table
from vezaflow.model import StopScope
from vezaflow.model.steps import (
    Branch,
    Choose,
    For,
    Group,
    If,
    Log,
    Parallel,
    Poll,
    Repeat,
    Request,
    Set,
    Skip,
    Step,
    Stop,
    Think,
    While,
)
from vezaflow.read import scalars
from vezaflow.read.event_stream import read_event_stream
from vezaflow.read.hls import read_hls
from vezaflow.read.include import read_include
from vezaflow.read.mappings import Row, first_key, items, meant, open_mapping, pairs, respelt
from vezaflow.read.paginate import read_pages
from vezaflow.read.requests import read_request
from vezaflow.read.trees import check_name, tree
from vezaflow.read.upload import read_upload
from vezaflow.read.websocket import read_ping, read_receive, read_send, read_websocket
from vezaflow.syntax import Expression, ListOf, Mapping, Node, Scalar, Sequence

_COUNTED = re.compile(r"(?:[01] *\.\. *)?([0-9]+)")
_IN = re.compile(r"(?P<name>\w+) +(?:in|of) +(?P<list>\w+)")
_SHOWN = ", ".join(verb for verb, table in VERBS.items() if verb not in METHODS[2:])


def read_steps(row: Row, key: str) -> tuple[Step, ...]:
    """The steps under a key; none if it is not there."""
    nodes = items(row.node(key), f"'{key}'", Kind.STEPS.value, row.diagnostics)
    return steps_of(nodes, row.diagnostics)


def steps_of(nodes: tuple[Node, ...], diagnostics: Diagnostics) -> tuple[Step, ...]:
    """The steps that could be read; what is wrong with the others was reported."""
    return tuple(step for node in nodes if (step := _step(node, diagnostics)) is not None)


def _step(node: Node, diagnostics: Diagnostics) -> Step | None:
    if not isinstance(node, Mapping):
        _not_a_step(node, diagnostics)
        return None
    verb = _verb(node, diagnostics)
    if verb is None:
        return None
    row = open_mapping(node, _only(VERBS[verb], verb), diagnostics)
    if row is None or verb not in row.entries:
        return None
    if verb in METHODS:
        return read_request(row, verb)
    return _READERS[verb](row)


def _only(table: Table, verb: str) -> Table:
    """The verb's table: a request's other methods were counted already."""
    if len(table.one_of) == 1:
        return table
    mine = tuple(f for f in table.one_of if f.key == verb)
    return Table(table.name, table.title, table.doc, table.fields, mine, table.exclusive)


def _not_a_step(node: Node, diagnostics: Diagnostics) -> None:
    help_ = "a step starts with its verb, as in `get: /api/v1/tracks` or `think: 1s`"
    if isinstance(node, Scalar) and node.text in VERBS:
        help_ = f"write a value after it: `{node.text}: {VERBS[node.text].one_of[0].example}`"
    diagnostics.error(
        "VF120", node.span, "a step must be a mapping", label=f"this is {scalars.describe(node)}", help=help_
    )


def _verb(node: Mapping, diagnostics: Diagnostics) -> str | None:
    there = [entry.key for entry in node.entries if entry.key.text in VERBS]
    if len(there) == 1:
        return there[0].text
    if there:
        first, second = there[:2]
        diagnostics.error(
            "VF123",
            second.span,
            f"a step has one verb, and this one has '{first.text}' and '{second.text}'",
            label="the second verb",
            help=_parted(first.text, second.text),
            related=((first.span, "the first verb"),),
        )
        return None
    _no_verb(node, diagnostics)
    return None


def _parted(first: str, second: str) -> str:
    """How two verbs of one mapping are said."""
    outer = next((verb for verb in (second, first) if VERBS[verb].field("do") is not None), None)
    if outer is not None:
        return f"put the steps of '{outer}' under its `do`, as a list"
    around = next((verb for verb in (first, second) if VERBS[verb].one_of[0].kind is Kind.REQUEST), None)
    if around is not None:
        return f"put the request inside the other: `{around}: {VERBS[around].one_of[0].example}`"
    return "write two steps, each with its own `-`"


def _no_verb(node: Mapping, diagnostics: Diagnostics) -> None:
    there = NO_STEPS if node.entries and node.entries[0].key.text in NO_STEPS else OTHERWISE
    foreign = next((entry.key for entry in node.entries if entry.key.text in there), None)
    if foreign is not None and respelt(foreign, VERBS) is None:
        said = there[foreign.text]
        diagnostics.error("VF122", foreign.span, f"unknown verb '{foreign.text}' in a step", help=said)
        return
    for entry in node.entries:
        near = meant(entry.key.text, VERBS)
        if near is not None and not _verbs_with(entry.key.text):
            diagnostics.error(
                "VF122",
                entry.key.span,
                f"unknown verb '{entry.key.text}' in a step",
                label=f"did you mean '{near}'?",
                fix=respelt(entry.key, VERBS),
            )
            return
    key = node.entries[0].key.text if node.entries else ""
    owners = _verbs_with(key)
    if key == "do":
        help_ = "add `group: a name` next to `do` to make these steps a group"
    elif len(owners) == 1 or METHODS[0] in owners:
        verb = "a request's verb" if METHODS[0] in owners else f"`{owners[0]}`"
        help_ = f"'{key}' is an option of {verb}: write it in the same step, without its own `-`"
    else:
        help_ = f"the verbs are {_SHOWN}, …"
    diagnostics.error("VF122", first_key(node), "this step has no verb", help=help_)


def _verbs_with(key: str) -> list[str]:
    """The verbs that `key` is an option of, one for each table."""
    return [table.one_of[0].key for table in STEPS if any(field.key == key for field in table.fields)]


def _poll(row: Row) -> Step | None:
    request = _repeated(row, "poll")
    if request is None:
        return None
    span = row.key_span("poll")
    return Poll(request, row.required("until"), row.expression("every"), row.required("within"), span)


def _paginate(row: Row) -> Step | None:
    request = _repeated(row, "paginate")
    return None if request is None else read_pages(row, request)


def _repeated(row: Row, verb: str) -> Request | None:
    """The request that a step of this verb sends more than once; None, with the reason reported, if it is none."""
    node = row.entries[verb].value
    step = _step(node, row.diagnostics) if isinstance(node, Mapping) else None
    if isinstance(step, Request):
        return step
    if not isinstance(node, Mapping):
        scalars.report_shape(node, f"'{verb}'", Kind.REQUEST.value, row.diagnostics)
    elif step is not None:
        row.diagnostics.error(
            "VF120",
            step.span,
            f"a `{verb}` must contain a request",
            label="not a request",
            help=f"for instance `{VERBS[verb].one_of[0].example}`",
        )
    return None


def _choose(row: Row) -> Step:
    nodes = items(row.node("choose"), "'choose'", Kind.BRANCHES.value, row.diagnostics)
    branches = []
    for number, node in enumerate(nodes, 1):
        branch = open_mapping(node, BRANCH, row.diagnostics)
        if branch is not None:
            name = branch.text("name") or str(number)
            branches.append(Branch(branch.required("weight"), name, read_steps(branch, "do"), node.span))
    return Choose(tuple(branches), row.key_span("choose"))


def _repeat(row: Row) -> Step:
    return Repeat(row.required("repeat"), read_steps(row, "do"), row.key_span("repeat"))


def _for(row: Row) -> Step:
    key = row.entries["for"].value
    name = row.text("for")
    if isinstance(key, Scalar) and (both := _IN.fullmatch(name)):
        row.diagnostics.error(
            "VF133", key.span, f"'{name}' is not a valid name",
            help=f"name and list are two keys: `for: {both['name']}` and `in: ${{{both['list']}}}`",
        )  # fmt: skip
    elif isinstance(key, Scalar) and name:
        check_name(key, row.diagnostics)
    return For(name, _items(row), row.expression("at_once"), read_steps(row, "do"), row.key_span("for"))


def _items(row: Row) -> Expression:
    """A `${…}` that gives a list, or a list written out."""
    node = row.node("in")
    if isinstance(node, Sequence):
        if not node.items:
            row.diagnostics.error("VF121", node.span, "'in' must not be empty", help="the steps would never run")
        return _list(node, row.diagnostics)
    if not isinstance(node, Scalar):
        if node is not None:
            scalars.report_shape(node, "'in'", Kind.ITEMS.value, row.diagnostics)
        return scalars.nothing(row.span)
    found = scalars.bare_expression(node, row.diagnostics) if "${" in node.text else None
    if found is None:
        label = (
            f"write `${{{node.text}}}`"
            if node.plain and node.text.isidentifier()
            else f"this is {scalars.describe(node)}"
        )
        count = _COUNTED.fullmatch(node.text)
        help_ = f"for a number of rounds, counted from 0: `in: ${{range({count[1]})}}`" if count else ""
        row.diagnostics.error("VF120", node.span, f"'in' must be {Kind.ITEMS.value}", label=label, help=help_)
        return scalars.nothing(node.span)
    return found


def _list(node: Sequence, diagnostics: Diagnostics) -> Expression:
    found = [tree(item, diagnostics) for item in node.items]
    for item, value in zip(node.items, found, strict=True):
        if isinstance(value, tuple | dict):
            scalars.report_shape(item, "an item of 'in'", "a text or a number", diagnostics)
    return ListOf(tuple(value for value in found if not isinstance(value, tuple | dict)), node.span)


def _while(row: Row) -> Step:
    return While(row.required("while"), row.required("max"), read_steps(row, "do"), row.key_span("while"))


def _if(row: Row) -> Step:
    return If(row.required("if"), read_steps(row, "do"), read_steps(row, "else"), row.key_span("if"))


def _group(row: Row) -> Step:
    return Group(row.text("group"), read_steps(row, "do"), row.key_span("group"))


def _parallel(row: Row) -> Step:
    return Parallel(read_steps(row, "parallel"), row.text("name"), row.expression("per_host"), row.key_span("parallel"))


def _set(row: Row) -> Step:
    found = []
    for entry in pairs(row.node("set"), "'set'", Kind.VARIABLES.value, row.diagnostics):
        check_name(entry.key, row.diagnostics)
        found.append((entry.key.text, tree(entry.value, row.diagnostics), entry.key.span))
    return Set(tuple(found), row.key_span("set"))


def _stop(row: Row) -> Step:
    written = row.constant("stop")
    scope = next((each for each in StopScope if each.value == written), StopScope.VU)
    return Stop(scope, row.key_span("stop"))


_READERS: dict[str, Callable[[Row], Step | None]] = {
    "poll": _poll,
    "paginate": _paginate,
    "upload": read_upload,
    "hls": read_hls,
    "include": read_include,
    "think": lambda row: Think(row.required("think"), row.key_span("think")),
    "choose": _choose,
    "repeat": _repeat,
    "for": _for,
    "while": _while,
    "if": _if,
    "group": _group,
    "parallel": _parallel,
    "websocket": lambda row: read_websocket(row, read_steps(row, "do")),
    "sse": lambda row: read_event_stream(row, read_steps(row, "do")),
    "send": read_send,
    "receive": read_receive,
    "ping": read_ping,
    "set": _set,
    "log": lambda row: Log(row.required("log"), row.key_span("log")),
    "skip": lambda row: Skip(row.required("skip"), row.key_span("skip")),
    "stop": _stop,
}
