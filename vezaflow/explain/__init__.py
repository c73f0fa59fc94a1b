"""What a suite will do, before it does it: from the plan alone, with no socket opened."""

from vezaflow.explain.document import to_json
from vezaflow.explain.explained import Explanation, explain
from vezaflow.explain.page import page

__all__ = ["Explanation", "explain", "page", "to_json"]
