"""Behaviour: a plan interpreted by thousands of VUs in one process."""

from vezaflow.engine.context import Observer, StepPlace
from vezaflow.engine.delivered import Delivered
from vezaflow.engine.deliveries import EVERY, PATIENCE, Announced, Deliveries
from vezaflow.engine.flow import FlowRun
from vezaflow.engine.health import NO_VITALS, HealthMonitor, Vitals, worst
from vezaflow.engine.incidents import Incident, Incidents
from vezaflow.engine.redirects import is_followed
from vezaflow.engine.requests import GO_ON
from vezaflow.engine.run import SUITE, RunEngine
from vezaflow.engine.vu import VU, Signal

__all__ = [
    "EVERY",
    "GO_ON",
    "NO_VITALS",
    "PATIENCE",
    "SUITE",
    "VU",
    "Announced",
    "Delivered",
    "Deliveries",
    "FlowRun",
    "HealthMonitor",
    "Incident",
    "Incidents",
    "Observer",
    "RunEngine",
    "Signal",
    "StepPlace",
    "Vitals",
    "is_followed",
    "worst",
]
