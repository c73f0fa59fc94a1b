"""`--out NAME[=ARG]`: the outputs of a run besides its display, as k6 has them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from vezaflow.cli.kept import Claim
from vezaflow.cli.values import PathType
from vezaflow.diagnostics import suggest
from vezaflow.outputs import FILE, OUTPUTS, Offer, Output
from vezaflow.plan import Plan

_PARAM = "'-o' / '--out'"
_PATH = PathType(dir_okay=False, allow_dash=True)
_OFFERED = "; ".join(f"{name}={offer.argument}: {offer.doc}" for name, offer in OUTPUTS.items())

OUT = click.option(
    "-o",
    "--out",
    multiple=True,
    metavar="NAME[=ARG]",
    help=f"Also send the figures somewhere while it runs; may be given several times. {_OFFERED}.",
)


@dataclass(frozen=True, slots=True)
class Out:
    """One output that was chosen."""

    word: str  # as written
    offer: Offer
    argument: str

    def output(self, plan: Plan) -> Output:
        return self.offer.make(self.argument, plan)


def read_outs(words: Iterable[str]) -> tuple[Out, ...]:
    """What the options choose. Raises click.BadParameter where that is no output."""
    return tuple(map(_read, words))


def claims(outs: Sequence[Out]) -> list[Claim]:
    """The files that they write."""
    return [Claim(f"--out {out.word}", Path(out.argument)) for out in outs if out.offer.argument == FILE]


def _read(word: str) -> Out:
    name, _, argument = word.partition("=")
    offer = OUTPUTS.get(name)
    if offer is None:
        near = suggest(name, OUTPUTS)
        help_ = f"did you mean '{near}'?" if near else f"there is {', '.join(OUTPUTS)}"
        raise click.BadParameter(f"there is no output '{name}': {help_}", param_hint=_PARAM)
    chosen = argument or offer.default
    if chosen is None:
        raise click.BadParameter(f"write {name}={offer.argument}", param_hint=_PARAM)
    if offer.argument == FILE:
        chosen = str(_PATH.convert(chosen, None, None))
    return Out(word, offer, chosen)
