"""Verdicts: whether the gates hold, and whether the figures can be trusted to say so.

What stands against trusting a run is a Concern, with its remedy.
"""

from vezaflow.gates.abort import Aborts, AbortWatch
from vezaflow.gates.comparison import holds
from vezaflow.gates.concern import Concern, ConcernKind, concerns_of
from vezaflow.gates.event_windows import judged_events, windows_of
from vezaflow.gates.figures import BaselineFigures, FigureSource, JudgedFigure
from vezaflow.gates.judge import judge, overall
from vezaflow.gates.verdict import Outcome, Verdict, aggregate_text, dimension_of, shown

__all__ = [
    "AbortWatch",
    "Aborts",
    "BaselineFigures",
    "Concern",
    "ConcernKind",
    "FigureSource",
    "JudgedFigure",
    "Outcome",
    "Verdict",
    "aggregate_text",
    "concerns_of",
    "dimension_of",
    "holds",
    "judge",
    "judged_events",
    "overall",
    "shown",
    "windows_of",
]
