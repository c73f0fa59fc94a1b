"""What a suite means, as digests: two suites with the same are the same test, however their files are laid out.

Comments, layout, descriptions, who may be loaded and what is masked are left out; every value, step, gate and row of
data is in. Expressions count by what they say, quantities by their amount (`0.3 s` is `300 ms`). Each part has a digest
of its own, so that people are told what changed.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum

from vezaflow.diagnostics import Source, Span
from vezaflow.model.gates import Gate
from vezaflow.model.steps import Fragment, Step
from vezaflow.model.suite import Flow, Suite
from vezaflow.model.walks import own_steps

_SILENT = {
    "Quantity": {"text"},
    "Condition": {"text"},
    "Reference": {"text"},
    "Input": {"description"},
}
"""Fields that only say how something was written, or explain it."""
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Identity:
    """`digest` of the whole; `parts`: by the words that people know a part by (`browse: load`), its digest."""

    digest: str
    parts: Mapping[str, str]

    def changes(self, earlier: "Identity") -> tuple[str, ...]:
        """The parts that differ, in words; empty where it is the same test."""
        return changed_parts(earlier.parts, self.parts)


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """What changed between the parts of two suites. Where a step says what changed, `steps` as a whole says no more."""
    found = [
        *(f"{name} is new" for name in now if name not in before),
        *(f"{name} is gone" for name in before if name not in now),
        *(f"{name} changed" for name in now if name in before and now[name] != before[name]),
    ]
    flows_told = {words.partition(": step ")[0] for words in found if ": step " in words}
    return tuple(words for words in found if words.removesuffix(": steps changed") not in flows_told)


def identity_of(suite: Suite) -> Identity:
    """The digests of a suite."""
    parts = dict(_parts(suite))
    return Identity(_digest("\n".join(f"{name} {digest}" for name, digest in sorted(parts.items()))), parts)


def _parts(suite: Suite) -> Iterator[tuple[str, str]]:
    yield "suite: base_url", _of(suite.base_url)
    yield "suite: vars", _of((suite.vars, suite.data))
    yield "suite: defaults of requests", _of(suite.defaults)
    yield "suite: preflight", _of((suite.preflight, suite.preflight_retry))
    yield "suite: setup", _of(suite.setup)
    yield "suite: teardown", _of(suite.teardown)
    yield "suite: measure", _of(suite.measure)
    if suite.observe is not None:
        yield "suite: observe", _of(suite.observe.metrics)
    if suite.events:  # a suite without them is what it was before there were any
        yield "suite: events", _of(suite.events)
    yield from _gates("suite", suite.gates)
    yield from _gates("each flow", suite.each_flow)
    ordered = {order.path for order in suite.audits}
    if audits := [audit for audit in suite.audit_files if audit.path in ordered]:
        yield "suite: audits", _of((suite.audits, audits))
    for fragment in suite.fragments:
        yield f"fragment {fragment.path}", _of(_Contents.of(fragment))
    for flow in suite.flows:
        yield from _flow(flow)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What of a fragment's file counts: not how it was found."""

    parts: tuple[object, ...]

    @classmethod
    def of(cls, fragment: Fragment) -> "_Contents":
        return cls((fragment.inputs, tuple(name for name, _ in fragment.outputs), fragment.steps))


def _flow(flow: Flow) -> Iterator[tuple[str, str]]:
    name = flow.name
    yield f"{name}: load", _of(flow.load)
    yield f"{name}: vars", _of((flow.vars, flow.data))
    yield f"{name}: defaults of requests", _of((flow.defaults, flow.base_url))
    yield f"{name}: pauses", _of((flow.think, flow.pace, flow.failure_backoff))
    yield f"{name}: measure", _of(flow.measure)
    yield f"{name}: login", _of(flow.login)
    yield f"{name}: finally", _of(flow.final)
    yield f"{name}: steps", _of(flow.steps)
    yield from _named_steps(name, (*flow.login, *flow.steps, *flow.final))
    yield from _gates(name, flow.gates)


def _named_steps(flow: str, steps: tuple[Step, ...]) -> Iterator[tuple[str, str]]:
    """Each step that has a name; of several with one name all together."""
    named: dict[str, list[Step]] = {}
    for step in own_steps(steps):
        if step.name:
            named.setdefault(step.name, []).append(step)
    return ((f"{flow}: step {name}", _of(tuple(found))) for name, found in named.items())


def _gates(scope: str, gates: tuple[Gate, ...]) -> Iterator[tuple[str, str]]:
    named: dict[str, list[Gate]] = {}
    for gate in gates:
        labels = ",".join(f"{name}:{value}" for name, value in gate.labels)
        named.setdefault(f"{scope}: gate {gate.metric}{f'{{{labels}}}' if labels else ''}", []).append(gate)
    return ((name, _of(tuple(found))) for name, found in named.items())


def _of(value: object) -> str:
    return _digest(_canonical(value))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def _canonical(value: object) -> str:
    """The value without its places in files; unlike values have unlike texts."""
    match value:
        case Enum():
            return repr(value.value)
        case dict():
            return f"{{{','.join(f'{_canonical(key)}:{_canonical(item)}' for key, item in value.items())}}}"
        case tuple() | list():
            return f"[{','.join(_canonical(item) for item in value if not isinstance(item, Span))}]"
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        silent = _SILENT.get(kind, ())
        held = ((field.name, getattr(value, field.name)) for field in fields(value) if field.name not in silent)
        return f"{kind}({','.join(f'{n}={_canonical(v)}' for n, v in held if not isinstance(v, Span | Source))})"
    return repr(value)
