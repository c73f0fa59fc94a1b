"""Requests that are not sent: why, and what it comes to before the run."""

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan.scope import EvaluationError
from vezaflow.protocols import ErrorKind


class RequestError(EvaluationError):
    """A request that could not be sent, with the error kind that counts it."""

    def __init__(self, message: str, span: Span, kind: ErrorKind) -> None:
        super().__init__(message, span)
        self.kind = kind


def refuse(error: RequestError, diagnostics: Diagnostics) -> None:
    """Report a request that is known before the run. Raises VezaflowError where the guard says no."""
    if error.kind is ErrorKind.GUARD:
        raise refusal(error.message)
    diagnostics.error("VF705", error.span, error.message)


def refusal(reason: str) -> VezaflowError:
    """The guard's no, before anything was sent."""
    return VezaflowError(
        f"refused: {reason}",
        hint="list the host under `guard: {allow: […]}` in suite.yml, if it may be loaded",
        code=ExitCode.REFUSED,
    )
