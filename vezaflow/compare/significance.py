"""Many tests at once: which of them are worth telling (Benjamini and Hochberg, 1995)."""

from collections.abc import Sequence


def discoveries(probabilities: Sequence[float], rate: float) -> tuple[bool, ...]:
    """Which of the p values are discoveries, so that at most a share `rate` of the discoveries is false."""
    ranked = sorted(probabilities)
    limit = max((p for rank, p in enumerate(ranked, 1) if p <= rate * rank / len(ranked)), default=-1.0)
    return tuple(p <= limit for p in probabilities)
