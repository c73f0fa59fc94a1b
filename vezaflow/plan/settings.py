"""Values that must be known before the run: how many VUs, how long, how large.

They may come from the environment, where they are texts: `DURATION=2m` is read with its unit here, and what doesn't
fit is shown at the place in the YAML that asked for it.
"""

from typing import Any

from vezaflow import units
from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.plan.compiled import UNKNOWN, Constant, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.rendering import show
from vezaflow.syntax import Expression
from vezaflow.units import Dimension, parse_as


class Settings:
    """Evaluates the expressions of settings. A fault is a diagnostic, and the value a harmless one."""

    def __init__(self, compiler: Compiler, diagnostics: Diagnostics) -> None:
        self._compiler = compiler
        self._diagnostics = diagnostics

    def seconds(self, expression: Expression) -> float:
        return self._quantity(expression, Dimension.TIME, "a duration such as 5m")

    def pause(self, expression: Expression) -> Evaluate:
        """How long to wait, in seconds or as a range of them. What only the run tells is left to it."""
        compiled = self._compiler.expression(expression)
        if not isinstance(compiled, Constant):
            return compiled
        ends = compiled.value if isinstance(compiled.value, tuple) else (compiled.value,)
        read = tuple(self._amount(end, expression, Dimension.TIME, "a duration such as 2s") for end in ends)
        return Constant(read if len(read) > 1 else read[0])

    def rounds(self, expression: Expression) -> Evaluate:
        """How many times. What only the run tells is left to it."""
        compiled = self._compiler.expression(expression)
        known = isinstance(compiled, Constant) and isinstance(compiled.value, str) and compiled.value is not UNKNOWN
        return Constant(self.count(expression, least=0)) if known else compiled

    def rate(self, expression: Expression, *, most: float) -> float:
        """Per second."""
        rate = self._quantity(expression, Dimension.RATE, "a rate such as 500/s")
        if rate > most:
            self._wrong(expression.span, f"a rate of at most {units.rate(most)}", units.rate(rate))
            return 0.0
        return rate

    def size(self, expression: Expression, *, most: int = 1 << 62) -> int:
        size = self._quantity(expression, Dimension.SIZE, "a size such as 1 MiB")
        if size > most:
            self._wrong(expression.span, f"a size of at most {units.size(most)}", units.size(size))
            return 0
        return int(size)

    def count(self, expression: Expression, *, least: int = 1, most: int | None = None) -> int:
        value = self._value(expression)
        try:
            number = int(value) if not isinstance(value, float) or value.is_integer() else -1
        except (TypeError, ValueError):
            number = -1
        if number < least or isinstance(value, bool):
            self._wrong(expression.span, f"a whole number of at least {least}", value)
            return least
        if most is not None and number > most:
            self._wrong(expression.span, f"a whole number of at most {most:,}", value)
            return least
        return number

    def flag(self, expression: Expression) -> bool:
        value = self._value(expression)
        known = {True: True, False: False, "true": True, "false": False}
        if isinstance(value, bool | str) and value in known:
            return known[value]
        self._wrong(expression.span, "true or false", value)
        return False

    def text(self, expression: Expression) -> str:
        value = self._value(expression)
        return str(value)

    def value(self, expression: Expression) -> Any:
        """Whatever it is; UNKNOWN, with a diagnostic, when it is not known before the run."""
        return self._value(expression)

    def refuse(self, code: str, span: Span, message: str) -> None:
        """What the values together make wrong."""
        if not self._diagnostics.failed:  # a faulty value stands for itself
            self._diagnostics.error(code, span, message)

    def _quantity(self, expression: Expression, dimension: Dimension, wanted: str) -> float:
        return self._amount(self._value(expression), expression, dimension, wanted)

    def _amount(self, value: Any, expression: Expression, dimension: Dimension, wanted: str) -> float:
        if isinstance(value, str) and value is not UNKNOWN:
            try:
                return parse_as(value, dimension).amount
            except ValueError as e:
                self._diagnostics.error("VF702", expression.span, f"{show(value)} is not {wanted}: {e}")
                return 0.0
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        self._wrong(expression.span, wanted, value)
        return 0.0

    def _value(self, expression: Expression) -> Any:
        compiled = self._compiler.expression(expression)
        if isinstance(compiled, Constant):
            return compiled.value
        self._diagnostics.error(
            "VF704",
            expression.span,
            "this must be known before the run",
            help="use constants, `env` and `vars` without random values",
        )
        return UNKNOWN

    def _wrong(self, span: Span, wanted: str, value: object) -> None:
        if value is UNKNOWN:  # its fault has been told
            return
        self._diagnostics.error("VF702", span, f"expected {wanted}, got {show(value)}")
