"""How words of the command line become values: one place for each kind, with the message that an author needs."""

import errno
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from click.shell_completion import CompletionItem

from vezaflow.cluster import ClusterAddress
from vezaflow.units import Dimension, parse_as

if TYPE_CHECKING:
    from vezaflow.plan import Segment

MOST_WORKERS = 256
_SHOWN = 60  # characters of a path that is none


class PathType(click.Path):
    """A path that a file system can have."""

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = True, allow_dash: bool = False) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, allow_dash=allow_dash, path_type=Path)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        shown = ascii(str(value))[1:-1]
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        try:
            Path(value).lstat()
        except ValueError:
            self.fail(f"a path can't contain NUL: '{shown}'", param, ctx)
        except OSError as e:
            if e.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                self.fail(f"'{shown}' can't be a path: {(e.strerror or '').lower()}", param, ctx)
        return super().convert(value, param, ctx)


class FlowPathType(PathType):
    """The path of a suite or of a flow file of it: shells complete it to folders and YAML files."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="flow")]


class FactorType(click.FloatRange):
    """A number above 0 and up to a hundred; `nan` is none, though it is no less and no more than any."""

    def __init__(self) -> None:
        super().__init__(0, 100, min_open=True)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            wrong = isnan(float(str(value)))
        except ValueError:
            wrong = True
        if wrong:
            self.fail(f"'{value}' is not a number", param, ctx)
        return float(super().convert(value, param, ctx))  # type: ignore[arg-type]  # click's own hint is too narrow


class ClusterType(click.ParamType[ClusterAddress]):
    """Which cluster."""

    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ClusterAddress:
        if isinstance(value, ClusterAddress):
            return value
        try:
            return ClusterAddress.read(str(value))
        except ValueError as e:
            self.fail(f"'{value}' is not a cluster: {e}", param, ctx)


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


MOST_VUS = 1_000_000  # of a flow, by an option: no machine has them, and to plan more takes long
MOST_SEGMENTS = 10_000  # of a run: more machines than anybody has


class WorkersType(click.ParamType[int]):
    """A number of processes; `auto` is 0."""

    name = "workers"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        if text == "auto":
            return 0
        if not 1 <= _counted(text) <= MOST_WORKERS:
            self.fail(f"'{text}' is neither `auto` nor a number from 1 to {MOST_WORKERS}", param, ctx)
        return int(text)


class SegmentType(click.ParamType["Segment"]):
    """`2/8`: the second of eight equal shares."""

    name = "segment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> "Segment":
        from vezaflow.plan import Segment

        if isinstance(value, Segment):
            return value
        number, _, count = str(value).partition("/")
        if not 1 <= _counted(number) <= _counted(count):
            self.fail(f"'{value}' is not a segment: write `2/8` for the second of eight", param, ctx)
        if _counted(count) > MOST_SEGMENTS:
            self.fail(f"'{value}' has more than {MOST_SEGMENTS:,} segments", param, ctx)
        return Segment(_counted(number) - 1, _counted(count))


def _counted(text: str) -> int:
    """The number, 0 where it is none; one of many digits is as large as any."""
    return int(text.lstrip("0")[:9] or "0") if text.isdecimal() else 0


DURATION = QuantityType(Dimension.TIME, "duration")
RATIO = QuantityType(Dimension.RATIO, "ratio")
RATE = QuantityType(Dimension.RATE, "rate")
SIZE = QuantityType(Dimension.SIZE, "size")
FACTOR = FactorType()
WORKERS = WorkersType()
SEGMENT = SegmentType()
CLUSTER = ClusterType()


def pairs(words: Iterable[str], option: str, form: str = "NAME=VALUE") -> dict[str, str]:
    """Words of this form as a mapping."""
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"'{word}' is not {form}", param_hint=f"'{option}'")
        found[name] = value
    return found


def counts(words: Iterable[str], option: str) -> dict[str, int]:
    """`FLOW=N` words as a mapping."""
    found = {}
    for name, value in pairs(words, option, "FLOW=N").items():
        if not 1 <= _counted(value) <= MOST_VUS:
            raise click.BadParameter(
                f"{name}={value[:40]}: the number of VUs must be a whole number from 1 to {MOST_VUS:,}",
                param_hint=f"'{option}'",
            )
        found[name] = _counted(value)
    return found


def environment(words: Iterable[str]) -> dict[str, str]:
    """The process's environment with `-e NAME=VALUE` on top."""
    return {**os.environ, **pairs(words, "-e")}


def moment(word: str, now: datetime) -> datetime:
    """`7d`, `12h` before now, or a date or time: in UTC. Without an offset it is this machine's time."""
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        pass
    else:
        return found.astimezone(UTC)
    try:
        return now - timedelta(seconds=parse_as(word, Dimension.TIME).amount)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"'{word}' is neither an age such as 7d nor a date such as 2026-11-01", param_hint="'--since'"
        ) from None


def targets(base_url: str, pattern: str | None) -> bool:
    """Whether a run's target, or one of several, is of this pattern: of its host, with or without the port."""
    if pattern is None:
        return True
    urls = [urlsplit(url.strip()) for url in base_url.split(",")]
    return any(fnmatch(name or "", pattern.lower()) for url in urls for name in (url.hostname, url.netloc.lower()))
