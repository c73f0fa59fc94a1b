"""Shares' seconds are put together without loss: the merge of any split is the whole."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vezaflow.metrics import Merger, Moment, Recorder, merge_all, timeline_of

FLOWS = ("browse", "upload")
samples = st.tuples(
    st.integers(1, 6),  # the second
    st.integers(0, 3),  # who sent it
    st.sampled_from(FLOWS),
    st.floats(1e-5, 30.0),
    st.sampled_from(["", "status", "refused"]),
)
splits = st.lists(samples, max_size=60)


def recorded(rows: Sequence[tuple[int, int, str, float, str]], who: Sequence[int]) -> Recorder:
    """What these workers sent, folded each second as a worker does."""
    recorder = Recorder(100.0, keep=True)
    steps = {flow: recorder.step(flow, "step", "GET") for flow in FLOWS}
    for flow in FLOWS:
        recorder.flow(flow).vus = recorder.flow(flow).vus_max = len(who)
    recorder.begin(100.0)
    for second in range(1, 7):
        for at, worker, flow, duration, failure in rows:
            if at != second or worker not in who:
                continue
            if failure == "refused":
                steps[flow].unanswered(failure, 99.5 + second, "no", waited=duration)
            else:
                steps[flow].answered(200, duration, duration / 4, duration / 4, 10, 20, failure, 99.5 + second, "no")
            recorder.flow(flow).iteration(duration, bool(failure))
        recorder.fold(100.0 + second)
    return recorder


@given(splits)
def test_the_timeline_of_any_split_is_the_whole_s(rows: list[tuple[int, int, str, float, str]]) -> None:
    whole = recorded(rows, range(4)).moments()[1]
    shares = [recorded(rows, [who]).moments()[1] for who in range(4)]
    assert timeline_of(shares) == timeline_of([whole])
    merger = Merger(range(4))
    for number, share in enumerate(shares):
        merger.take(number, 6, share)
    assert [replace(m, point=m.whole) for m in merger.settled()] == sorted_moments(whole)


@given(splits)
def test_the_summary_of_any_split_is_the_whole_s(rows: list[tuple[int, int, str, float, str]]) -> None:
    whole = recorded(rows, range(4)).snapshot()
    merged = merge_all(recorded(rows, [who]).snapshot() for who in range(4))
    assert merged == whole


@given(splits)
def test_a_point_has_the_percentiles_of_all_answers_to_a_thousandth(
    rows: list[tuple[int, int, str, float, str]],
) -> None:
    recorder = recorded(rows, range(4))
    exact = {(point.second, point.flow): point for point in recorder.timeline().points}
    for moment in recorder.moments()[1]:
        point, true = moment.whole, exact[moment.point.second, moment.point.flow]
        for name in ("p50", "p95", "p99", "max"):
            shown, meant = getattr(point, name), getattr(true, name)
            assert (shown is None) == (meant is None)
            assert shown is None or abs(shown - meant) <= meant * 0.001


def test_moments_travel_as_json() -> None:
    (moment, *_) = recorded([(1, 0, "browse", 0.1, "")], [0]).moments()[1]
    assert Moment.from_json(moment.to_json()) == moment


def test_a_second_is_done_when_all_have_told_it_or_are_gone() -> None:
    one = recorded([(1, 0, "browse", 0.1, "")], [0]).moments()[1]
    other = recorded([(1, 1, "browse", 0.3, "")], [1]).moments()[1]
    merger = Merger((1, 2))
    merger.take(1, 2, [m for m in one if m.number <= 2])
    assert merger.timeline().points == ()
    merger.take(2, 1, [m for m in other if m.number == 1])
    assert {(p.flow, p.requests) for p in merger.timeline().points} == {("browse", 2), ("upload", 0)}
    merger.gone(2)
    assert {p.second for p in merger.timeline().points} == {1.0, 2.0}


def sorted_moments(moments: Sequence[Moment]) -> list[Moment]:
    """In the merger's order, with its percentiles."""
    return sorted((replace(m, point=m.whole) for m in moments), key=lambda moment: (moment.number, moment.point.flow))
