"""The document: tables between markers, and not one byte else."""

from dataclasses import replace

import pytest
from sample_run import GREEN, run

from vezaflow.compare import DocumentError, document, new_document

RUN = run(GREEN)
OPEN, CLOSE = f"<!-- vezaflow:baseline {RUN.suite} -->", "<!-- /vezaflow:baseline -->"


def test_the_table_comes_between_the_markers_and_the_rest_stays() -> None:
    text = document(f"# Ours\n\n{OPEN}\nold\n{CLOSE}\n\n  kept  \n", [RUN])
    assert text.startswith(f"# Ours\n\n{OPEN}\n\n| step | method | requests | P50 | P95 | P99 | failed |\n")
    assert text.endswith(f"{CLOSE}\n\n  kept  \n")
    assert "old" not in text
    assert f"Run `{RUN.run_id}`" in text


def test_written_twice_it_is_the_same() -> None:
    once = document(new_document([RUN]), [RUN])
    assert document(once, [RUN]) == once


def test_lines_keep_their_ends() -> None:
    text = document(f"a\r\n{OPEN}\r\n{CLOSE}\r\n", [RUN])
    assert text.count("\n") == text.count("\r\n")


def test_a_folder_names_its_suite() -> None:
    text = f"<!-- vezaflow:baseline flows/x -->\n{CLOSE}\n"
    assert "| step |" in document(text, [RUN], {"flows/x": RUN.suite}.__getitem__)


def test_a_table_of_suites_keeps_the_lines_of_those_that_are_not_given() -> None:
    other = replace(RUN, suite="other", run_id="2")
    both = document(new_document([RUN, other]), [RUN, other])
    assert both.count("| other |") == 1
    again = document(both, [replace(RUN, run_id="3")])
    assert "`2`" in again
    assert "`3`" in again
    assert document(both, [RUN, other]) == both


def test_markers_in_fenced_code_are_text() -> None:
    fenced = f"```\n{OPEN}\n{CLOSE}\n```\n"
    text = document(f"{fenced}{OPEN}\n{CLOSE}\n", [RUN])
    assert text.startswith(fenced)


def test_several_runs_of_a_suite_are_pooled() -> None:
    text = document(new_document([RUN]), [RUN, replace(RUN, run_id="second")])
    requests = {line.split(" | ")[2] for line in text.splitlines() if line.startswith("| browse")}
    single = {line.split(" | ")[2] for line in document(new_document([RUN]), [RUN]).splitlines() if "| browse" in line}
    assert {2 * int(each.replace(",", "")) for each in single} == {int(each.replace(",", "")) for each in requests}
    assert "Run `second`" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "there is no marker for the suite"),
        (f"a\n{OPEN}\n", "line 2: the marker has no end"),
        (f"{OPEN}\n{OPEN}\n{CLOSE}\n", "line 2: a marker inside that of line 1"),
    ],
)
def test_a_document_without_a_place_is_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        document(text, [RUN])
