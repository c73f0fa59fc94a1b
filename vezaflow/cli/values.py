"""How words of the command line become values: one place for each kind, with the message that an author needs."""

import os
from collections.abc import Iterable

import click

from vezaflow.units import Dimension, parse_as


class QuantityType(click.ParamType[float]):
    """A quantity with its unit, as an amount in base units."""

    def __init__(self, dimension: Dimension, name: str) -> None:
        self.dimension = dimension
        self.name = name

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        try:
            return parse_as(str(value), self.dimension).amount
        except ValueError as e:
            self.fail(str(e), param, ctx)


DURATION = QuantityType(Dimension.TIME, "duration")
RATIO = QuantityType(Dimension.RATIO, "ratio")


def pairs(words: Iterable[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` words as a mapping."""
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"'{word}' is not NAME=VALUE", param_hint=option)
        found[name] = value
    return found


def counts(words: Iterable[str], option: str) -> dict[str, int]:
    """`FLOW=N` words as a mapping."""
    found = {}
    for name, value in pairs(words, option).items():
        if not value.isdecimal() or int(value) < 1:
            raise click.BadParameter(f"{name}={value}: how many VUs is a whole number of at least 1", param_hint=option)
        found[name] = int(value)
    return found


def environment(words: Iterable[str]) -> dict[str, str]:
    """The process's environment with `-e NAME=VALUE` on top."""
    return {**os.environ, **pairs(words, "-e")}
