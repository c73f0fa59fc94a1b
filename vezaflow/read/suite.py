"""What `suite.yml` says, and the Suite that it and its flows make; a folder without one gets a suite of
defaults.
"""

from pathlib import Path

from vezaflow.diagnostics import Diagnostics, Source
from vezaflow.keys import GUARD, PREFLIGHT, RETRY, SUITE, Kind
from vezaflow.model import Flow, Guard, Measure, PreflightRetry, Request, RequestDefaults, Suite
from vezaflow.read.accept import read_accept
from vezaflow.read.audits import read_orders
from vezaflow.read.data import read_data_sources
from vezaflow.read.events import read_events
from vezaflow.read.flow import read_measure, read_variables
from vezaflow.read.gates import read_gates
from vezaflow.read.hosts import read_patterns
from vezaflow.read.mappings import Row, items, open_mapping, sub_mapping
from vezaflow.read.notify import read_grafana, read_notify
from vezaflow.read.observe import read_observe
from vezaflow.read.outputs import read_outputs
from vezaflow.read.requests import read_defaults
from vezaflow.read.steps import read_steps, steps_of
from vezaflow.read.suppressions import read_lint
from vezaflow.read.traces import read_trace
from vezaflow.read.trees import words
from vezaflow.syntax import Literal, Mapping, Node
from vezaflow.units import Dimension, Quantity


def bare_suite(root: Path, flows: tuple[Flow, ...], sources: dict[str, Source]) -> Suite:
    """The suite of a folder, or a file, that has no suite.yml."""
    return Suite(
        name=root.resolve().name,
        description="",
        root=root,
        base_url=None,
        vars=(),
        defaults=RequestDefaults(),
        secrets=(),
        guard=Guard(),
        preflight=(),
        preflight_retry=None,
        setup=(),
        teardown=(),
        gates=(),
        each_flow=(),
        measure=Measure(),
        flows=flows,
        sources=sources,
    )


def suite_of(
    node: Node, root: Path, flows: tuple[Flow, ...], sources: dict[str, Source], diagnostics: Diagnostics
) -> Suite:
    """The suite that suite.yml writes, with the flows beside it."""
    row = open_mapping(node, SUITE, diagnostics)
    if row is None:
        return bare_suite(root, flows, sources)
    preflight, retry = _preflight(row)
    secrets = words(row, "secrets")
    return Suite(
        name=row.text("suite") or root.resolve().name,
        description=row.text("description"),
        root=root,
        base_url=row.expression("base_url"),
        vars=read_variables(row),
        defaults=read_defaults(row),
        secrets=tuple(secret.text for secret in secrets),
        guard=_guard(row),
        preflight=preflight,
        preflight_retry=retry,
        setup=read_steps(row, "setup"),
        teardown=read_steps(row, "teardown"),
        gates=read_gates(row, "gates"),
        each_flow=read_gates(row, "each_flow"),
        measure=read_measure(row) or Measure(),
        flows=flows,
        sources=sources,
        secret_spans=tuple(secret.span for secret in secrets),
        ignores=read_lint(row),
        data=read_data_sources(row),
        grafana=read_grafana(row),
        notify=read_notify(row),
        observe=read_observe(row),
        outputs=read_outputs(row),
        accept=read_accept(row),
        events=read_events(row),
        audits=read_orders(row),
        trace=read_trace(row),
    )


def _guard(row: Row) -> Guard:
    inner = sub_mapping(row, "guard", GUARD)
    if inner is None:
        return Guard()
    return Guard(read_patterns(inner, "allow"), inner.expression("max_vus"))


def _preflight(row: Row) -> tuple[tuple[Request, ...], PreflightRetry | None]:
    node = row.node("preflight")
    if not isinstance(node, Mapping):
        nodes = items(node, "'preflight'", Kind.PREFLIGHT.value, row.diagnostics)
        return _requests(nodes, row.diagnostics), None
    inner = open_mapping(node, PREFLIGHT, row.diagnostics)
    if inner is None:
        return (), None
    nodes = items(inner.node("steps"), "'steps'", "a list of request steps", row.diagnostics)
    return _requests(nodes, row.diagnostics), _retry(inner)


def _retry(row: Row) -> PreflightRetry | None:
    inner = sub_mapping(row, "retry", RETRY)
    if inner is None:
        return None
    every = inner.expression("every") or Literal(Quantity(1.0, Dimension.TIME, "1 s"), inner.span)
    return PreflightRetry(inner.required("for"), every)


def _requests(nodes: tuple[Node, ...], diagnostics: Diagnostics) -> tuple[Request, ...]:
    found = []
    for step in steps_of(nodes, diagnostics):
        if isinstance(step, Request):
            found.append(step)
        else:
            diagnostics.error(
                "VF135",
                step.span,
                f"'{step.span.text}' is not allowed in a preflight",
                help="a preflight contains only requests; put other steps into `setup`",
            )
    return tuple(found)
