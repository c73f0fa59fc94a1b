"""The sentence, the verdict and the exit code of a search, and its pages."""

from collections.abc import Sequence
from typing import Any

import pytest

from vezaflow.capacity import (
    Bracket,
    Capacity,
    LevelOutcome,
    LevelRun,
    TriedLevel,
    bracket,
    found,
    markdown,
    page,
    progress_line,
    to_json,
)

FACTORS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
RUNGS = range(len(FACTORS))
HELD, BROKE, UNCLEAR = LevelOutcome.HELD, LevelOutcome.BROKE, LevelOutcome.UNCLEAR
P95, RATE = "browse p(95) of http_req_duration", "all flows rate of http_req_failed"


def level(at: int, outcome: LevelOutcome, **fields: Any) -> LevelRun:
    why = {HELD: "", BROKE: "browse: http_req_duration p(95) = 700 ms, expected < 500 ms", UNCLEAR: "it was overloaded"}
    broken = (P95,) if outcome is BROKE else ()
    remedy = "use `--workers 2`" if outcome is UNCLEAR else ""
    common: dict[str, Any] = {"vus": 100, "requests_per_second": 812.4, "p95": 0.212, "failed": 0.0, "run_id": f"r{at}"}
    given = {
        **common,
        "why": why[outcome],
        "broken": broken,
        "remedy": remedy,
        "generator": outcome is UNCLEAR,
        **fields,
    }
    return LevelRun(FACTORS[at], outcome, **given)


def searched(levels: Sequence[LevelRun], **options: Any) -> Capacity:
    seen = [TriedLevel(FACTORS.index(run.factor), run.outcome) for run in levels if not run.interrupted]
    return found("shop", FACTORS, bracket(len(FACTORS), RUNGS, seen), levels, **options)


def up_to(last: int, then: LevelOutcome | None, **options: Any) -> Capacity:
    levels = [level(at, HELD) for at in range(last + 1)]
    levels += [level(last + 1, then)] * 2 if then is not None else []
    return searched(levels, **options)


@pytest.mark.parametrize(
    ("capacity", "sentence", "code"),
    [
        (up_to(2, BROKE), f"holds 1.5 to 2 times the load; {P95} breaks first", 0),
        (up_to(2, BROKE, expected=1.5), f"holds 1.5 to 2 times the load; {P95} breaks first", 0),
        (up_to(2, BROKE, expected=2.0), f"holds 1.5 to 2 times the load; {P95} breaks first; expected >= 2", 99),
        (up_to(5, None), "holds at least 3 times the load; no gate broke up to there", 0),
        (up_to(5, None, expected=3.0), "holds at least 3 times the load; no gate broke up to there", 0),
        (up_to(3, UNCLEAR), "holds at least 2 times the load; this generator ends there: it was overloaded", 98),
        (
            up_to(3, UNCLEAR, expected=2.5),
            "holds at least 2 times the load; this generator ends there: it was overloaded; expected >= 2.5",
            98,
        ),
        (
            up_to(3, UNCLEAR, expected=1.5),
            "holds at least 2 times the load; this generator ends there: it was overloaded",
            0,
        ),
        (up_to(-1, BROKE), f"does not hold 0.5 times the load; {P95} breaks first", 99),
        (up_to(-1, BROKE, expected=0.5), f"does not hold 0.5 times the load; {P95} breaks first; expected >= 0.5", 99),
        (up_to(-1, UNCLEAR), "no verdict at 0.5 times the load; this generator ends there: it was overloaded", 98),
        (up_to(1, None, interrupted=True), "stopped manually: holds at least 1 times the load", 130),
        (searched([], interrupted=True), "stopped manually: no level was judged", 130),
    ],
)
def test_a_search_ends_in_a_sentence_and_an_exit_code(capacity: Capacity, sentence: str, code: int) -> None:
    assert capacity.sentence == sentence
    assert capacity.exit_code == code


def test_a_level_that_is_unclear_for_another_reason_says_which() -> None:
    short = level(1, UNCLEAR, generator=False, why="only 3 of at least 100 samples", remedy="use a longer --measure")
    capacity = searched([level(0, HELD), short, short])
    assert capacity.sentence == "holds at least 0.5 times the load; 1 is unclear: only 3 of at least 100 samples"
    assert capacity.remedy == "use a longer --measure"


def test_all_gates_that_broke_at_the_edge_are_counted() -> None:
    both = level(1, BROKE, broken=(P95, RATE))
    assert f"{P95} and 1 more gate break first" in searched([level(0, HELD), level(1, BROKE), both]).sentence


def test_what_broke_far_above_the_edge_is_not_what_breaks_first() -> None:
    far = level(3, BROKE, broken=(RATE, P95))
    assert searched([level(0, HELD), far, level(1, BROKE), level(1, BROKE)]).first == (P95,)


def test_a_level_that_was_stopped_is_shown_and_proves_nothing() -> None:
    stopped = level(1, BROKE, interrupted=True)
    capacity = searched([level(0, HELD), stopped], interrupted=True)
    assert (capacity.holds, capacity.ends, capacity.end) == (0.5, None, None)
    assert "stopped" in page(capacity, colour=False, width=100)


def test_the_page_has_a_row_for_each_level_by_its_load() -> None:
    levels = [level(0, HELD), level(3, BROKE), level(1, HELD), level(2, UNCLEAR), level(2, UNCLEAR), level(1, HELD)]
    text = page(searched(levels, unjudged=("iterations: count >= 100",)), colour=False, width=100)
    assert text.startswith("shop: INCONCLUSIVE: holds at least 1 times the load")
    rows = [line.split()[0] for line in text.splitlines() if " × " in line]
    assert rows == ["0.5", "1", "1", "1.5", "1.5", "2"]
    assert "to fix: use `--workers 2`" in text
    assert "gates that no level can judge: iterations: count >= 100" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_markdown_says_the_same() -> None:
    capacity = up_to(2, BROKE, expected=2.0)
    lines = markdown(capacity).splitlines()
    assert lines[0].startswith("## ❌ shop, capacity: RED: holds 1.5 to 2 times the load")
    assert sum(line.startswith("| ") for line in lines) == 1 + len(capacity.levels) + 1  # and the rule below the head


def test_the_document_has_every_field_of_every_level() -> None:
    document = to_json(up_to(2, BROKE, expected=2.0))
    assert (document["holds"], document["ends"], document["end"], document["exit_code"]) == (1.5, 2.0, "broke", 99)
    assert [run["factor"] for run in document["levels"]] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert document["levels"][-1]["broken"] == [P95]


def test_progress_is_a_line_for_each_level() -> None:
    line = progress_line(4, level(3, BROKE, aborted=True, seconds=17.2, vus=0, rate=120.0))
    assert line.startswith("level 4: 2 × (120/s): 812 requests/s, p95 212 ms, 0 % failed: broke (aborted after 17 s): ")


def test_no_levels_are_no_page_of_rows() -> None:
    capacity = found("shop", FACTORS, Bracket(None, None, 0), (), interrupted=True)
    assert page(capacity, colour=False, width=100) == "shop: STOPPED: no level was judged\n"
