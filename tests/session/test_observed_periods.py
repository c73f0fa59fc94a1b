"""Of which time the server's figures are read."""

from pathlib import Path

from vezaflow.diagnostics import Diagnostics
from vezaflow.metrics import Recorder, Summary
from vezaflow.observe import Period
from vezaflow.plan import Inputs, Plan, build
from vezaflow.read import read_suite
from vezaflow.session.observing import periods_of

SUITE = """
suite: test
base_url: http://127.0.0.1:1
observe: {prometheus: {url: "", metrics: {hits: {counter: hits_total}}}}
"""
FLOW = """
load: {vus: 2, duration: 10s}
measure: {skip: 2s}
steps: [{get: /}]
gates: {server.hits: count > 0}
"""


def plan() -> Plan:
    texts = {"suite.yml": SUITE, "browse.yml": FLOW, "admin.yml": FLOW.replace("vus: 2", "vus: 1, start_time: 1s")}
    overlay = {Path("suite", name): text for name, text in texts.items()}
    diagnostics = Diagnostics()
    suite = read_suite([Path("suite")], diagnostics, overlay=overlay)
    assert suite is not None
    found = build(suite, Inputs({}), diagnostics)
    assert found is not None, [each.message for each in diagnostics]
    return found


def of_browse_alone() -> Summary:
    recorder = Recorder(0.0)
    recorder.begin(0.0)
    recorder.flow("browse").vus = 2
    return recorder.cut(8.0)


def test_a_flow_that_judged_nothing_has_no_time() -> None:
    browse = Period(102.0, 110.0)
    assert periods_of(plan(), of_browse_alone(), 100.0) == {None: browse, "browse": browse}


def test_a_flow_of_which_a_segment_has_nothing_lasts_as_planned() -> None:
    found = periods_of(plan(), of_browse_alone(), 100.0, 30.0)
    assert found == {None: Period(102.0, 111.0), "browse": Period(102.0, 110.0), "admin": Period(103.0, 111.0)}


def test_it_lasts_no_longer_than_the_segment() -> None:
    assert periods_of(plan(), of_browse_alone(), 100.0, 5.0)["admin"] == Period(103.0, 105.0)
    assert "admin" not in periods_of(plan(), of_browse_alone(), 100.0, 2.5)
