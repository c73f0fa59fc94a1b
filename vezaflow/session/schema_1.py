"""The file of a segment as schema 1 wrote it → as the current schema has it, so that `merge` knows one of them.

A table of the fields that have other names; what the file says is checked afterwards, as of any file.
"""

from collections.abc import Mapping
from typing import Any

_DELIVERED = {"asked": "requested", "held_up": "time_lost", "used_up": "exhausted"}
_VITALS = {
    "cpu_share": "cpu",
    "cpu_most": "cpu_max",
    "lag_most": "lag_max",
    "latest_read": "read_delay_max",
    "away": "lag_share",
}


def upgraded(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the fields that `merge` reads under their new names."""
    part = record.get("share")
    if isinstance(part, dict) and isinstance(part.get("report"), dict):
        part = {**part, "report": _report(part["report"])}
    return {**record, "schema": 2, "segment": part}


def _report(report: dict[str, Any]) -> dict[str, Any]:
    delivered, workers = report.get("delivered"), report.get("workers")
    if isinstance(delivered, dict):
        delivered = {flow: _renamed(each, _DELIVERED) for flow, each in delivered.items()}
    if isinstance(workers, list):
        workers = [
            {**each, "vitals": _renamed(each.get("vitals"), _VITALS)} if isinstance(each, dict) else each
            for each in workers
        ]
    return {**report, "delivered": delivered, "workers": workers}


def _renamed(fields: Any, names: Mapping[str, str]) -> Any:
    """An object's fields under their new names; anything else as it is."""
    return {names.get(name, name): value for name, value in fields.items()} if isinstance(fields, dict) else fields
