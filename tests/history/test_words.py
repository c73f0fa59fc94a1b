"""Which run a word means."""

import pytest
from history_rows import row
from history_runs import START

from vezaflow.cli.values import moment, targets
from vezaflow.errors import VezaflowError
from vezaflow.gates import Outcome
from vezaflow.history import State, meant, place_of, short_ids
from vezaflow.results import LEVEL

RUNS = [
    row(0xABC005, 5, None, state=State.RUNNING),
    row(0xABC004, 4, Outcome.RED),
    row(0xABC003, 3),
    row(0xDEF002, 2, Outcome.INCONCLUSIVE),
    row(0xDEF001, 1),
]


@pytest.mark.parametrize(
    ("word", "tail"),
    [
        ("last", "abc004"),
        ("last~0", "abc004"),
        ("last~2", "def002"),
        ("last green", "abc003"),
        ("last-green", "abc003"),
        ("last-green~1", "def001"),
        ("last-inconclusive", "def002"),
        ("last-running", "abc005"),
        ("20261104T023000Z-abc003", "abc003"),
        ("20261104", "abc003"),
        ("def001", "def001"),
        ("abc003", "abc003"),
    ],
)
def test_a_word_means_one_run(word: str, tail: str) -> None:
    assert meant(word, RUNS).id.endswith(tail)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("abc", "'abc' could be 3 runs: 20261106T023000Z-abc005, 20261105T023000Z-abc004, 20261104T023000Z-abc003"),
        ("2026", "'2026' could be 5 runs"),
        ("zzz", "unknown run 'zzz'"),
        ("last~9", "'last~9': the history has 4 ended runs"),
        ("last-interrupted", "the history has 0 interrupted runs"),
        ("last-blue", "a verdict is green, inconclusive, interrupted, red, running"),
    ],
)
def test_a_word_that_means_none_or_several_is_refused(word: str, said: str) -> None:
    with pytest.raises(VezaflowError) as caught:
        meant(word, RUNS)
    assert said in caught.value.message


def test_levels_of_a_capacity_search_are_meant_by_their_ids_only() -> None:
    level = row(0xFED009, 9, changes=(f"{LEVEL}, 1.5 times the load",))
    assert meant("last", [level, *RUNS]).id.endswith("abc004")
    assert meant("last-green", [level, *RUNS]).id.endswith("abc003")
    assert meant("fed009", [level, *RUNS]) is level


def test_a_short_id_names_its_run() -> None:
    short = short_ids(RUNS)
    assert short[RUNS[0].id] == "abc005"
    assert all(meant(word, RUNS).id == run for run, word in short.items())
    twin = row(0xABC003, 9)
    assert short_ids([*RUNS, twin])[twin.id] == twin.id


def test_where_the_history_is() -> None:
    assert place_of(None, {"VEZAFLOW_HISTORY": "/nights.db"}).file == place_of("/nights.db", {}).file
    assert place_of(None, {}).usual
    url = place_of("postgresql://me:secret-word@db/nights", {})
    assert (url.file, str(url)) == (None, "postgresql+psycopg://me:•••@db/nights")
    with pytest.raises(VezaflowError, match="'mysql://' is not supported"):
        place_of("mysql://db", {})


def test_since_when() -> None:
    assert moment("7d", START.replace(day=8)) == START
    assert moment("2026-11-01T02:30:00+00:00", START) == START
    assert moment("2026-11-01", START).day in (31, 1)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("*.veza.fr", True), ("staging.*", True), ("veza.fr", False), ("*:8080", True), ("STAGING.veza.fr", True)],
)
def test_a_pattern_is_of_the_targets_host(pattern: str, fits: bool) -> None:
    assert targets("http://127.0.0.1/, https://staging.veza.fr:8080/api", pattern) is fits
