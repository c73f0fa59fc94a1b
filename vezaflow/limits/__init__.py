"""What this machine lets a run do: raised where allowed, checked before any load is sent."""

from vezaflow.limits.addresses import local_addresses, missing_addresses, require_addresses
from vezaflow.limits.checks import Check, Enough, checks, connection_checks, require
from vezaflow.limits.connections import Bounds, connections_of
from vezaflow.limits.estimate import Estimate, MostVus, estimate
from vezaflow.limits.machine import Machine, machine, raise_open_files
from vezaflow.limits.share import MachineShare

__all__ = [
    "Bounds",
    "Check",
    "Enough",
    "Estimate",
    "Machine",
    "MachineShare",
    "MostVus",
    "checks",
    "connection_checks",
    "connections_of",
    "estimate",
    "local_addresses",
    "machine",
    "missing_addresses",
    "raise_open_files",
    "require",
    "require_addresses",
]
