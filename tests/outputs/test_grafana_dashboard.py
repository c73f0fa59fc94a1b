"""The Grafana dashboard that ships: its queries ask for metrics and labels that are really sent, and have data."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cramjam
import httpx
import pytest
from prometheus import prometheus
from told_run import PLAN, ToldRun

from vezaflow.outputs.prometheus import HEADERS, RemoteWrite, write_request
from vezaflow.plan import PlannedOutput

FILE = Path(__file__).parents[2] / "docs" / "grafana" / "vezaflow.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PLANNED = PlannedOutput("prometheus", "--out prometheus", "x", labels=(("testid", "shown"),), native=True)
SELECTOR = re.compile(r"\b((?:k6|vezaflow)_\w+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\bby \(([^)]*)\).*?\b((?:k6|vezaflow)_\w+)")
VALUES = {
    "$testid": "shown", "$scenario": ".*", "$step": ".*", "$__rate_interval": "1m", "$__range": "5m", "$quantile": "95",
    "$suite": ".*", "$__interval": "1m",
}  # fmt: skip


def queries() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        if "expr" in annotation:
            yield f"annotation {annotation['name']}", annotation["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]["query"]


def sent() -> dict[str, set[str]]:
    """The labels of each metric that is sent."""
    encoder = RemoteWrite(PLANNED, PLAN)
    found: dict[str, set[str]] = {}
    for tick in ToldRun().ticks(2):
        for body in encoder.encode(tick):
            request = write_request()()
            request.ParseFromString(bytes(cramjam.snappy.decompress_raw(body)))
            for series in request.timeseries:
                labels = {label.name: label.value for label in series.labels}
                found.setdefault(labels.pop("__name__"), set()).update(labels)
    return found


@pytest.mark.parametrize(("place", "query"), list(queries()), ids=[place for place, _ in queries()])
def test_a_query_asks_for_what_is_sent(place: str, query: str) -> None:
    known, asked = sent(), SELECTOR.findall(query)
    assert asked, place
    for metric, matchers in asked:
        assert metric in known
        assert set(re.findall(r"(\w+)=~?\"", matchers)) <= known[metric]
    for names, metric in GROUPED.findall(query):
        assert {name.strip() for name in names.split(",")} <= known[metric]


@pytest.mark.slow
def test_every_panel_has_data_in_a_real_prometheus() -> None:
    run = ToldRun()
    encoder = RemoteWrite(PLANNED, PLAN)
    end = 0.0
    with prometheus() as server:
        for tick in run.ticks(60, every=5):
            for body in encoder.encode(tick):
                assert httpx.post(server.write_url, content=body, headers=HEADERS, trust_env=False).status_code == 204
            end = tick.at.timestamp() + 0.01  # the last payload comes a moment after the one before
        empty = []
        for place, query in queries():
            if place.startswith("variable"):
                continue
            for name, value in VALUES.items():
                query = query.replace(name, value)
            found = server.query(query, end)
            if not found or all("value" in each and math.isnan(float(each["value"][1])) for each in found):
                empty.append(place)
        assert empty == []
        begin = next(query for place, query in queries() if place == "annotation Events")
        moments = {
            found["metric"]["event"]: float(found["value"][1]) / 1000 - run.began.timestamp()
            for found in server.query(begin.replace("$testid", "shown"), end)
        }
    assert moments == pytest.approx({"failover": 2.0, "deployed": 2.5}, abs=0.001)


def test_the_dashboard_lies_in_rows_without_overlaps() -> None:
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
