"""What is kept of a profile, and what grew between two."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.profiles import (
    PROFILE_SHAPE,
    FunctionShare,
    Growth,
    ProfileRecord,
    compared,
    grown,
    profile_from_json,
    profile_to_json,
    record_of,
    shares_of,
)
from vezaflow.profiles.pprof import SampledProfile, SampledStack, SampleKind
from vezaflow.profiles.record import KEPT
from vezaflow.untrusted import misfit

CPU = (SampleKind("samples", "count"), SampleKind("cpu", "nanoseconds"))


def profile(*stacks: tuple[tuple[str, ...], int]) -> SampledProfile:
    """Each sample is 10 ms of CPU."""
    found = tuple(SampledStack(functions, (count, count * 10_000_000)) for functions, count in stacks)
    return SampledProfile(CPU, found, 1, 30.0)


def record(*stacks: tuple[tuple[str, ...], int], name: str = "cpu") -> ProfileRecord:
    return record_of(profile(*stacks), name, 10.0, 40.0)


def test_a_record_has_the_functions_that_lead_and_the_shares_that_the_others_stay_below() -> None:
    many = [((f"f{number}", "main"), 1000 - number) for number in range(300)]
    found = record_of(profile(*many), "cpu", 0.0, 30.0, named=["f299", "nowhere"])
    assert found.functions == 301
    assert 60 <= len(found.top) < 130
    assert found.by_cum()[0] == FunctionShare("main", 0.0, 1.0)
    assert found.by_flat()[0].function == "f0"
    assert found.of("f299") is not None
    assert found.of("f200") is None
    assert 0 < found.rest < found.by_flat()[50].flat


def test_a_record_without_samples_has_a_problem() -> None:
    assert record().problem == "it has no samples"
    assert record(((), 5)).problem == "it has no samples"


def test_a_record_is_read_back() -> None:
    first = record((("search", "main"), 60), (("render", "main"), 40))
    again = record((("search", "main"), 100), (("render", "main"), 10))
    (whole,) = compared([again], [first], "20261130T000000Z-abcdef")
    told = json.loads(json.dumps(profile_to_json(whole)))
    assert not misfit(told, PROFILE_SHAPE)
    assert profile_from_json(told) == replace(whole, top=whole.by_flat())


def test_what_grew_is_by_share_and_the_greatest_growth_first() -> None:
    before = record((("search", "main"), 600), (("render", "main"), 300), (("log", "main"), 100))
    after = record((("search", "main"), 900), (("render", "main"), 1100), (("hash", "main"), 500))
    found = grown(after, before)
    assert [each.function for each in found] == ["hash", "render"]
    assert found[0] == Growth("hash", 0.0, 0.2, 0.0, 0.2)
    assert found[1] == Growth("render", 0.3, 0.44, 0.3, 0.44)


def test_a_caller_grows_by_what_it_calls() -> None:
    before = record((("f", "handle", "main"), 500), (("idle", "main"), 500))
    after = record((("g", "handle", "main"), 800), (("idle", "main"), 200))
    assert Growth("handle", 0.0, 0.0, 0.5, 0.8) in grown(after, before)


def test_what_chance_may_do_is_no_growth() -> None:
    few = record((("a", "main"), 10), (("b", "main"), 10)), record((("a", "main"), 13), (("b", "main"), 7))
    many = record((("a", "main"), 1000), (("b", "main"), 1000)), record((("a", "main"), 1300), (("b", "main"), 700))
    assert grown(few[1], few[0]) == ()
    assert [each.function for each in grown(many[1], many[0])] == ["a"]


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30), st.integers(2, 40))
def test_the_same_shares_of_a_longer_run_are_no_growth(counts: list[int], times: int) -> None:
    short = record(*(((f"f{n}", "main"), count) for n, count in enumerate(counts)))
    long = record(*(((f"f{n}", "main"), count * times) for n, count in enumerate(counts)))
    assert grown(long, short) == ()


def test_a_function_that_was_not_kept_had_at_most_what_was_left_out() -> None:
    before = ProfileRecord("cpu", 0, 30, "cpu", samples=10_000, top=(FunctionShare("main", 0, 1),), rest=0.05)
    after = ProfileRecord("cpu", 0, 30, "cpu", samples=10_000, top=(FunctionShare("new", 0.2, 0.3),))
    assert grown(after, before) == (Growth("new", 0.05, 0.2, 0.05, 0.3),)


def test_a_function_that_was_not_kept_had_no_more_by_itself_than_the_flattest_that_were() -> None:
    kept = (*(FunctionShare(f"f{n}", 0.006, 0.006) for n in range(KEPT)), FunctionShare("main", 0, 1))
    before = ProfileRecord("cpu", 0, 30, "cpu", samples=20_000, top=kept, rest=0.06)
    after = ProfileRecord("cpu", 0, 30, "cpu", samples=20_000, top=(FunctionShare("new", 0.05, 0.05),))
    assert grown(after, before) == (Growth("new", 0.006, 0.05, 0.05, 0.05),)


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(0, 150), st.integers(1, 99)), min_size=1, max_size=200))
def test_no_function_that_is_not_kept_has_more_than_the_rest(stacks: list[tuple[int, int, int]]) -> None:
    whole = profile(*(((f"f{leaf}", f"f{caller}"), count) for leaf, caller, count in stacks))
    found = record_of(whole, "cpu", 0.0, 30.0)
    others = [each for each in shares_of(whole) if found.of(each.function) is None]
    assert all(each.flat <= found.flat_rest and each.cum <= found.rest for each in others)


@pytest.mark.parametrize("other", [record((("a",), 1), name="other"), ProfileRecord("cpu", 0, 0, problem="404")])
def test_only_profiles_of_one_name_are_compared(other: ProfileRecord) -> None:
    mine = record((("a",), 1000))
    assert list(compared([mine], [other], "run")) == [mine]
