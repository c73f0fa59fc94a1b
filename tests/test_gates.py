"""Three verdicts: red is broken, green is proven, everything else is inconclusive."""

from typing import Any

import pytest

from vezaflow.diagnostics import Source, Span
from vezaflow.errors import ExitCode
from vezaflow.gates import AbortWatch, Concern, ConcernKind, Outcome, concerns_of, judge, overall
from vezaflow.metrics import EventWindows, Extent, Recorder, Summary, merge_all
from vezaflow.plan import PlannedGate
from vezaflow.results import exit_code_of, headline
from vezaflow.syntax import Condition, Reference
from vezaflow.units import Dimension, Quantity

SPAN = Span(Source("suite.yml", "gates:"), 0, 5)
BUSY = Concern(ConcernKind.SATURATED, "the generator used 99 % of its core", "--workers 2")
SHORT = Concern(ConcernKind.LOAD_NOT_REACHED, "only 3 of 10 VUs were started")


def gate(
    metric: str,
    aggregate: str,
    operator: Any,
    bound: float | Quantity | Reference,
    argument: float | None = None,
    **options: Any,
) -> PlannedGate:
    condition = Condition(aggregate, argument, operator, bound, "as written", SPAN)
    options = {"flow": None, "labels": (), **options}
    return PlannedGate(metric=metric, condition=condition, span=SPAN, **options)


def p95(milliseconds: float, **options: Any) -> PlannedGate:
    bound = Quantity(milliseconds / 1000, Dimension.TIME)
    return gate("http_req_duration", "p", "<", bound, 95.0, **options)


def failed(percent: float, **options: Any) -> PlannedGate:
    return gate("http_req_failed", "rate", "<", Quantity(percent / 100, Dimension.RATIO), **options)


def summary(*durations: float, refused: int = 0, timed_out: int = 0, page: str = "") -> Summary:
    recorder = Recorder(0.0)
    step = recorder.step("f", "s", "GET", tags=(("page", page),) if page else ())
    recorder.flow("f").vus = 1
    for duration in durations:
        step.answered(200, duration, 0.0, 0.0, 1, 1)
    for _ in range(refused):
        step.unanswered("refused", 0.5)
    for _ in range(timed_out):
        step.unanswered("timeout_wait", 0.5, waited=0.3)
    recorder.fold(1.0)
    return recorder.snapshot()


def outcome(planned: PlannedGate, figures: Summary, *concerns: Concern) -> Outcome:
    return judge([planned], figures, concerns=concerns)[0].outcome


@pytest.mark.parametrize(
    ("operator", "bound", "expected"),
    [
        ("<", 3, Outcome.RED),
        ("<=", 3, Outcome.GREEN),
        (">", 3, Outcome.RED),
        (">=", 3, Outcome.GREEN),
        ("==", 3, Outcome.GREEN),
        ("!=", 3, Outcome.RED),
    ],
)
def test_each_operator_compares_as_written(operator: str, bound: float, expected: Outcome) -> None:
    assert outcome(gate("http_reqs", "count", operator, bound), summary(0.1, 0.1, 0.1)) is expected


@pytest.mark.parametrize("bound", [200, 300, 500, 60_000])
@pytest.mark.parametrize("aggregate", ["max", "avg", "p"])
def test_a_time_that_falls_among_timeouts_breaks_any_upper_bound(aggregate: str, bound: float) -> None:
    planned = gate("http_req_duration", aggregate, "<", Quantity(bound / 1000, Dimension.TIME), 95.0)
    assert outcome(planned, summary(*[0.1] * 9, timed_out=1)) is Outcome.RED


def test_timeouts_above_the_percentile_leave_it_as_it_is() -> None:
    assert outcome(p95(200), summary(*[0.1] * 99, timed_out=1)) is Outcome.GREEN
    assert outcome(p95(200), summary(*[0.1] * 9, refused=1)) is Outcome.GREEN


def test_a_time_that_falls_among_timeouts_is_told_as_a_lower_bound() -> None:
    (verdict,) = judge([p95(500)], summary(*[0.1] * 9, timed_out=1))
    assert (verdict.shown, verdict.margin) == ("> 300 ms", None)
    assert verdict.reason == "p(95) > 300 ms as requests timed out, expected < 500 ms"


