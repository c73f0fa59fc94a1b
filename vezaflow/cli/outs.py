"""`--out NAME[=ARG]`: the outputs of a run besides its display, as k6 has them; the suite's `outputs` are of the same
table."""

from collections.abc import Iterable
from pathlib import Path

import click

from vezaflow.cli.kept import Claim
from vezaflow.cli.printing import tell
from vezaflow.cli.values import PathType
from vezaflow.diagnostics import printable, suggest
from vezaflow.keys import FILE_OUTPUTS, OUTPUT, TABLES
from vezaflow.outputs import Output, output_of
from vezaflow.plan import Out, Plan

_PARAM = "'-o' / '--out'"
_PATH = PathType(dir_okay=False, allow_dash=True)
_ARGUMENTS = {field.key: TABLES[field.tables[0]].fields[0].key.upper() for field in OUTPUT.fields}
_OFFERED = "; ".join(f"{field.key}={_ARGUMENTS[field.key]}: {field.doc.rstrip('.')}" for field in OUTPUT.fields)

OUT = click.option(
    "-o",
    "--out",
    multiple=True,
    metavar="NAME[=ARG]",
    help=f"Also send the figures somewhere while it runs; may be given several times. {_OFFERED}.",
)


def read_outs(words: Iterable[str]) -> tuple[Out, ...]:
    """What the options choose. Raises click.BadParameter where that is no output."""
    return tuple(map(_read, words))


def claims(plan: Plan) -> list[Claim]:
    """The files that a run's outputs write."""
    return [Claim(output.word, Path(output.file)) for output in plan.outputs if output.file is not None]


def made(plan: Plan) -> tuple[Output, ...]:
    """The outputs of a run that get its ticks."""

    def say(text: str) -> None:
        tell(printable(plan.secrets.mask(text)))

    return tuple(output_of(planned, plan, say) for planned in plan.outputs if not planned.samples)


def _read(word: str) -> Out:
    name, _, argument = word.partition("=")
    if name not in _ARGUMENTS:
        near = suggest(name, _ARGUMENTS)
        help_ = f"did you mean '{near}'?" if near else f"there is {', '.join(_ARGUMENTS)}"
        raise click.BadParameter(f"there is no output '{name}': {help_}", param_hint=_PARAM)
    if argument and name in FILE_OUTPUTS:
        argument = str(_PATH.convert(argument, None, None))
    return Out(name, argument or None)
