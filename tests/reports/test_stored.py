"""A result is read back from its summary.json, and every view of it is the same."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sample_run
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.diagnostics import Diagnostic, Severity, Source, Span
from vezaflow.metrics import Seconds
from vezaflow.model import ActionKind, Identity
from vezaflow.reports import console, from_json, junit, step_summary, to_json
from vezaflow.results import Commit, EventWindow, Happened, Host, Profile, Provenance, RunResult

PROVENANCE = Provenance(
    Identity("8e3c0e1f0130fe2f", {"browse: load": "1" * 16}),
    Profile(("browse: 100 of 1,000 VUs",)),
    Host("runner", 2, "6.1"),
    Commit("a" * 40, dirty=True),
)
# what follows from the others, or is the files' own
UNREAD = {"headline", "pooled", "steps", "errors", "traces", "files", "segment"}
EVENTS = (
    Happened("failover", ActionKind.HAPROXY, 1.2, 4.3, "set server be/s1 state maint", "", 4.3),
    Happened("flush", ActionKind.STEPS, 2.0, 2.2, "1 step", "POST /flush: expected 204, got 503"),
    Happened("deployed 4f2a", ActionKind.MARK, 3.0, 3.0, manual=True),
)
FLOW = Source("flows/browse.yml", "flow: browse\nsteps:\n  - get: /a\n")


def results() -> list[RunResult]:
    green, red = sample_run.run(sample_run.GREEN), sample_run.run(sample_run.RED)
    incident = Diagnostic("VF605", Severity.ERROR, "no `id`", Span(FLOW, 24, 33), help="there is `data`")
    return [
        green,
        red,
        replace(red, provenance=PROVENANCE, manual_changes=("browse paused",), incidents=(incident,)),
        replace(red, events=EVENTS, event_windows=(EventWindow("failover", 1.0, 4.5),)),
        replace(red, profiles=sample_run.PROFILES),
        sample_run.arriving(),
        sample_run.streaming(),
        replace(green, seconds=Seconds(), started=datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    "result", results(), ids=["green", "red", "with provenance", "events", "profiles", "open", "streaming", "empty"]
)
def test_the_record_of_the_result_is_the_record(result: RunResult) -> None:
    record = json.loads(json.dumps(to_json(result)))
    back = from_json(record, {FLOW.path: FLOW})
    assert json.loads(json.dumps(to_json(back))) == record


@pytest.mark.parametrize("result", results())
def test_every_view_of_it_is_the_same(result: RunResult) -> None:
    back = from_json(json.loads(json.dumps(to_json(result))), {FLOW.path: FLOW})
    for view in (console, junit, step_summary):
        assert view(back) == view(result)


def test_listeners_and_channels_are_read_back() -> None:
    record = json.loads(json.dumps(to_json(sample_run.streaming())))
    assert (len(record["listeners"]), len(record["channels"])) == (1, 1)
    assert from_json(record).summary.listener_rows()[0].felt.stalls == 1
    assert from_json(record).summary.channel_rows()[0].figures.closes == {"1006": 1}


def test_without_the_texts_incidents_have_no_place() -> None:
    back = from_json(json.loads(json.dumps(to_json(results()[2]))))
    assert back.incidents[0].span is None
    assert back.incidents[0].message == "no `id`"


@given(st.data())
def test_a_record_with_a_wrong_field_is_refused_in_words(data: st.DataObject) -> None:
    record: dict[str, Any] = json.loads(json.dumps(to_json(results()[1])))
    name = data.draw(st.sampled_from(sorted(set(record) - UNREAD)))
    record[name] = data.draw(st.sampled_from([None, "x", [1], {"x": 1}, -5, True]))
    try:
        from_json(record)
    except ValueError as e:
        reason = str(e)
        assert reason
