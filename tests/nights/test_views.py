"""The calendar as people and programs get it."""

import re
from datetime import timedelta

import jsonschema_rs
import orjson
import pytest
from closed_schema import closed
from many_nights import FIRST, OTHER_PLAN, PLAN, SUITE, nightly, one

from vezaflow.gates import Outcome
from vezaflow.model import Accept
from vezaflow.nights import Acceptance, Calendar, acceptance, acceptance_schema, calendar, markdown, page, to_json

G, R, Q = Outcome.GREEN, Outcome.RED, Outcome.INCONCLUSIVE
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RULE = Accept(target=("staging.veza.fr",), gaps=1)
EVIL = "x\x1b[31m | <b>`evil`"
RUNS = [
    *nightly(R, G, None, Q, G, G),
    one(FIRST + 4 * DAY + HOUR, R, changes=["browse: 100 of 1,000 VUs", "streaming: 50 of 500 VUs"]),
    one(FIRST + 6 * DAY, plan=OTHER_PLAN, run_id=EVIL),
    one(FIRST + 60 * DAY),
    one(FIRST, suite="stress", plan=OTHER_PLAN, run_id="other"),
]


def seen() -> tuple[Calendar, Acceptance]:
    found = calendar(RUNS, RULE, FIRST + 6 * DAY + HOUR, PLAN, SUITE)
    return found, acceptance(found)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "plain"])
def test_a_page_keeps_to_its_width_and_says_the_same_with_and_without_colours(width: int, colour: bool) -> None:
    text = page(SUITE, *seen(), last=14, colour=colour, width=width)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert colour == (bare != text)
    assert "\x1b" not in bare
    assert max(map(len, bare.splitlines())) <= max(width, 72)  # a row of figures needs that many
    plain = page(SUITE, *seen(), last=14, colour=False, width=width)
    assert bare.lower() == plain.lower()


def test_a_night_of_several_runs_shows_the_one_that_decided_first() -> None:
    lines = page(SUITE, *seen(), last=14, colour=False, width=160).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  Wed  4 Nov"))
    assert lines[at].split()[3] == "green"
    assert lines[at + 1].split()[0] == "red"
    assert lines[at + 1].endswith("not the full load: browse: 100 of 1,000 VUs, streaming: 50 of 500 VUs")


def test_a_page_shows_the_last_nights_and_says_what_it_leaves_out() -> None:
    text = page(SUITE, *seen(), last=2, colour=False, width=100)
    assert text.count(" Nov") == 2
    assert "5 earlier nights (--last 7 shows all)" in text
    assert "runs of other suites are left out: stress" in text


def test_markdown_keeps_foreign_text_in_its_cell() -> None:
    text = markdown(SUITE, *seen(), last=14)
    assert "\x1b" not in text
    assert "<b>" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}


def test_json_fits_the_schema_that_is_published() -> None:
    document = orjson.loads(orjson.dumps(to_json(SUITE, PLAN, *seen())))
    jsonschema_rs.Draft7Validator(closed(acceptance_schema()), validate_formats=True).validate(document)
    assert [night["verdict"][0] for night in document["nights"]] == list("rgmiggp")
    assert [run["bar"] for run in document["strays"]] == ["future"]
    assert document["nights"][-1]["runs"][0]["bar"] == "plan"
    assert (document["decision"], document["streak"], document["exit_code"]) == ("not_yet", 2, 98)


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(acceptance_schema())


def test_a_night_without_any_run_is_a_page_too() -> None:
    found = calendar([], RULE, FIRST, PLAN, SUITE)
    text = page(SUITE, found, acceptance(found), last=14, colour=False, width=80)
    assert text.splitlines()[-1].split() == ["Sat", "31", "Oct", "pending"]
