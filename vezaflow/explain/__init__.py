"""What a suite will do, before it does it: from the plan alone, with no socket opened."""

from vezaflow.explain.document import to_json
from vezaflow.explain.explained import Explanation, explain, explain_cluster
from vezaflow.explain.page import page

__all__ = [
    "Explanation",
    "explain",
    "explain_cluster",
    "page",
    "to_json",
]
