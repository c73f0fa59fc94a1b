"""Behaviour: a plan interpreted by thousands of VUs in one process."""

from vezaflow.engine.delivered import Delivered, Dropped
from vezaflow.engine.flow import FlowRun
from vezaflow.engine.health import Health, Vitals
from vezaflow.engine.incidents import Incident, Incidents
from vezaflow.engine.requests import Observer
from vezaflow.engine.run import SUITE, RunEngine

__all__ = [
    "SUITE", "Delivered", "Dropped", "FlowRun", "Health", "Incident", "Incidents", "Observer", "RunEngine", "Vitals",
]  # fmt: skip
