"""Quantities as people write them: `300 ms`, `5m`, `10 MiB`, `0.5 %`, `500/s`.

The one place that parses a unit and the one place that formats a number for a person. Amounts are kept
in base units: seconds, bytes, a fraction of one, starts per second. Figures are shown with three
significant digits (durations from a minute on in whole seconds); what a formatter writes, `parse` reads
back within those digits (thousands separators aside).
"""

import math
import re
from dataclasses import dataclass
from enum import Enum


class Dimension(Enum):
    """What a quantity measures; quantities of two dimensions are never compared."""

    TIME = "time"  # seconds
    SIZE = "size"  # bytes
    RATIO = "ratio"  # 1.0 is 100 %
    RATE = "rate"  # per second


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount in base units, with the text that the author wrote (for messages)."""

    amount: float
    dimension: Dimension
    text: str = ""


class AtLeast(float):
    """A time of which only a lower bound is known, this one: requests that timed out are among what it was taken of.
    People read it as `> 300 ms`. Computing with it gives a plain number: who needs to know asks before."""

    __slots__ = ()


UNITS: dict[str, tuple[float, Dimension]] = {
    "us": (1e-6, Dimension.TIME),
    "µs": (1e-6, Dimension.TIME),  # micro sign
    "μs": (1e-6, Dimension.TIME),  # Greek mu, what most keyboards give
    "ms": (1e-3, Dimension.TIME),
    "s": (1.0, Dimension.TIME),
    "m": (60.0, Dimension.TIME),
    "h": (3600.0, Dimension.TIME),
    "d": (86400.0, Dimension.TIME),
    "B": (1.0, Dimension.SIZE),
    "kB": (1e3, Dimension.SIZE),
    "MB": (1e6, Dimension.SIZE),
    "GB": (1e9, Dimension.SIZE),
    "KiB": (1024.0, Dimension.SIZE),
    "MiB": (1024.0**2, Dimension.SIZE),
    "GiB": (1024.0**3, Dimension.SIZE),
    "%": (0.01, Dimension.RATIO),
    "/s": (1.0, Dimension.RATE),
    "/m": (1 / 60, Dimension.RATE),
    "/h": (1 / 3600, Dimension.RATE),
}
EXAMPLES = {
    Dimension.TIME: "300 ms",
    Dimension.SIZE: "10 MiB",
    Dimension.RATIO: "0.5 %",
    Dimension.RATE: "500/s",
}
_LIKELY = {Dimension.TIME: ("ms", "s"), Dimension.SIZE: ("MiB",), Dimension.RATIO: ("%",), Dimension.RATE: ("/s",)}
_MEANT = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "msec": "ms", "milliseconds": "ms",
    "usec": "us", "microseconds": "us", "min": "m", "mins": "m", "minute": "m", "minutes": "m", "hour": "h",
    "hours": "h", "hr": "h", "hrs": "h", "day": "d", "days": "d", "byte": "B", "bytes": "B",
    "k": "kB", "K": "KiB",
    "M": "MB", "G": "GB", "percent": "%", "pct": "%", "/sec": "/s", "/min": "/m", "/hour": "/h", "rps": "/s",
    "req/s": "/s", "reqs/s": "/s",
}  # fmt: skip
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_WHOLE = re.compile(rf"({_NUMBER})\s*(\S.*)", re.ASCII)
_COMPOUND = re.compile(r"(?:\d+(?:\.\d+)?(?:us|µs|μs|ms|[smhd])){2,}", re.ASCII)
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(us|µs|μs|ms|[smhd])", re.ASCII)


def parse(text: str) -> Quantity:
    """The quantity that `text` writes. ValueError says in one line why it is none."""
    written = text.strip()
    if _COMPOUND.fullmatch(written):
        return Quantity(_compound(written), Dimension.TIME, written)
    if re.fullmatch(_NUMBER, written, re.ASCII):
        raise ValueError(f"'{written}' has no unit: write '{written} ms', '{written} MiB', '{written} %' …")
    match = _WHOLE.fullmatch(written)
    if match is None:
        raise ValueError(f"'{written}' is not a number with a unit, as in '300 ms' or '10 MiB'")
    number, unit = match[1], match[2].replace(" ", "")
    if unit not in UNITS:
        raise ValueError(unknown_unit(unit))
    factor, dimension = UNITS[unit]
    amount = _scaled(number, factor)
    if not math.isfinite(amount):
        raise ValueError(f"'{written}' is too large")
    return Quantity(amount, dimension, written)


def parse_as(text: str, dimension: Dimension) -> Quantity:
    """The quantity of this dimension that `text` writes, else ValueError."""
    written = text.strip()
    if re.fullmatch(_NUMBER, written, re.ASCII):
        likely = " or ".join(f"'{written}{unit}'" for unit in _LIKELY[dimension])
        raise ValueError(f"'{written}' has no unit: write {likely}")
    quantity = parse(written)
    if quantity.dimension is not dimension:
        raise ValueError(
            f"'{written}' is a {quantity.dimension.value}, not a {dimension.value} such as '{EXAMPLES[dimension]}'"
        )
    return quantity


def unknown_unit(unit: str) -> str:
    """One line on a unit that is none, with the one that was meant where that is plain."""
    if unit[:1] == "," and unit[1:2].isdigit():
        return "decimal comma: write a decimal point"
    meant = _MEANT.get(unit) or _MEANT.get(unit.lower())
    if meant is None:
        meant = next((known for known in UNITS if known.lower() == unit.lower()), None)
    return f"unknown unit '{unit}'" + (f": did you mean '{meant}'?" if meant else "")


def _scaled(number: str, factor: float) -> float:
    """number × factor, exact where a division is exact: 300 ms is 0.3, not 0.30000000000000004."""
    inverse = 1 / factor
    if factor < 1 and math.isclose(inverse, round(inverse), rel_tol=1e-12):
        return float(number) / round(inverse)
    return float(number) * factor


def _compound(written: str) -> float:
    """`1m30s`: each unit once, the larger first."""
    total, last = 0.0, math.inf
    for number, unit in _PIECE.findall(written):
        factor = UNITS[unit][0]
        if factor >= last:
            raise ValueError(f"'{written}' has its units out of order: write the larger first, as in '1m30s'")
        total, last = total + _scaled(number, factor), factor
    return total


def text(amount: float, dimension: Dimension) -> str:
    """An amount in base units for people."""
    match dimension:
        case Dimension.TIME:
            return duration(amount)
        case Dimension.SIZE:
            return size(amount)
        case Dimension.RATIO:
            return ratio(amount)
        case Dimension.RATE:
            return rate(amount)


def duration(seconds: float) -> str:
    """`0 s`, `412 µs`, `412 ms`, `1.24 s`, `5m`, `1m30s`, `2h5m`, `3d4h`; `> 300 ms` of a lower bound."""
    if isinstance(seconds, AtLeast):
        return f"> {duration(float(seconds))}"
    if (special := _special(seconds)) is not None:
        return special
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds == 0:
        return "0 s"
    for limit, unit in ((1e-3, "µs"), (1.0, "ms"), (60.0, "s")):
        if _three(seconds) < limit:
            return f"{_digits(seconds / UNITS[unit][0])} {unit}"
    return _long(seconds)


def _long(seconds: float) -> str:
    """From a minute on: two neighbouring units."""
    for large, small in (("m", "s"), ("h", "m"), ("d", "h")):
        step, whole = UNITS[small][0], UNITS[large][0]
        count = round(seconds / step)
        if large == "d" or count * step < {"m": 3600, "h": 86400}[large]:
            many, rest = divmod(count, round(whole / step))
            return f"{many}{large}" + (f"{rest}{small}" if rest else "")
    raise AssertionError


def size(amount: float) -> str:
    """`512 B`, `1.5 KiB`, `10 MiB`, `2.34 GiB`."""
    if (special := _special(amount)) is not None:
        return special
    if amount < 0:
        return "-" + size(-amount)
    for unit in ("B", "KiB", "MiB"):
        if round(amount / UNITS[unit][0]) < 1024:
            return f"{_digits(amount / UNITS[unit][0])} {unit}"
    return f"{number(amount / UNITS['GiB'][0])} GiB"


def ratio(fraction: float) -> str:
    """`0 %`, `0.31 %`, `12.3 %`; only what is all of it is `100 %`."""
    if (special := _special(fraction)) is not None:
        return special
    percent = fraction * 100
    if 99.5 < percent < 100:
        for places in range(1, 6):
            if (shown := f"{percent:.{places}f}") != f"{100:.{places}f}" and places > 1:
                return f"{shown.rstrip('0').rstrip('.')} %"
        return "99.9999 %"
    return f"{number(percent)} %"


def rate(per_second: float) -> str:
    """`4,012/s`, `12.5/s`."""
    return _special(per_second) or f"{number(per_second)}/s"


def number(n: float) -> str:
    """`0`, `0.0123`, `12.3`, `4,012`: whole numbers whole, the rest with three digits."""
    if (special := _special(n)) is not None:
        return special
    if isinstance(n, int) or abs(n) >= 999.5:
        return f"{round(n):,}"
    return _digits(n)


def counted(n: int, noun: str) -> str:
    """`1 flow`, `1,650 VUs`: a number of things; `noun` is the word for one."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _digits(value: float) -> str:
    """Three significant digits, never an exponent, no zeros at the end."""
    if value == 0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(_three(value)))))
    shown = f"{value:.{places}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _three(value: float) -> float:
    return float(f"{value:.3g}")


def _special(value: float) -> str | None:
    """What is not a figure: no value is a dash."""
    if isinstance(value, float) and not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    return None