def test_a_time_among_timeouts_is_above_any_bound() -> None:
    figures = summary(*[0.1] * 9, timed_out=1)
    for operator, expected in ((">", Outcome.GREEN), (">=", Outcome.GREEN), ("==", Outcome.RED), ("!=", Outcome.GREEN)):
        assert outcome(gate("http_req_duration", "max", operator, Quantity(0.3, Dimension.TIME)), figures) is expected


@pytest.mark.parametrize(
    ("late", "early", "expected"),
    [
        ((0.4, 0), (0.1, 9), Outcome.GREEN),  # 400 ms is less than twice 300 ms, however long those took
        ((0.7, 0), (0.1, 9), Outcome.INCONCLUSIVE),
        ((0.7, 9), (0.1, 0), Outcome.RED),
        ((0.7, 9), (0.1, 9), Outcome.RED),
    ],
)
def test_a_bound_among_timeouts_is_only_known_to_be_no_lower(
    late: tuple[float, int], early: tuple[float, int], expected: Outcome
) -> None:
    pages = [summary(*[seconds] * 9, timed_out=cut, page=page) for page, (seconds, cut) in (("2", late), ("1", early))]
    bound = Reference("p", 95.0, (("page", "1"),), 2.0, None, "p(95){page:1}", SPAN)
    planned = gate("http_req_duration", "p", "<", bound, 95.0, labels=(("page", "2"),))
    (verdict,) = judge([planned], merge_all(pages))
    assert verdict.outcome is expected, verdict
    if expected is Outcome.INCONCLUSIVE:
        assert verdict.reason == "p(95){page:1} > 300 ms is not a valid bound: requests timed out"


def test_a_window_of_timeouts_stops_the_run() -> None:
    recorder = Recorder(0.0)
    recorder.flow("f").vus = 1
    step = recorder.step("f", "s", "GET")
    watch = AbortWatch([p95(60_000, abort=True, window=2.0)])
    broken = []
    for second in range(1, 9):
        if second < 5:
            step.answered(200, 0.1, 0.0, 0.0, 1, 1)
        else:
            step.unanswered("timeout_wait", second, waited=0.3)
        recorder.fold(second)
        verdict = watch.broken(second, recorder.snapshot())
        broken.append(verdict.reason if verdict else "")
    assert broken[:4] == [""] * 4
    assert set(broken[4:]) == {"p(95) > 300 ms as requests timed out, expected < 1m"}


def test_a_gate_without_samples_is_never_green() -> None:
    (verdict,) = judge([p95(500)], Summary())
    assert (verdict.outcome, verdict.value, verdict.samples) == (Outcome.INCONCLUSIVE, None, 0)
    assert verdict.reason == "no samples of http_req_duration"
    assert outcome(failed(1), Summary()) is Outcome.INCONCLUSIVE
    assert outcome(gate("http_req_errors", "count", "==", 0), Summary()) is Outcome.INCONCLUSIVE


def test_no_errors_among_requests_that_came_is_green() -> None:
    assert outcome(gate("http_req_errors", "count", "==", 0), summary(0.1)) is Outcome.GREEN


def test_too_few_samples_are_inconclusive_even_when_they_look_good() -> None:
    (verdict,) = judge([p95(500, samples=100)], summary(0.1))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason == "only 1 of at least 100 samples"


def test_a_target_that_is_down_is_red_however_busy_the_generator_was() -> None:
    figures = summary(refused=10)
    assert outcome(failed(1), figures, BUSY) is Outcome.RED
    assert outcome(p95(500), figures, BUSY) is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("duration", [0.1, 0.9])
def test_a_busy_generator_judges_no_times(duration: float) -> None:
    (verdict,) = judge([p95(500)], summary(duration), concerns=[BUSY])
    assert (verdict.outcome, verdict.reason) == (Outcome.INCONCLUSIVE, BUSY.text)


def test_other_concerns_leave_a_gate_its_verdict_but_not_the_run() -> None:
    verdicts = judge([p95(500)], summary(0.1), concerns=[SHORT])
    assert verdicts[0].outcome is Outcome.GREEN
    assert overall(verdicts, [SHORT]) is Outcome.INCONCLUSIVE


