"""What was run, as JSON: in summary.json, and in what is kept of a run from its begin on.

Of a run of which that is not known all fields are null.
"""

from dataclasses import asdict
from typing import Any

from vezaflow.model import Identity
from vezaflow.results import Commit, Host, Profile, Provenance

Json = dict[str, Any]


def provenance_to_json(provenance: Provenance | None) -> Json:
    """The fields that stand beside others."""
    if provenance is None:
        return dict.fromkeys(("plan", "profile", "commit", "host"))
    identity, profile, commit = provenance.identity, provenance.profile, provenance.commit
    return {
        "plan": {"hash": identity.digest, "parts": dict(identity.parts)},
        "profile": {"full": profile.full, "changes": list(profile.changes)},
        "commit": None if commit is None else asdict(commit),
        "host": asdict(provenance.host),
    }


def provenance_from_json(record: Json) -> Provenance | None:
    """The same from a record that has them, or None."""
    plan, profile, host, commit = (record.get(name) for name in ("plan", "profile", "host", "commit"))
    if plan is None or profile is None or host is None:
        return None
    return Provenance(
        Identity(plan["hash"], plan["parts"]),
        Profile(tuple(profile["changes"])),
        Host(host["name"], host["cores"], host["kernel"]),
        None if commit is None else Commit(commit["sha"], commit["dirty"]),
    )
