"""What gates get from what a Prometheus said: figures, their certainty, and why there are none."""

from math import inf

import pytest
from sample_run import run

from vezaflow.diagnostics import Source, Span
from vezaflow.gates import Concern, ConcernKind, Outcome, Verdict, judge
from vezaflow.metrics import Summary
from vezaflow.model import Observation, ObservedKind, ObservedUnit, unit_by_name
from vezaflow.observe import Observed, ObservedFigures, ObservedSeries, Period, classic, unobserved
from vezaflow.plan import PlannedGate
from vezaflow.syntax import Condition, Labels, Reference
from vezaflow.units import Dimension, Quantity

NOWHERE = Span(Source("suite.yml", ""), 0, 0)
PERIOD = Period(1000.0, 1010.0)
LATENCY = Observation("latency", ObservedKind.HISTOGRAM, "x_seconds", (), ("path",), ObservedUnit.SECONDS, NOWHERE)
CPU = Observation("cpu", ObservedKind.GAUGE, "cpu_ratio", (), (), ObservedUnit.RATIO, NOWHERE)
REQUESTS = Observation("requests", ObservedKind.COUNTER, "requests_total", (), (), ObservedUnit.NUMBER, NOWHERE)


def series(path: str, *counts: float) -> ObservedSeries:
    """Observations up to 100 ms, 200 ms, and above."""
    held = classic(zip((0.1, 0.2, inf), counts, strict=True))
    return ObservedSeries((("path", path),), 999.0, 1011.0, counts[-1], counts[-1] * 0.12, buckets=held)


def gauge(*labels: tuple[str, str]) -> ObservedSeries:
    return ObservedSeries(labels, 1000.0, 1010.0, 4, 2.0, 0.2, 0.9, 0.4)


def observed(*figures: ObservedSeries, of: Observation = LATENCY, problem: str = "") -> Observed:
    return Observed("http://p/", (ObservedFigures(of.name, of.kind, of.of, None, PERIOD, figures, problem),))


def gate(
    aggregate: str,
    operator: str,
    bound: float | Quantity | Reference,
    *,
    argument: float | None = None,
    of: Observation = LATENCY,
    labels: Labels = (),
    samples: int = 1,
) -> PlannedGate:
    condition = Condition(aggregate, argument, operator, bound, "as written", NOWHERE)  # type: ignore[arg-type]
    return PlannedGate(None, of.metric.name, labels, condition, NOWHERE, samples=samples, own=of.metric)


def p95(milliseconds: float, operator: str = "<", labels: Labels = ()) -> PlannedGate:
    return gate("p", operator, Quantity(milliseconds / 1000, Dimension.TIME), argument=95.0, labels=labels)


def verdict(judged: PlannedGate, found: Observed | None, *concerns: Concern) -> Verdict:
    (only,) = judge((judged,), Summary(), concerns=concerns, elsewhere=found)
    return only


TWO = observed(series("/a", 50, 100, 100), series("/b", 0, 0, 10))


@pytest.mark.parametrize(
    ("bound", "operator", "outcome"),
    [
        (250, "<", Outcome.GREEN),
        (200, "<", Outcome.GREEN),  # the bucket's upper bound is in the bucket
        (150, "<", Outcome.INCONCLUSIVE),
        (199, "<=", Outcome.INCONCLUSIVE),
        (100, "<", Outcome.RED),
        (50, "<=", Outcome.RED),
        (100, ">", Outcome.GREEN),
        (150, ">", Outcome.INCONCLUSIVE),
        (200, ">", Outcome.RED),
        (150, "==", Outcome.INCONCLUSIVE),
        (300, "!=", Outcome.GREEN),
    ],
)
def test_a_quantile_holds_only_if_all_of_its_bucket_does(bound: float, operator: str, outcome: Outcome) -> None:
    found = verdict(p95(bound, operator, (("path", "/a"),)), TWO)
    assert found.outcome is outcome
    assert found.between == (0.1, 0.2)
    if outcome is Outcome.INCONCLUSIVE:
        assert "p(95) is between 100 ms and 200 ms" in found.reason


@pytest.mark.parametrize(
    ("operator", "factor", "outcome"),
    [
        ("<", 2.5, Outcome.GREEN),  # p(95){path:/a} is at most 200 ms, the bound at least 250 ms
        ("<", 2.0, Outcome.GREEN),
        ("<", 1.2, Outcome.INCONCLUSIVE),
        ("<=", 0.4, Outcome.RED),  # above 100 ms, and at most 80 ms
        (">", 0.5, Outcome.GREEN),
        (">", 1.2, Outcome.INCONCLUSIVE),
        (">=", 2.0, Outcome.RED),
        ("==", 1.0, Outcome.INCONCLUSIVE),
        ("==", 3.0, Outcome.RED),
        ("!=", 3.0, Outcome.GREEN),
    ],
)
def test_beside_another_quantile_a_gate_holds_only_if_it_does_for_all_of_both_buckets(
    operator: str, factor: float, outcome: Outcome
) -> None:
    beside = Reference("p", 95.0, (("path", "/c"),), factor, None, "p(95){path:/c}", NOWHERE)
    both = observed(series("/a", 10, 100, 100), series("/c", 10, 100, 100))
    found = verdict(gate("p", operator, beside, argument=95.0, labels=(("path", "/a"),)), both)
    assert found.outcome is outcome
    if outcome is Outcome.INCONCLUSIVE:
        assert found.reason.startswith("p(95){path:/c} is between 100 ms and 200 ms, which is all that the server's")
        assert found.reason.endswith("and p(95) is between 100 ms and 200 ms")


