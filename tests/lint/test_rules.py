"""Rules over a whole suite that file pairs can't show well: what is right stays silent, and names know their order."""

from pathlib import Path

import pytest

from vezaflow.diagnostics import render_text
from vezaflow.lint import lint
from vezaflow.model import environment

ROOT = Path("demo")
GATES = "gates: {http_req_failed: rate < 1 %}\n"


def codes(steps: str, *, top: str = "", suite: str = "base_url: http://127.0.0.1") -> list[str]:
    overlay = {ROOT / "suite.yml": suite, ROOT / "a.yml": f"{top}\nsteps:\n{steps}\n{GATES}"}
    return [d.code for d in lint([ROOT], overlay=overlay)[1]]


@pytest.mark.parametrize(
    "steps",
    [
        "  - set: {page: 1}\n  - get: /${page}",
        "  - get: /\n    extract: {a: $.id}\n    expect: {that: a > 3}",
        "  - get: /${a ?? 1}\n    extract: {a: $.id}",
        "  - if: vu == 1\n    do: [{get: /, extract: {a: $.id}}]\n  - if: vu == 1\n    do: [{get: '/${a}'}]",
        "  - if: vu == 1\n    do: [{set: {a: 1}}]\n    else: [{skip: no}]\n  - get: /${a}",
        "  - repeat: 3\n    do: [{if: iteration > 1, do: [{get: '/${a}'}]}, {get: /, extract: {a: $.id}}]",
        "  - set: {a: 1}\n  - while: a != null\n    max: 3\n    do: [{get: /, extract: {a: $.n}}]",
        "  - for: x\n    in: [1, 2]\n    do: [{get: '/${x}'}]",
        "  - get: /\n    extract: {a: {json: '$.d[*]', where: it.size > 3 and title != null}}\n  - get: /${a.id}",
        "  - get: /${env.PATH_PART}/${vu}/${iteration}",
        "  - set: {n: 3}\n  - get: /\n    extract: {v: {m3u8: variants, where: bandwidth < n}}\n  - get: ${v.uri}",
        "  - get: /\n    expect: {that: [duration() < 300 ms, size() < 1 MiB, len(body()) > 3]}",
        "  - get: https://127.0.0.1/x\n  - get: http://127.0.0.1/y",
    ],
)
def test_what_is_right_is_silent(steps: str) -> None:
    assert codes(steps) == []


def test_a_value_set_later_in_a_loop_is_not_there_at_first() -> None:
    assert codes("  - repeat: 3\n    do:\n      - get: /${a}\n        extract: {a: $.id}") == ["VF305"]


def test_a_where_on_texts_knows_only_it() -> None:
    assert codes("  - get: /\n    extract: {a: {header: x, where: it != y}}\n  - get: /${a}") == ["VF301"]


def test_login_values_are_seen_by_headers_of_the_flow() -> None:
    login = "login:\n  - post: /login\n    extract: {token: $.token}"
    top = f"headers: {{x-token: '${{token}}'}}\n{login}"
    assert codes("  - get: /", top=top) == ["VF305"]  # by the login itself
    assert codes("  - get: /", top=f"{top}\n    headers: {{X-Token: none}}") == []
    assert codes("  - get: /", top=top.replace("${token}", "${token ?? 0}")) == []


def test_login_values_are_seen_by_headers_of_the_suite() -> None:
    top = "login:\n  - post: /login\n    extract: {token: $.token}"
    suite = "base_url: http://127.0.0.1\nauth: {bearer: '${token}'}"
    assert codes("  - get: /", top=top, suite=suite) == ["VF305"]  # by the login itself
    assert codes("  - get: /", top=f"{top}\n    auth: none", suite=suite) == []


def test_a_name_in_a_part_that_could_not_be_read_is_not_called_unset() -> None:
    assert codes("  - get: /\n    exract: {a: $.id}\n  - get: /${a}/${b}") == ["VF104", "VF301"]


def test_one_flow_of_a_suite_is_not_blamed_for_what_the_others_use() -> None:
    suite = "base_url: http://127.0.0.1\nvars: {n: 3}\nsecrets: [TOKEN]\ngates: {'http_req_failed{step:b}': rate < 1 %}"
    flow = "steps: [{get: /, name: NAME}]\n"
    overlay = {ROOT / "suite.yml": suite, ROOT / "a.yml": flow, ROOT / "b.yml": flow.replace("NAME", "b")}
    assert [d.code for d in lint([ROOT / "a.yml"], overlay=overlay)[1]] == []
    assert [d.code for d in lint([ROOT], overlay=overlay)[1]] == ["VF306", "VF308"]


def test_tags_are_labels_that_gates_may_use() -> None:
    top = "tags: {team: media}"
    assert codes("  - get: /", top=top) == []
    suite = "base_url: http://127.0.0.1\ngates: {'http_req_failed{team:media}': rate < 1 %}"
    assert codes("  - get: /", top=top, suite=suite) == []
    assert codes("  - get: /", suite=suite) == ["VF502"]


def test_environment_lists_every_value_and_whether_it_has_a_default() -> None:
    overlay = {
        ROOT / "suite.yml": "base_url: ${env.BASE_URL}\nauth: {bearer: '${env.TOKEN}'}",
        ROOT / "a.yml": f"load: {{vus: '${{env.VUS ?? 3}}', duration: 1m}}\nsteps: [{{get: /}}]\n{GATES}",
    }
    suite, _ = lint([ROOT], overlay=overlay)
    assert suite is not None
    assert [(use.name, use.has_default) for use in environment(suite)] == [
        ("VUS", True),
        ("BASE_URL", False),
        ("TOKEN", False),
    ]


