"""Acceptance as JSON, for programs: `vezaflow accept --json`. `schema` goes up when a field changes its meaning or goes
away. Moments are ISO 8601 in UTC, nights ISO dates, durations seconds, shares fractions of one; no data is null.

The JSON Schema of it is published as schema/acceptance.json.
"""

import json
from datetime import UTC, datetime
from typing import Any

from vezaflow.gates import Outcome
from vezaflow.model import Identity
from vezaflow.nights.acceptance import Acceptance, Decision
from vezaflow.nights.calendar import Bar, Calendar, Night, NightEntry, NightVerdict

Json = dict[str, Any]
SCHEMA = 1


def to_json(suite: str, plan: Identity, found: Calendar, decision: Acceptance) -> Json:
    """All nights, and the decision over them."""
    rule = found.rule
    return {
        "schema": SCHEMA,
        "suite": suite,
        "plan": plan.digest,
        "now": _moment(found.now),
        "decision": decision.decision.value,
        "exit_code": int(decision.exit_code),
        "sentence": decision.sentence,
        "streak": decision.streak,
        "changes": list(decision.changes),
        "rule": {
            "nights": rule.nights,
            "timezone": rule.timezone,
            "night": "..".join(f"{end:%H:%M}" for end in rule.night),
            "target": list(rule.target),
            "gaps": rule.gaps,
        },
        "nights": [_night(night) for night in found.nights],
        "strays": [_run(entry) for entry in found.strays],
        "other_suites": list(found.others),
    }


def _night(night: Night) -> Json:
    return {
        "date": night.date.isoformat(),
        "starts": _moment(night.starts),
        "ends": _moment(night.ends),
        "verdict": night.verdict.value,
        "runs": [_run(entry) for entry in night.entries],
    }


def _run(entry: NightEntry) -> Json:
    run = entry.run
    return {
        "run_id": run.run_id,
        "started": _moment(run.started),
        "duration": run.duration,
        "outcome": run.outcome.value,
        "p95": None if run.p95 is None else float(run.p95),
        "failed": run.failed,
        "plan": None if run.identity is None else run.identity.digest,
        "targets": list(run.targets),
        "reasons": list(run.reasons),
        "counts": entry.counts,
        "bar": None if entry.bar is None else entry.bar.value,
        "why": entry.why,
        "changes": list(entry.changes),
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_COUNT: Json = {"type": "integer", "minimum": 0}


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


def _about(shape: Json, text: str) -> Json:
    return {"description": text, **shape}


def _one_of(kind: type[Outcome | NightVerdict | Decision], text: str) -> Json:
    return {"description": text, "enum": [each.value for each in kind]}


_RUNS: Json = {"type": "array", "items": {"$ref": "#/definitions/run"}}
_RUN = _object(
    run_id=_TEXT,
    started=_MOMENT,
    duration={"type": "number", "description": "of the load, seconds"},
    outcome=_one_of(Outcome, "the verdict of the run"),
    p95={"type": ["number", "null"], "description": "http_req_duration of all flows, seconds"},
    failed={"type": ["number", "null"], "description": "fraction of the requests"},
    plan={"type": ["string", "null"], "description": "the hash of its plan, as in summary.json"},
    targets=_about(_TEXTS, "base URLs"),
    reasons=_about(_TEXTS, "of a red run the gates that failed, of an inconclusive one what was missing"),
    counts={"type": "boolean", "description": "whether the run counts"},
    bar={"enum": [None, *(each.value for each in Bar)], "description": "the kind of reason why it does not count"},
    why=_about(_TEXT, "the reason in words; empty if it counts"),
    changes=_about(_TEXTS, "what differs between its plan and the current one"),
)
_NIGHT = _object(
    date={"type": "string", "format": "date", "description": "the date on which the night starts"},
    starts=_MOMENT,
    ends=_MOMENT,
    verdict=_one_of(NightVerdict, "missing: no run counts; pending: the same, and the night is not over"),
    runs=_about(_RUNS, "the decisive run first"),
)


def acceptance_schema() -> Json:
    """The JSON Schema of the document."""
    fields = _object(
        schema={"const": SCHEMA},
        suite=_TEXT,
        plan=_about(_TEXT, "the hash of the current plan"),
        now=_about(_MOMENT, "the time for which it was decided"),
        decision=_one_of(Decision, "red: of the nights that are green or red, the newest is red"),
        exit_code=_COUNT,
        sentence=_TEXT,
        streak=_about(_COUNT, "green nights in a row; may be more than are needed"),
        changes=_about(_TEXTS, "the changes of the plan that restarted the count"),
        rule=_object(nights=_COUNT, timezone=_TEXT, night=_TEXT, target=_TEXTS, gaps=_COUNT),
        nights={"type": "array", "items": _NIGHT, "description": "the oldest first"},
        strays=_about(_RUNS, "runs that are in no night"),
        other_suites=_about(_TEXTS, "the names of other suites whose runs were left out"),
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "vezaflow: acceptance",
        **fields,
        "definitions": {"run": _RUN},
    }


def acceptance_schema_text() -> str:
    """The schema as the text of a JSON file."""
    return json.dumps(acceptance_schema(), indent=2, ensure_ascii=False) + "\n"
