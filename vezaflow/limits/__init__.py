"""What this machine lets a run do: raised where allowed, checked before any load is sent."""

from vezaflow.limits.addresses import require_addresses
from vezaflow.limits.checks import Check, Enough, checks, connection_checks, require
from vezaflow.limits.connections import Bounds, connections_of
from vezaflow.limits.estimate import Estimate, MostVus, estimate
from vezaflow.limits.machine import Machine, machine, raise_open_files

__all__ = [
    "Bounds",
    "Check",
    "Enough",
    "Estimate",
    "Machine",
    "MostVus",
    "checks",
    "connection_checks",
    "connections_of",
    "estimate",
    "machine",
    "raise_open_files",
    "require",
    "require_addresses",
]