def test_an_exact_figure_beside_a_quantile_is_judged_for_all_of_its_bucket() -> None:
    both = observed(series("/a", 10, 100, 100), series("/b", 0, 0, 10))

    def of(factor: float, path: str) -> Verdict:
        beside = Reference("p", 95.0, (("path", path),), factor, None, f"p(95){{path:{path}}}", NOWHERE)
        return verdict(gate("avg", "<", beside, labels=(("path", "/a"),)), both)

    assert [of(factor, "/a").outcome for factor in (0.5, 1.0, 1.3)] == [
        Outcome.RED,
        Outcome.INCONCLUSIVE,
        Outcome.GREEN,
    ]
    assert of(1.0, "/a").reason.endswith("the bound is between 100 ms and 200 ms, and avg is 120 ms")
    assert of(0.5, "/b").outcome is Outcome.INCONCLUSIVE  # above 100 ms is all that is known of the bound
    assert "the bound is above 100 ms" in of(0.5, "/b").reason
    assert of(1.0, "/b").outcome is Outcome.GREEN


def test_above_the_highest_bound_nothing_is_known_but_that() -> None:
    assert verdict(p95(150, "<", (("path", "/b"),)), TWO).outcome is Outcome.RED
    found = verdict(p95(900, "<", (("path", "/b"),)), TWO)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "p(95) is above 200 ms" in found.reason


def test_without_a_label_all_series_are_one() -> None:
    found = verdict(gate("count", ">", 109.0), TWO)
    assert (found.outcome, found.value, found.samples) == (Outcome.GREEN, 110.0, 110)


def test_averages_and_rates_are_exact() -> None:
    found = verdict(gate("avg", "<", Quantity(0.13, Dimension.TIME)), TWO)
    assert found.outcome is Outcome.GREEN
    assert found.value == pytest.approx(0.12)
    assert found.between is None
    rate = verdict(gate("rate", ">", Quantity(9, Dimension.RATE)), TWO)
    assert rate.value == pytest.approx(110 / 12)


def test_a_counter_has_its_increase_and_its_rate() -> None:
    found = observed(ObservedSeries((), 998.0, 1010.0, 0, 24.0), of=REQUESTS)
    assert verdict(gate("count", "==", 24.0, of=REQUESTS), found).outcome is Outcome.GREEN
    assert verdict(gate("rate", "==", Quantity(2, Dimension.RATE), of=REQUESTS), found).outcome is Outcome.GREEN


@pytest.mark.parametrize(("aggregate", "value"), [("avg", 0.5), ("min", 0.2), ("max", 0.9), ("value", 0.4)])
def test_a_gauge_has_its_samples(aggregate: str, value: float) -> None:
    found = verdict(gate(aggregate, "<", Quantity(1, Dimension.RATIO), of=CPU), observed(gauge(), of=CPU))
    assert (found.outcome, found.value, found.samples) == (Outcome.GREEN, value, 4)


def test_of_several_gauges_there_is_a_highest_but_no_value() -> None:
    two = observed(gauge(("host", "a")), gauge(("host", "b")), of=CPU)
    bound = Quantity(1, Dimension.RATIO)
    assert verdict(gate("max", "<", bound, of=CPU), two).outcome is Outcome.GREEN
    assert "select one" in verdict(gate("value", "<", bound, of=CPU), two).reason


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "server.latency is read after the load"),
        (unobserved("refused"), "the server's figures could not be read: refused"),
        (observed(problem="scraped too rarely"), "scraped too rarely"),
        (observed(series("/a", 0, 0, 0)), "x_seconds counted nothing in this time"),
        (Observed("http://p/"), "no request was evaluated"),
    ],
)
def test_where_there_is_no_figure_the_reason_is_said(found: Observed | None, reason: str) -> None:
    said = verdict(p95(150), found)
    assert said.outcome is Outcome.INCONCLUSIVE
    assert reason in said.reason


def test_too_few_requests_are_no_verdict() -> None:
    few = gate("count", ">", 1.0, samples=1000)
    assert verdict(few, TWO).reason == "only 110 of at least 1,000 samples"


def test_a_busy_generator_says_nothing_against_the_servers_own_times() -> None:
    busy = Concern(ConcernKind.SATURATED, "busy")
    assert verdict(p95(250, "<", (("path", "/a"),)), TWO, busy).outcome is Outcome.GREEN


def test_secrets_are_masked_in_what_prometheus_said() -> None:
    masked = observed(problem="no access for hunter2").masked(lambda text: text.replace("hunter2", "•••"))
    assert masked.figures[0].problem == "no access for •••"


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("http_request_duration_seconds", ObservedUnit.SECONDS),
        ("process_cpu_seconds_total", ObservedUnit.SECONDS),
        ("rpc_milliseconds", ObservedUnit.MILLISECONDS),
        ("sent_bytes_total", ObservedUnit.BYTES),
        ("cpu_ratio", ObservedUnit.RATIO),
        ("up", ObservedUnit.NUMBER),
    ],
)
def test_the_unit_is_that_of_the_name(name: str, unit: ObservedUnit) -> None:
    assert unit_by_name(name) is unit


def test_the_rate_of_a_time_is_a_ratio() -> None:
    seconds = Observation("cpu", ObservedKind.COUNTER, "cpu_seconds_total", (), (), ObservedUnit.SECONDS, NOWHERE)
    assert seconds.metric.dimension_of("rate") is Dimension.RATIO


def test_a_run_without_observe_has_none() -> None:
    assert run(()).observed is None
