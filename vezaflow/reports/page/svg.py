"""Drawings for a page: SVG text with its scales, ticks and paths.

Laws: what comes from people or servers is escaped here, so that an Svg may stand in a page as it is. Colours are
classes of style.css with a plain attribute beside them: a viewer that forbids styles still shows the drawing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log2, log10

from vezaflow import units
from vezaflow.units import Dimension

WIDTH, HEIGHT = 400, 170
LEFT, RIGHT, TOP, BOTTOM = 54, 8, 8, 20
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1024)
_TIMES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_WORDS: dict[Dimension | None, Callable[[float], str]] = {
    None: units.number,
    Dimension.TIME: units.duration,
    Dimension.RATIO: units.ratio,
    Dimension.SIZE: units.size,
    Dimension.RATE: units.rate,
}


class Svg(str):
    """Markup that is safe in a page: all foreign text in it is escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high` at the pixels from `start` to `end`; `log`: by their logarithm, `low` above zero."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; those beyond the ends are at the ends."""
        share = (self._of(value) - self._of(self.low)) / ((self._of(self.high) - self._of(self.low)) or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def _of(self, value: float) -> float:
        return log10(max(value, self.low)) if self.log else value

    def ticks(self, most: int = 5, *, binary: bool = False) -> list[float]:
        """Round values within, about so many. `binary`: round in KiB and MiB."""
        return self._decades(most) if self.log else list(_round(self.low, self.high, most, binary=binary))

    def _decades(self, most: int) -> list[float]:
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            found = [step * 10.0**power for power in powers for step in steps]
            within = [value for value in found if self.low * 0.999 <= value <= self.high * 1.001]
            if len(within) <= most:
                return within
        return within[:: ceil(len(within) / most)]


def _round(low: float, high: float, most: int, *, binary: bool) -> Iterator[float]:
    size = (high - low) / most or 1.0
    power = 10.0 ** floor(log10(size))
    if binary:
        kibi = 1024.0 ** max(0, floor(log2(size) / 10))
        power = kibi * 10.0 ** max(0, floor(log10(size / kibi)))
    step = next(each * power for each in _STEPS if each * power >= size * 0.999)
    number = ceil(low / step - 1e-9)
    while number * step <= high * (1 + 1e-9):
        yield number * step
        number += 1


def top_of(values: Iterable[float]) -> float:
    """A round value above all of them."""
    most = max(values, default=0.0)
    if most <= 0:
        return 1.0
    power = 10.0 ** floor(log10(most))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= most * 0.9999)


def moments(seconds: float, most: int = 6) -> list[float]:
    """Round times from 0 to the end."""
    step = next((each for each in _TIMES if seconds / each <= most), seconds / most or 1.0)
    return [number * step for number in range(int(seconds / step + 1e-9) + 1)]


def words(value: float, dimension: Dimension | None) -> str:
    """A tick's figure."""
    return _WORDS[dimension](float(f"{value:.6g}"))


def clock(seconds: float) -> str:
    """A time since the start: `0`, `45 s`, `2:30`, `1:05:00`."""
    if seconds < 60:
        return f"{seconds:g} s" if seconds else "0"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def pixel(value: float) -> str:
    """A coordinate, as short as it goes."""
    return f"{value:.1f}".removesuffix(".0")


def labels(said: Iterable[tuple[float, float, str]], anchor: str = "middle") -> str:
    """Texts at their places."""
    texts = "".join(f'<text x="{pixel(x)}" y="{pixel(y)}">{escape(text)}</text>' for x, y, text in said)
    return f'<g class="tick" fill="currentColor" font-size="11" text-anchor="{anchor}">{texts}</g>'


def rows_of(axis: Axis, dimension: Dimension | None, left: float, right: float) -> str:
    """The y axis: a faint line and a figure for each tick."""
    places = [(axis.at(value), words(value, dimension)) for value in axis.ticks(4, binary=dimension is Dimension.SIZE)]
    rules = "".join(f"M{pixel(left)} {pixel(y)}H{pixel(right)}" for y, _ in places)
    return rule(rules) + labels([(left - 5, y + 3.5, text) for y, text in places], "end")


def times_of(axis: Axis, y: float, most: int = 6) -> str:
    """The x axis of times since the start."""
    return labels(
        (axis.at(value), y, clock(value)) for value in moments(axis.high, most) if axis.at(value) <= axis.end - 8
    )


def rule(d: str) -> str:
    """A faint line."""
    return f'<path d="{d}" class="rule" stroke="#8884"/>'


def polyline(points: Sequence[tuple[float, float | None]]) -> str:
    """The path through points; None: a gap. A point alone is a dot."""
    found: list[str] = []
    pen = False
    for number, (x, y) in enumerate(points):
        if y is None:
            pen = False
            continue
        alone = not pen and (number + 1 == len(points) or points[number + 1][1] is None)
        found.append(f"{'L' if pen else 'M'}{pixel(x)} {pixel(y)}" + ("h.1" if alone else ""))
        pen = True
    return "".join(found)


def drawing(inner: str, title: str, *, width: float = WIDTH, height: float = HEIGHT, kind: str = "plot") -> Svg:
    """The whole SVG; `title` is what a screen reader says of it."""
    size = f'viewBox="0 0 {pixel(width)} {pixel(height)}" width="{pixel(width)}" height="{pixel(height)}"'
    return Svg(f'<svg class="{kind}" {size} role="img" aria-label="{escape(title)}">{inner}</svg>')
