"""Values as regular expressions (ECMA 262, as a JSON Schema has them): quantities, pauses, conditions.

They say what the parser would read, but for what stands inside of a `${…}`.
"""

from vezaflow.keys.fields import GIVEN, RESERVED
from vezaflow.metrics import Metric, PageMetric
from vezaflow.units import UNITS, Dimension

_NUMBER = r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
COMPARE = r"(<=|>=|==|!=|<|>)"
NAME = rf"^(?!({'|'.join((*GIVEN, *RESERVED))})$)[A-Za-z_][A-Za-z0-9_]*$"
URL = r"^(/($|[^/])|https?://([^/?#@]+([/?#]|$)|.*\$\{)|\$\{)"  # a path below base_url, or a whole one without a user
CLOCK = r"^\s*([01]?[0-9]|2[0-3]):[0-5][0-9]\s*\.\.\s*([01]?[0-9]|2[0-3]):[0-5][0-9]\s*$"
SOCKET = r"^(/($|[^/])|(https?|wss?)://([^/?#@]+([/?#]|$)|.*\$\{)|\$\{)"
PATH = r"^(?!/|\.\./)."  # below the suite's folder


def quantity(dimension: Dimension) -> str:
    """A number with one of the dimension's units; of times several may stand together: `1m30s`."""
    units = "|".join(unit for unit, (_, of) in UNITS.items() if of is dimension)
    plain = rf"{_NUMBER}\s*({units})"
    return rf"({plain}|([0-9]+(\.[0-9]+)?({units}))+)" if dimension is Dimension.TIME else plain


def value(dimension: Dimension) -> str:
    """The whole of a text that is a quantity, or that holds a `${…}`."""
    return rf"\$\{{|^\s*{quantity(dimension)}\s*$"


def pause() -> str:
    """A duration, or a range of two."""
    time = quantity(Dimension.TIME)
    return rf"\$\{{|^\s*{time}\s*(\.\.\s*{time}\s*)?$"


def condition(metric: Metric) -> str:
    """What a gate on this metric can say: its aggregates, each with a bound of its own kind."""
    bounds: dict[Dimension | None, list[str]] = {}
    for aggregate in metric.aggregates:
        said = rf"p\s*\(\s*{_NUMBER}\s*\)" if aggregate == "p" else aggregate
        bounds.setdefault(metric.dimension_of(aggregate), []).append(said)
    sides = (_side("|".join(said), dimension) for dimension, said in bounds.items())
    return rf"^\s*({'|'.join(sides)})\s*$"


def page_condition(metric: PageMetric) -> str:
    """What a gate on a figure of audited pages can say."""
    bound = _NUMBER if metric.dimension is None else quantity(metric.dimension)
    return rf"^\s*{metric.aggregate}\s*{COMPARE}\s*{bound}\s*$"


def _side(figures: str, dimension: Dimension | None) -> str:
    """Some of the figures, and what they are held against: a value, such a figure of other samples, or the baseline."""
    fixed = rf"-?\s*{_NUMBER}" if dimension is None else quantity(dimension)
    other = rf"({_NUMBER}\s*\*\s*)?({figures})\s*(\{{[^{{}}]*\}})?\s*(\+\s*{fixed})?"
    baseline = rf"{quantity(Dimension.RATIO)}\s*of\s+baseline"
    return rf"({figures})\s*{COMPARE}\s*({fixed}|{other}|{baseline})"