def test_red_wins_over_doubt() -> None:
    verdicts = judge([failed(1), p95(500, flow="nobody")], summary(0.1, refused=1))
    assert overall(verdicts, [SHORT]) is Outcome.RED


def test_a_run_without_gates_is_inconclusive_and_says_what_to_do() -> None:
    concerns = concerns_of([], summary(0.1))
    assert overall([], concerns) is Outcome.INCONCLUSIVE
    assert overall([], []) is Outcome.INCONCLUSIVE
    assert [c.kind for c in concerns] == [ConcernKind.NO_GATES]
    assert concerns[0].remedy


def test_a_run_without_requests_is_a_concern() -> None:
    assert [c.kind for c in concerns_of([p95(1)], Summary())] == [ConcernKind.NO_DATA]
    assert concerns_of([p95(1)], summary(0.1)) == ()


def test_a_verdict_shows_value_bound_and_margin() -> None:
    (verdict,) = judge([p95(500)], summary(0.4))
    assert (verdict.shown, verdict.shown_bound) == ("400 ms", "< 500 ms")
    assert verdict.margin == pytest.approx(0.2)
    (verdict,) = judge([gate("http_reqs", "count", ">=", 4)], summary(0.1))
    assert verdict.margin == pytest.approx(-0.75)


def test_a_value_a_hair_over_its_bound_does_not_look_equal_to_it() -> None:
    (verdict,) = judge([p95(500)], summary(0.50004))
    assert verdict.outcome is Outcome.RED
    assert verdict.reason == "p(95) = 500.04 ms, expected < 500 ms"


def test_a_gate_sees_its_own_flow_and_labels_only() -> None:
    figures = summary(0.1)
    assert outcome(p95(500, flow="other"), figures) is Outcome.INCONCLUSIVE
    assert outcome(p95(500, flow="f", labels=(("step", "s"),)), figures) is Outcome.GREEN
    assert outcome(p95(500, labels=(("step", "t"),)), figures) is Outcome.INCONCLUSIVE


def test_rates_per_second_are_over_the_time_that_was_judged() -> None:
    per_second = gate("http_reqs", "rate", ">=", Quantity(3, Dimension.RATE))
    assert outcome(per_second, summary(0.1, 0.1, 0.1)) is Outcome.GREEN


def by_page(**durations: float) -> Summary:
    """Pages by number (`p1=…`), each with its one answer's duration."""
    recorder = Recorder(0.0)
    recorder.flow("f").vus = 1
    for name, duration in durations.items():
        page = recorder.step("f", "s", "GET", tags=(("page", name.removeprefix("p")),))
        page.answered(200, duration, 0.0, 0.0, 1, 1)
    recorder.fold(1.0)
    return recorder.snapshot()


def later_page(factor: float = 1.5, plus: float = 0.0, early: str = "1", **options: Any) -> PlannedGate:
    slack = Quantity(plus, Dimension.TIME) if plus else None
    reference = Reference("p", 95.0, (("page", early),), factor, slack, f"p(95){{page:{early}}}", SPAN)
    return gate("http_req_duration", "p", "<", reference, 95.0, labels=(("page", "20"),), **options)


def test_a_figure_is_compared_with_another_of_its_metric() -> None:
    assert outcome(later_page(), by_page(p1=0.1, p20=0.14)) is Outcome.GREEN
    (verdict,) = judge([later_page()], by_page(p1=0.1, p20=0.2))
    assert verdict.outcome is Outcome.RED
    assert verdict.reason == "p(95) = 200 ms, expected < 150 ms, for p(95){page:1} = 100 ms"
    assert verdict.bound == pytest.approx(0.15, rel=0.002)
    assert verdict.compared == pytest.approx(0.1, rel=0.002)
    assert verdict.margin == pytest.approx(-1 / 3, rel=0.01)


def test_what_is_added_gives_room_to_small_figures() -> None:
    figures = by_page(p1=0.001, p20=0.003)
    assert outcome(later_page(), figures) is Outcome.RED
    assert outcome(later_page(plus=0.005), figures) is Outcome.GREEN


