"""Student's t distribution: what a deviation is worth whose spread is itself only estimated.

The incomplete beta function by its continued fraction (Numerical Recipes 6.4, modified Lentz), the quantile by
bisection: to 1e-9, for any degrees of freedom above 0, infinity (the normal distribution) among them.
"""

from math import erfc, exp, isinf, lgamma, log, log1p, sqrt

_TINY = 1e-300
_PRECISION = 1e-14
_MOST = 10_000  # terms, which many degrees of freedom need


def both_tails(t: float, freedom: float) -> float:
    """The probability of a deviation of at least |t|, either way: a two-sided p value."""
    if isinf(freedom):
        return erfc(abs(t) / sqrt(2))
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def quantile(p: float, freedom: float) -> float:
    """The t that a share of `p` (above 0, below 1) lies below."""
    if p == 0.5:
        return 0.0
    if p < 0.5:
        return -quantile(1 - p, freedom)
    tails = 2 * (1 - p)
    low, high = 0.0, 1.0
    while both_tails(high, freedom) > tails:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if both_tails(middle, freedom) > tails else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _sized(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _MOST):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _sized(1 + numerator * d)
            c = _sized(1 + numerator / c)
            found *= d * c
        if abs(d * c - 1) < _PRECISION:
            break
    return found


def _sized(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
