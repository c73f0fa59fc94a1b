"""Requests that are not sent: why, and what it comes to before the run."""

import re

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan.scope import EvaluationError
from vezaflow.protocols import ErrorKind

_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class RequestError(EvaluationError):
    """A request that could not be sent, with the error kind that counts it."""

    def __init__(self, message: str, span: Span, kind: ErrorKind, help: str = "") -> None:  # noqa: A002
        super().__init__(message, span)
        self.kind = kind
        self.help = help


def refuse(error: RequestError, diagnostics: Diagnostics) -> None:
    """Report a request that is known before the run. Raises VezaflowError where the guard says no."""
    if error.kind is ErrorKind.GUARD:
        raise refusal(error.message, error.help)
    diagnostics.error("VF705", error.span, error.message, help=error.help)


def refusal(reason: str, hint: str) -> VezaflowError:
    """The guard's no, before anything was sent."""
    return VezaflowError(f"refused: {reason}", hint=hint, code=ExitCode.REFUSED)


def one_line(value: str, span: Span) -> str:
    """A header's value, if it can be sent (RFC 9110, 5.5). Raises EvaluationError."""
    found = _UNSENDABLE.search(value)
    if found is None:
        return value
    if found[0] in "\r\n":
        raise EvaluationError("a header value can't contain a line break", span)
    raise EvaluationError(f"a header value can't contain control characters, and this has U+{ord(found[0]):04X}", span)