def test_pages_are_compared_by_ranges() -> None:
    figures = by_page(p1=0.1, p3=0.2, p7=9.0, p20=0.25)
    assert outcome(later_page(early="1..5"), figures) is Outcome.GREEN
    assert outcome(later_page(early="1..2"), figures) is Outcome.RED


def test_shares_are_compared_as_the_whole_they_make() -> None:
    whole = by_page(p1=0.1, p20=0.14).merge(Summary.from_json(by_page(p1=0.2, p20=0.25).to_json()))
    (verdict,) = judge([later_page()], whole)
    assert verdict.compared == pytest.approx(0.2, rel=0.002)
    assert verdict.outcome is Outcome.GREEN


@pytest.mark.parametrize(
    ("figures", "missing"),
    [
        (by_page(p20=0.1), "no samples of http_req_duration{page:1}"),
        (by_page(p1=0.1), "no samples of http_req_duration{page:20}"),
    ],
)
def test_a_comparison_without_one_of_its_sides_is_inconclusive(figures: Summary, missing: str) -> None:
    (verdict,) = judge([later_page()], figures)
    assert (verdict.outcome, verdict.reason) == (Outcome.INCONCLUSIVE, missing)
    assert verdict.margin is None


def test_both_sides_need_the_samples_that_a_gate_asks_for() -> None:
    figures = by_page(p1=0.1, p20=0.1).merge(by_page(p20=0.1))
    (verdict,) = judge([later_page(samples=2)], figures)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason == "only 1 of at least 2 samples of http_req_duration{page:1}"


def test_a_busy_generator_compares_no_times() -> None:
    assert outcome(later_page(), by_page(p1=0.1, p20=0.9), BUSY) is Outcome.INCONCLUSIVE


def test_a_comparison_may_abort_a_run_by_what_came_last() -> None:
    watch = AbortWatch([later_page(abort=True, window=2.0)])
    slow, late = by_page(p1=0.1, p20=0.9), by_page(p1=0.1, p20=0.1)
    assert watch.broken(1.0, slow) is not None
    assert watch.broken(4.0, slow.merge(late)) is None, "in the window both are alike"


class TestAbort:
    def test_waits_for_its_delay(self) -> None:
        watch = AbortWatch([failed(1, abort=True, delay=10.0)])
        assert watch.broken(5.0, summary(refused=5)) is None
        assert watch.broken(10.0, summary(refused=5)) is not None

    def test_leaves_gates_alone_that_do_not_abort(self) -> None:
        assert AbortWatch([failed(1)]).broken(5.0, summary(refused=5)) is None

    def test_without_enough_samples_goes_on(self) -> None:
        assert AbortWatch([failed(1, abort=True, samples=100)]).broken(5.0, summary(refused=5)) is None

    def test_looks_only_at_its_window(self) -> None:
        recorder, watch = Recorder(0.0), AbortWatch([p95(500, abort=True, window=2.0, delay=2.0)])
        step = recorder.step("f", "s", "GET")
        recorder.flow("f").vus = 1
        broke = []
        for second, duration in enumerate((9.0, 0.1, 0.1, 0.1, 9.0), 1):
            step.answered(200, duration, 0.0, 0.0, 1, 1)
            recorder.fold(float(second))
            broke.append(watch.broken(float(second), recorder.snapshot()) is not None)
        assert broke == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("result", "interrupted", "code"),
    [
        (Outcome.GREEN, False, ExitCode.GREEN),
        (Outcome.RED, False, ExitCode.RED),
        (Outcome.INCONCLUSIVE, False, ExitCode.INCONCLUSIVE),
        (Outcome.INCONCLUSIVE, True, ExitCode.INTERRUPTED),
        (Outcome.RED, True, ExitCode.RED),
    ],
)
def test_the_exit_code_follows_the_outcome(result: Outcome, interrupted: bool, code: ExitCode) -> None:
    assert exit_code_of(result, interrupted=interrupted) is code


def test_the_headline_is_in_words() -> None:
    good, bad = judge([p95(500)], summary(0.1)), judge([failed(1)], summary(refused=1))
    assert headline(Outcome.GREEN, good, ()) == "GREEN: may go live, the gate held"
    assert headline(Outcome.RED, (*good, *bad), ()) == "RED: 1 gate broke"
    assert headline(Outcome.INCONCLUSIVE, good, (SHORT,)) == f"INCONCLUSIVE: {SHORT.text}"


