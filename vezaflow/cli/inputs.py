"""The options that `run` and `try` share, and the plan that they ask for."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import click

from vezaflow.cli.faults import faulty
from vezaflow.cli.printing import colours, hide, tell
from vezaflow.cli.values import environment
from vezaflow.diagnostics import Diagnostic, render_text, summary_line
from vezaflow.errors import VezaflowError
from vezaflow.model import Suite, environment_of
from vezaflow.plan import NO_SURROUNDINGS, Bundle, Inputs, Plan, Surroundings
from vezaflow.sandbox import SandboxSettings, start
from vezaflow.session import Warn, WrongFilesError, prepare, read

Command = TypeVar("Command", bound=Callable[..., object])
DEFAULT_SEED = 1

_INPUTS = (
    click.option(
        "-e",
        "--env",
        "words",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set an input; takes precedence over the environment.",
    ),
    click.option("--base-url", help="Use this target instead of the suite's `base_url`. The guard still applies."),
    click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="Seed for all random choices."),
)
_SANDBOX = click.option("--sandbox", is_flag=True, help="Start a sandbox and use it as the target.")


def shared(command: Command) -> Command:
    """Give a command the options that say what the files' inputs are, and the sandbox's."""
    return _with(faulty("Sandbox:")(command), (*_INPUTS, _SANDBOX))


def given(command: Command) -> Command:
    """Give a command the options that say what the files' inputs are."""
    return _with(command, _INPUTS)


def _with(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def target(words: Sequence[str], *, sandbox: bool, faults: Mapping[str, float]) -> Iterator[dict[str, str]]:
    """The environment of a command, with a sandbox behind it where one is asked for."""
    given = environment(words)
    if not sandbox:
        for option, value in faults.items():
            if value:
                raise VezaflowError(
                    f"--{option.replace('_', '-')} is for the sandbox", hint="add --sandbox, or remove the option"
                )
        yield given
        return
    with start(SandboxSettings(**faults)) as box:  # type: ignore[arg-type]
        yield {**given, **box.environment}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command was asked to run: `bundle` makes the plan elsewhere."""

    suite: Suite
    inputs: Inputs
    plan: Plan
    bundle: Bundle


def bundled(
    paths: Sequence[Path],
    inputs: Inputs,
    *,
    sandbox: bool,
    around: Surroundings = NO_SURROUNDINGS,
    audits: bool = False,
    warn: Warn | None = None,
) -> Asked:
    """The plan, and what it was made of. `audits`: pages are audited, too. `warn` gets what lint warns of."""
    with drawn_faults():
        suite = read(paths, base_url=sandbox or inputs.base_url is not None, warn=warn)
        inputs = aimed(suite, inputs) if sandbox else inputs
        if audits:
            around = replace(around, audits=audited(inputs, sandbox=sandbox))
        return Asked(suite, inputs, planned(suite, inputs, around), Bundle.of(suite, inputs))


def audited(inputs: Inputs, *, sandbox: bool) -> Inputs:
    """The inputs of pages that are audited: with a sandbox its own, whatever else the files name."""
    return replace(inputs, base_url=inputs.environment["BASE_URL"]) if sandbox else inputs


def planned(suite: Suite, inputs: Inputs, around: Surroundings = NO_SURROUNDINGS) -> Plan:
    """The plan; no error shows its secrets from now on."""
    plan = prepare(suite, inputs, around)
    hide(plan.secrets)
    return plan


def aimed(suite: Suite, inputs: Inputs) -> Inputs:
    """The inputs with the sandbox as their target, unless they name one: a `base_url` that does not come from the
    environment leads elsewhere, be it staging."""
    bases = [flow.base_url or suite.base_url for flow in suite.flows]
    led = all(base is not None and any(use.name == "BASE_URL" for use in environment_of(base)) for base in bases)
    return inputs if led or inputs.base_url is not None else replace(inputs, base_url=inputs.environment["BASE_URL"])


@contextmanager
def drawn_faults() -> Iterator[None]:
    """What is wrong with the files is drawn on standard error, and ends the program."""
    try:
        yield
    except WrongFilesError as e:
        draw(e.diagnostics)
        sys.exit(e.code)


def draw(diagnostics: Sequence[Diagnostic]) -> None:
    """Draw what lint says on standard error."""
    tell(render_text(diagnostics, colour=colours(sys.stderr)) + summary_line(diagnostics))


def draw_all_but_gates(diagnostics: Sequence[Diagnostic]) -> None:
    """The same for who judges no gates: warnings of them are left out."""
    others = [diagnostic for diagnostic in diagnostics if not diagnostic.code.startswith("VF5")]
    if others:
        draw(others)
