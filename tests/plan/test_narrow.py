"""`try --only`: which steps are left of a plan."""

from planned import plan_of

from vezaflow.plan import Plan, PlannedFlow, names_within, narrowed, requests_of

SUITE = """
suite: test
base_url: http://127.0.0.1:1
preflight: [{get: /health, name: health}]
setup: [{get: /seed, name: seed}, {get: /warm, name: warm}]
teardown: [{get: /clean, name: clean}]
"""
FLOW = """
load: {vus: 1, duration: 1s}
login: [{post: /login, name: login}, {get: /me, name: me}]
steps:
  - get: /a
    name: a
  - choose:
      - {weight: 90, do: [{get: /b, name: b}]}
      - {weight: 10, do: [{get: /c, name: c}, {get: /d, name: d}, {get: /e, name: e}]}
  - repeat: 3
    do: [{get: /f, name: f}, {get: /g, name: g}]
  - group: all of it
    do: [{get: /h, name: h}, {get: /i, name: i}]
  - if: 1 == 1
    do: [{get: /j, name: j}, {get: /k, name: k}]
    else: [{get: /l, name: l}, {get: /m, name: m}]
  - get: /z
    name: z
finally: [{post: /logout, name: logout}]
"""


def left(*names: str) -> str:
    """The requests that are left, by name."""
    plan, flow = cut(*names)
    phases = (plan.preflight.requests, plan.setup, flow.login, flow.steps, flow.final, plan.teardown)
    return " | ".join(" ".join(r.name for r in requests_of(steps)) for steps in phases)


def cut(*names: str) -> tuple[Plan, PlannedFlow]:
    plan = plan_of(FLOW, suite=SUITE)
    return narrowed(plan, plan.flows[0], names)


def test_what_comes_after_the_step_is_left_out_but_for_the_end() -> None:
    assert left("a") == "health | seed warm | login me | a | logout | clean"


def test_of_a_choice_the_branch_with_the_step_runs_up_to_it() -> None:
    assert left("d") == "health | seed warm | login me | a c d | logout | clean"


def test_steps_of_several_branches_run_one_after_the_other() -> None:
    assert left("b", "d") == "health | seed warm | login me | a b c d | logout | clean"


def test_the_body_of_a_loop_stays_whole() -> None:
    assert left("f").split(" | ")[3] == "a b c d e f g"


def test_a_choice_within_a_loop_is_decided_too() -> None:
    looped = """
    steps:
      - repeat: 2
        do:
          - choose:
              - {weight: 1, do: [{get: /a, name: a}]}
              - {weight: 1, do: [{get: /b, name: b}]}
    """
    plan = plan_of(looped)
    _, flow = narrowed(plan, plan.flows[0], ["b"])
    assert [r.name for r in requests_of(flow.steps)] == ["b"]


def test_the_steps_after_it_in_a_block_are_left_out() -> None:
    assert left("h").split(" | ")[3].endswith("f g h")
    assert left("j").split(" | ")[3].endswith("h i j l m")


def test_a_group_is_a_step_too_and_stays_whole() -> None:
    plan, flow = cut("all of it")
    assert left("all of it").split(" | ")[3].endswith("f g h i")
    assert names_within(plan, flow, ["all of it"]) == {"all of it", "h", "i"}
    assert flow.steps[-1].name == "all of it"


def test_what_runs_beside_a_step_runs_and_its_own_branch_no_further() -> None:
    ways = "{group: one, do: [{get: /n, name: n}, {get: /o, name: o}]}, {get: /p, name: p}"
    plan = plan_of(f"steps:\n  - parallel: [{ways}]\n    name: both\n  - {{get: /q, name: q}}\n", suite=SUITE)
    for name, kept in (("n", "n p"), ("both", "n o p"), ("p", "n o p"), ("q", "n o p q")):
        _, flow = narrowed(plan, plan.flows[0], (name,))
        assert " ".join(request.name for request in requests_of(flow.steps)) == kept
    assert names_within(plan, plan.flows[0], ("both",)) == {"both", "n", "o", "p"}


def test_a_step_of_login_needs_no_iteration() -> None:
    assert left("login") == "health | seed warm | login |  | logout | clean"


def test_a_step_of_setup_needs_no_user() -> None:
    assert left("seed") == "health | seed |  |  |  | clean"


def test_a_step_of_preflight_needs_nothing_else() -> None:
    assert left("health") == "health |  |  |  |  | "


def test_a_step_of_the_end_needs_all_that_comes_before() -> None:
    everything = "health | seed warm | login me | a b c d e f g h i j k l m z | logout | clean"
    assert left("logout") == left("clean") == everything
