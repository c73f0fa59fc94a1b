"""Rules over the model."""

from vezaflow.lint.rules import lint
from vezaflow.lint.uploads import MOST_PARTS, too_many

__all__ = [
    "MOST_PARTS",
    "lint",
    "too_many",
]
