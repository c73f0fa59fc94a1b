"""JSONPaths, patterns, selectors and XPaths, checked where they are written. The libraries behind are loaded when
the first one is met.
"""

import re
from collections.abc import Callable

from vezaflow.diagnostics import Diagnostics
from vezaflow.read import scalars
from vezaflow.read.mappings import Row
from vezaflow.syntax import Scalar, compile_css, compile_jsonpath, compile_pattern, compile_xpath

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[\d+\])*")  # a path without its `$`
Check = Callable[[Scalar, Diagnostics], None]


def query(row: Row, key: str, check: Check) -> str:
    """A constant text in a language of its own."""
    node = row.entries[key].value
    if isinstance(node, Scalar) and (not node.plain or node.text):
        check(node, row.diagnostics)
        return node.text
    scalars.report_shape(node, f"'{key}'", row.field(key).kind.value, row.diagnostics)
    return ""


def check_jsonpath(scalar: Scalar, diagnostics: Diagnostics) -> None:
    """Report a path that is none."""
    try:
        compile_jsonpath(scalar.text)
    except ValueError as error:
        help_ = f"write `$.{scalar.text}`" if _DOTTED.fullmatch(scalar.text) else ""
        diagnostics.error("VF210", scalar.span, "not a valid JSONPath", label=_line(error), help=help_)


def check_pattern(scalar: Scalar, diagnostics: Diagnostics) -> None:
    """Report a pattern that is none."""
    try:
        compile_pattern(scalar.text)
    except ValueError as error:
        diagnostics.error("VF211", scalar.span, "not a valid regular expression", label=_line(error))


def check_css(scalar: Scalar, diagnostics: Diagnostics) -> None:
    """Report a selector that is none."""
    try:
        compile_css(scalar.text)
    except ValueError as error:
        diagnostics.error("VF228", scalar.span, "not a valid CSS selector", label=_line(error))


def check_xpath(scalar: Scalar, diagnostics: Diagnostics) -> None:
    """Report an XPath that is none."""
    try:
        compile_xpath(scalar.text)
    except ValueError as error:
        diagnostics.error("VF229", scalar.span, "not a valid XPath", label=_line(error))


def _line(error: ValueError) -> str:
    return " ".join(str(error).split())
