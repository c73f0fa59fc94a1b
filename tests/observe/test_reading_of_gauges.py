"""Reading the server's figures from a Prometheus that has holes, goes on without a series, or is none at all."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
import trio
from served import QuietHandler, served

from vezaflow.metrics import Metric, MetricKind, Of
from vezaflow.model import ObservedKind
from vezaflow.observe import Observed, Period, PrometheusApi, read
from vezaflow.plan import ObservedMetric, PlannedPrometheus, Targets
from vezaflow.protocols import ClientOptions, Transport

Samples = list[list[Any]]
Said = Callable[[str, dict[str, str]], Any]  # a path and its fields → what the response's `data` is
KINDS = {
    ObservedKind.COUNTER: MetricKind.COUNTER,
    ObservedKind.GAUGE: MetricKind.GAUGE,
    ObservedKind.QUERY: MetricKind.GAUGE,
    ObservedKind.HISTOGRAM: MetricKind.TREND,
}


@contextmanager
def speaking(say: Said) -> Iterator[str]:
    """The URL of a server that speaks as Prometheus' API does."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.tell({"version": "3.1.0"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            fields = {name: values[0] for name, values in parse_qs(body).items()}
            if fields["query"] == "time()":
                self.tell({"resultType": "scalar", "result": [time.time(), str(time.time())]})
            else:
                self.tell(say(self.path, fields))

        def tell(self, data: Any) -> None:
            body = json.dumps({"status": "success", "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with served(Handler) as port:
        yield f"http://127.0.0.1:{port}"


def metric(kind: ObservedKind, of: str) -> ObservedMetric:
    return ObservedMetric("it", kind, of, (), (), Metric("server.it", KINDS[kind], None, "", (), Of.ELSEWHERE, ""), 1.0)


def reading(say: Said, of: ObservedMetric, period: Period, *, wait: float = 20.0) -> Observed:
    found: list[Observed] = []

    async def main(url: str) -> None:
        transport = Transport()
        plan = PlannedPrometheus(Targets(url, ()), ClientOptions(cookies=False), (), 5.0, wait, (of,))
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.run)
            api = PrometheusApi(plan, transport)
            found.append(await read(plan, api, {None: period}, 0.0))
            api.close()
            nursery.cancel_scope.cancel()

    with speaking(say) as url:
        trio.run(main, url)
    return found[0]


def matrix(*series: tuple[dict[str, str], Samples]) -> dict[str, Any]:
    return {"resultType": "matrix", "result": [{"metric": labels, "values": values} for labels, values in series]}


def evaluated(fields: dict[str, str], *alive: range) -> dict[str, Any]:
    """A range query's points, of those that are named by their numbers; a series for each."""
    start, end, step = (float(fields[name]) for name in ("start", "end", "step"))
    moments = [start + number * step for number in range(int((end - start) / step + 0.001) + 1)]
    parts = [[[at, "1"] for number, at in enumerate(moments) if number in part] for part in alive]
    return matrix(*(({"pod": str(number)}, part) for number, part in enumerate(parts)))


@pytest.mark.parametrize(
    ("alive", "problem"),
    [
        ([range(100)], ""),
        ([range(20), range(20, 100)], ""),  # a pod took the place of another
        ([range(1, 100)], ""),
        ([range(20)], "Prometheus has samples of x for only 50 % of this time: was it scraped?"),
        ([range(36, 100)], "Prometheus has samples of x for only 10 % of this time: was it scraped?"),
        ([range(10), range(30, 100)], "Prometheus has samples of x for only 50 % of this time: was it scraped?"),
    ],
)
def test_a_gauge_has_to_be_there_for_nine_tenths_of_the_time(alive: list[range], problem: str) -> None:
    period = Period(time.time() - 700, time.time() - 100)
    found = reading(lambda _, fields: evaluated(fields, *alive), metric(ObservedKind.GAUGE, "x"), period)
    (figures,) = found.figures
    assert figures.problem == problem


def test_a_query_may_come_to_nothing_most_of_the_time() -> None:
    period = Period(time.time() - 700, time.time() - 100)
    found = reading(lambda _, fields: evaluated(fields, range(2)), metric(ObservedKind.QUERY, "x > 5"), period)
    (figures,) = found.figures
    assert figures.problem == ""
    assert [each.count for each in figures.series] == [2]


@pytest.mark.slow
def test_a_series_that_went_away_costs_the_time_that_there_is_and_no_figure() -> None:
    end = time.time()
    scrapes = [end - 60 + number * 10 for number in range(7)]
    going = [[at, str(number)] for number, at in enumerate(scrapes)]

    def say(_: str, fields: dict[str, str]) -> Any:
        if fields["query"].startswith("up"):
            return matrix()
        return matrix(
            ({"__name__": "x", "pod": "a"}, going),
            ({"__name__": "x", "pod": "b"}, going[:-1]),  # 10 s between scrapes: it could still come
        )

    found = reading(say, metric(ObservedKind.COUNTER, "x"), Period(end - 50, end), wait=1.0)
    assert found.problem == ""
    (figures,) = found.figures
    assert figures.problem == ""
    assert [each.total for each in figures.series] == [9]


@pytest.mark.parametrize(
    "odd",
    [
        {"resultType": "matrix", "result": [{"metric": ["x"], "values": []}]},
        {"resultType": "vector", "result": [{"metric": {}, "histogram": [1, "2"]}]},
        {"resultType": "vector", "result": [None]},
        ["no", "mapping"],
        None,
    ],
)
def test_a_response_of_something_else_is_a_reason_and_no_error(odd: Any) -> None:
    period = Period(time.time() - 20, time.time() - 10)
    found = reading(lambda *_: odd, metric(ObservedKind.GAUGE, "x"), period)
    assert found.problem == "the response is not one of Prometheus"


def classic(fields: dict[str, str], *, begin: float) -> Any:
    if fields["query"].startswith("up"):
        return matrix()
    edges = {"1": 0, "2": 10, "4": 10, "+Inf": 10}  # each twice the one before, as those of native ones can be
    return matrix(
        *(
            ({"__name__": "x_bucket", "le": edge}, [[begin, "0"], [begin + 10, str(count)]])
            for edge, count in edges.items()
        )
    )


def test_classic_buckets_are_interpolated_linearly_whatever_their_bounds() -> None:
    begin = time.time() - 20
    period = Period(begin, begin + 10)
    found = reading(lambda _, fields: classic(fields, begin=begin), metric(ObservedKind.HISTOGRAM, "x"), period)
    (figures,) = found.figures
    assert figures.problem == ""
    at = figures.quantile(figures.series, 0.5)
    assert at is not None
    assert at.value == pytest.approx(1.5)
