"""What a suite will do, before it does it: from the plan alone, with no socket opened."""

from vezaflow.explain.document import document
from vezaflow.explain.explained import Explanation, explain
from vezaflow.explain.page import page

__all__ = ["Explanation", "document", "explain", "page"]