@pytest.mark.parametrize(
    "steps",
    [
        "  - set: {page: 1}  # vezaflow: ignore[VF306] for later\n  - get: /",
        "  # vezaflow: ignore[VF306] for later\n\n  # and more words\n  - set: {page: 1}\n  - get: /",
        "  - set: {page: 1, more: 2} #vezaflow:ignore [ VF306 ]for later\n  - get: /",
    ],
)
def test_a_comment_with_a_reason_silences_its_line(steps: str) -> None:
    assert codes(steps) == []


def test_a_suite_silences_a_code_everywhere() -> None:
    suite = "base_url: http://127.0.0.1\nlint: {ignore: {VF306: for later}}"
    assert codes("  - set: {page: 1}\n  - get: /\n    extract: {a: $.b}", suite=suite) == []


def test_an_error_is_shown_whatever_says_to_ignore_it() -> None:
    assert codes("  - get: /${a}  # vezaflow: ignore[VF301] it is there") == ["VF301", "VF136"]


def test_prose_about_vezaflow_is_a_comment_like_any_other() -> None:
    assert codes("  # vezaflow: the tool\n  - get: /") == []


def test_words_in_a_text_are_no_comment() -> None:
    assert codes("  - post: /\n    body: |\n      # vezaflow: ignore[VF306] no\n    name: 'a # vezaflow: x'") == []


def test_an_ignore_is_not_called_unused_where_its_rule_could_not_judge() -> None:
    assert codes("  - gett: /\n  - set: {a: 1}  # vezaflow: ignore[VF306] for later\n  - get: /") == ["VF122"]
    suite = "base_url: http://127.0.0.1\nlint: {ignore: {VF306: b has it}}"
    overlay = {ROOT / "suite.yml": suite, ROOT / "a.yml": f"steps: [{{get: /}}]\n{GATES}"}
    overlay[ROOT / "b.yml"] = "steps: [{set: {a: 1}}, {get: /}]\n" + GATES
    assert [d.code for d in lint([ROOT / "a.yml"], overlay=overlay)[1]] == []


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("vu == 1", []),
        ("vu >= 1", ["VF416"]),
        ("0 < vu", ["VF416"]),
        ("vu < 1", ["VF415"]),
        ("iteration > 0", []),
        ("iteration >= 0", ["VF416"]),
        ("iteration == 0 and false", ["VF415"]),
        ("iteration == 0 or not false", ["VF416"]),
        ("300 ms < 1 s", ["VF416"]),
        ("env.A == 'b'", []),
    ],
)
def test_only_what_the_file_settles_is_called_constant(condition: str, found: list[str]) -> None:
    assert codes(f'  - if: "{condition}"\n    do: [{{get: /}}]\n  - get: /x') == found


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ("  - if: vu == 1\n    do: [{set: {a: 1}}]\n  - get: /${a}", ["VF310"]),
        ("  - if: iteration > 0\n    do: [{get: '/${a}'}]\n  - get: /\n    extract: {a: $.id}", ["VF310"]),
        ("  - get: /\n    on_failure: continue\n    extract: {a: $.b}\n  - get: /${a}", ["VF310"]),
        ("  - for: i\n    in: [1]\n    do: [{set: {a: 1}}]\n  - get: /${a}/${i ?? 0}", []),
        ("  - group: g\n    do: [{set: {a: 1}}]\n  - get: /${a}", []),
        ("  - poll: {get: /, extract: {a: $.b}}\n    until: status() == 200\n    within: 3s\n  - get: /${a}", []),
    ],
)
def test_a_value_must_be_set_on_every_way(steps: str, found: list[str]) -> None:
    assert [code for code in codes(steps) if code == "VF310"] == found


def test_deep_nesting_of_loops_is_walked_once() -> None:
    deep = "".join(f"{' ' * 4 * n}  - repeat: 2\n{' ' * 4 * n}    do:\n" for n in range(24))
    assert codes(f"{deep}{' ' * 98}- get: /") == []


@pytest.mark.parametrize("load", ["vus: '${env.N ?? 1}', iterations: 3", "vus: 3, duration: 1m"])
def test_a_load_that_an_input_or_the_target_decides_is_not_judged(load: str) -> None:
    executor = "per-vu-iterations" if "iterations" in load else "constant-vus"
    top = f"load: {{executor: {executor}, {load}}}\nmeasure: {{skip: 0s}}"
    suite = "base_url: http://127.0.0.1\neach_flow: {iterations: count > 100}"
    assert codes("  - get: /", top=top, suite=suite) == []


def test_a_secret_is_covered_wherever_its_line_is_drawn() -> None:
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    overlay = {
        ROOT / "a.yml": f"auth: {{bearer: hunter2}}  # {key} hunter2\nsteps: [{{get: http://127.0.0.1/}}]\n{GATES}"
    }
    diagnostics = lint([ROOT], overlay=overlay)[1]
    assert [d.code for d in diagnostics] == ["VF417", "VF417"]
    assert key not in render_text(diagnostics)
    assert "bearer: hunter2" not in render_text(diagnostics)


@pytest.mark.parametrize(("pages", "found"), [("5", ["VF508"]), ("20", []), ("${env.PAGES ?? 5}", [])])
def test_a_walk_gives_as_many_samples_as_it_has_pages_at_most(pages: str, found: list[str]) -> None:
    steps = f"  - paginate: {{get: /a}}\n    next: $.next\n    into: query.cursor\n    pages: {pages}"
    assert codes(steps, suite="base_url: http://127.0.0.1\neach_flow: {http_reqs: count >= 20}") == found
