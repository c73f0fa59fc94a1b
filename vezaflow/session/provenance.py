"""What a run was of: the test's identity, how much of its load was asked for, from which commit, on which machine."""

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path

from vezaflow import units
from vezaflow.diagnostics import Diagnostics
from vezaflow.errors import VezaflowError
from vezaflow.model import EnvironmentUse, Load, Suite, environment_of, identity_of
from vezaflow.plan import Inputs, Plan, PlannedLoad, build
from vezaflow.results import LEVEL, Commit, Host, Profile, Provenance
from vezaflow.syntax import Expression

_PATIENCE = 5.0  # seconds for git: a repository on a slow disk is no reason to wait


def provenance_of(suite: Suite, inputs: Inputs, plan: Plan) -> Provenance:
    """Of the run that `plan` is of. Asks git, and plans the suite once more at its own load."""
    return Provenance(identity_of(suite), profile_of(suite, inputs, plan), host(), commit_of(suite.root))


def profile_of(suite: Suite, inputs: Inputs, plan: Plan) -> Profile:
    """How the load of a plan is less than its suite's, with the defaults of all inputs of `load`."""
    return Profile(tuple(_turned_down(suite, inputs, plan)))


def _turned_down(suite: Suite, inputs: Inputs, plan: Plan) -> Iterator[str]:
    if inputs.held is not None:
        yield f"{LEVEL}, {units.number(inputs.scale)} times the load"
        return
    if not suite.whole:
        yield "only some files of the suite"
    own = _usual(suite, inputs)
    if own is None:
        yield "the load at its defaults is not valid"
        return
    loads = {flow.name: flow.load for flow in plan.flows}
    for name, usual in own.items():
        if name not in loads:
            yield f"{name}: not run"
        else:
            yield from (f"{name}: {words}" for words in _less(loads[name], usual))


def _usual(suite: Suite, inputs: Inputs) -> Mapping[str, PlannedLoad] | None:
    """The flows' loads as the files have them; None where they make no plan."""
    read = {use.name for flow in suite.flows for use in _reads(flow.load) if use.has_default}
    environment = {name: value for name, value in inputs.environment.items() if name not in read}
    own = replace(inputs, environment=environment, duration=None, vus={}, scale=1.0, only=(), held=None)
    try:
        plan = build(suite, own, Diagnostics())
    except VezaflowError:
        return None
    return None if plan is None else {flow.name: flow.load for flow in plan.flows}


def _reads(load: Load) -> Iterator[EnvironmentUse]:
    for value in (getattr(load, field.name) for field in fields(load)):
        if isinstance(value, Expression):
            yield from environment_of(value)
    for stage in load.stages:
        yield from environment_of(stage.duration)
        yield from environment_of(stage.target)


def _less(load: PlannedLoad, usual: PlannedLoad) -> Iterator[str]:
    rate, usual_rate = load.peak_rate, usual.peak_rate
    if rate is not None and usual_rate is not None:
        if rate < usual_rate:
            yield f"{units.number(rate)} of {units.number(usual_rate)} iterations/s"
    elif load.vus < usual.vus:
        yield f"{units.number(load.vus)} of {units.number(usual.vus)} VUs"
    if load.iterations is not None and usual.iterations is not None:
        if load.iterations < usual.iterations:
            yield f"{units.number(load.iterations)} of {units.number(usual.iterations)} iterations"
    elif load.duration < usual.duration:
        yield f"{units.duration(load.duration)} of {units.duration(usual.duration)}"


def host() -> Host:
    return Host(platform.node(), len(os.sched_getaffinity(0)), platform.release())


def commit_of(folder: Path) -> Commit | None:
    """The commit that is checked out there; None outside a git repository, or where git doesn't say."""
    sha = _git(folder, "rev-parse", "HEAD")
    if sha is None:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    new = _git(folder, "status", "--porcelain", "--", ".")
    return Commit(sha.strip(), bool(changed or new) or changed is None)


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return done.stdout if done.returncode == 0 else None