def eventful(*, gates: list[PlannedGate], recovers: float = 1.0, happens: bool = True) -> list[Any]:
    """The verdicts on ten seconds with a request every 0.5 s; from 4 s on all fail, for so long."""
    recorder = Recorder(0.0)
    recorder.flow("f").vus = 1
    step = recorder.step("f", "s", "GET")
    questions = [("http_req_failed", None), ("http_req_duration", None)]
    windows = EventWindows(["failover"], questions, {"f": Extent(0.0, 10.0)})
    for half in range(20):
        at = half / 2
        if happens and at == 4.0:
            windows.open("failover", at, at, recorder.cut(at))
        bad = 4.0 <= at < 4.0 + recovers
        step.answered(503 if bad else 200, 0.3 if bad else 0.1, 0.0, 0.0, 1, 1, "status" if bad else "", at + 0.01)
        if happens and at == 6.0:
            windows.close("failover", 4.0, at)
            windows.look(at, recorder.cut(at + 0.02))
    recorder.fold(10.0)
    return list(judge(gates, recorder.snapshot(), seconds=10.0, windows=windows))


def recovery(seconds: float) -> PlannedGate:
    bound = Quantity(seconds, Dimension.TIME)
    return gate("recovery_time", "max", "<", bound, labels=(("event", "failover"),))


def test_a_gate_on_an_event_judges_its_windows_and_none_the_rest() -> None:
    during, outside = (failed(1, labels=(("during", name),)) for name in ("failover", "none"))
    verdicts = eventful(gates=[during, outside, failed(15)])
    assert [verdict.outcome for verdict in verdicts] == [Outcome.RED, Outcome.GREEN, Outcome.GREEN]
    assert verdicts[0].samples + verdicts[1].samples == verdicts[2].samples == 20


def test_an_event_can_be_compared_with_the_rest() -> None:
    bound = Reference("max", None, (("during", "none"),), 2.0, None, "2 * max{during:none}", SPAN)
    (verdict,) = eventful(gates=[gate("http_req_duration", "max", "<", bound, labels=(("during", "failover"),))])
    assert (verdict.outcome, verdict.compared) == (Outcome.RED, pytest.approx(0.1, rel=0.01))


def test_a_recovery_that_takes_too_long_is_red() -> None:
    for seconds, expected in ((2.0, Outcome.GREEN), (1.0, Outcome.RED)):
        (verdict,) = eventful(gates=[recovery(seconds)])
        assert verdict.outcome is expected
        assert verdict.value == pytest.approx(1.5, abs=0.15)


def test_an_event_that_did_not_happen_leaves_its_gates_inconclusive() -> None:
    verdicts = eventful(gates=[recovery(2.0), failed(1, labels=(("during", "failover"),))], happens=False)
    assert {verdict.outcome for verdict in verdicts} == {Outcome.INCONCLUSIVE}
    assert {verdict.reason for verdict in verdicts} == {"the event 'failover' did not happen"}


def test_a_result_without_windows_judges_no_event() -> None:
    verdicts = judge([recovery(2.0), failed(1, labels=(("during", "none"),))], summary(0.1), seconds=1.0)
    assert {verdict.outcome for verdict in verdicts} == {Outcome.INCONCLUSIVE}
    assert {verdict.reason for verdict in verdicts} == {"the figures of events are not kept for this result"}


def test_a_gate_on_an_event_can_abort_the_run() -> None:
    recorder, labels = Recorder(0.0), (("during", "failover"),)
    windows = EventWindows(["failover"], [("http_req_failed", None)])
    step, watch = recorder.step("f", "s", "GET"), AbortWatch([failed(1, abort=True, labels=labels)])
    step.answered(503, 0.1, 0.0, 0.0, 1, 1, "status", 0.5)
    recorder.fold(1.0)
    assert watch.broken(1.0, recorder.snapshot(), events=windows) is None
    windows.open("failover", 1.0, 1.0, recorder.cut(1.0))
    step.answered(503, 0.1, 0.0, 0.0, 1, 1, "status", 1.5)
    recorder.fold(2.0)
    assert watch.broken(2.0, recorder.snapshot(), events=windows) is not None
