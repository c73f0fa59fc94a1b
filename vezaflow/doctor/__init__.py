"""What this machine can carry, and what to do where it is poor."""

from vezaflow.doctor.document import to_json
from vezaflow.doctor.examined import examine
from vezaflow.doctor.finding import Aspect, Examination, Finding, Grade
from vezaflow.doctor.network import observed, prometheus, reached
from vezaflow.doctor.page import page
from vezaflow.doctor.resources import of_addresses, of_load

__all__ = [
    "Aspect",
    "Examination",
    "Finding",
    "Grade",
    "examine",
    "observed",
    "of_addresses",
    "of_load",
    "page",
    "prometheus",
    "reached",
    "to_json",
]
