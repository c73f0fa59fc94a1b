"""Profiles in the reports: the functions that lead, what grew, the file; what was not taken is the event's to say."""

from dataclasses import replace

import sample_run

from vezaflow.reports import console, html_page, step_summary

RESULT = replace(sample_run.run(sample_run.GREEN), profiles=sample_run.PROFILES)


def test_the_console_has_the_functions_that_lead_by_themselves_and_with_their_calls() -> None:
    text = console(RESULT)
    begin = text.index("Profile cpu")
    assert (
        text[begin : text.index("Flows\n")]
        == """\
Profile cpu (cpu, 21.4 s in 2,140 samples, at 2m, for 30.1 s)
  most by itself      flat   cum
  main.(*Index).rank  24 %  38 %
  runtime.mallocgc    11 %  14 %
  most with its calls     flat   cum
  net/http.(*conn).serve   0 %  97 %
  main.(*Index).rank      24 %  38 %
  runtime.mallocgc        11 %  14 %
  what grew since the last green run, 20261125T013203Z-93b2d1
    main.(*Index).rank: 8 % → 24 % by itself, 21 % → 38 % with its calls
  written: results/20261126T013203Z-5c1e0a-cpu.pb.gz
Profile heap (inuse_space, 3 MiB, at 2m30s)
  most by itself   flat    cum
  f               100 %  100 %
  most with its calls   flat    cum
  f                    100 %  100 %

"""
    )


def test_the_step_summary_has_both_orders_side_by_side() -> None:
    text = step_summary(RESULT)
    assert "### Profile cpu" in text
    assert "| main.(*Index).rank | 24 % | net/http.(*conn).serve | 97 % |" in text
    assert "|  |  | runtime.mallocgc | 14 % |" in text
    assert "- main.(*Index).rank: 8 % → 24 % by itself, 21 % → 38 % with its calls" in text
    assert "mutex" not in text


def test_nothing_that_grew_is_said() -> None:
    (cpu, *_) = sample_run.PROFILES
    text = step_summary(replace(RESULT, profiles=(replace(cpu, grown=()),)))
    assert "nothing grew since the last green run, 20261125T013203Z-93b2d1" in text


def test_the_page_has_a_table_for_each() -> None:
    page = html_page(RESULT).decode()
    assert '<section id="profile-1"><h2>Profile cpu</h2>' in page
    assert '<section id="profile-2"><h2>Profile heap</h2>' in page
    assert "profile-3" not in page
    assert "main.(*Index).rank" in page
