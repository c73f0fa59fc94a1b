"""The seed's promise: what a VU draws in an iteration follows from the seed alone, whatever the target does."""

import re
from collections.abc import Callable
from random import Random

import pytest
import trio
import trio.testing
from planned import inputs, plan_of
from stage import Answer, Reply, Target, play

from vezaflow.protocols import ErrorKind

pytestmark = pytest.mark.trio

ITEMS = b'{"items": [1, 2, 3, 4, 5, 6, 7], "next": "2"}'
FLOW = """
load: {executor: per-vu-iterations, vus: 3, iterations: 6}
failure_backoff: 20ms
data: {words: {list: [{w: a}, {w: b}, {w: c}, {w: d}, {w: e}], pick: random, each: iteration}}
vars: {mine: "${uuid()}", each_time: {each: iteration, value: "${random(1, 1000000)}"}}
think: 10ms..30ms
on_failure: continue
login: [{post: "/login?d=${vu}-l-${uuid()}", retry: {max: 2, wait: 1ms..5ms}}]
finally: [{post: "/bye?d=${vu}-f-${uuid()}-${mine}"}]
steps:
  - get: "/first?d=${vu}-${iteration}-1-${words.w}-${each_time}-${random(1, 1000000)}"
    retry: {max: 3, wait: {exponential: 2ms}}
  - {think: 1ms..9ms}
  - {get: "/pick", extract: {one: {json: "$.items[*]", pick: random, default: 0}}}
  - {get: "/expect?d=${vu}-${iteration}-2-${uuid()}", expect: {that: ["random(1, 9) < 10"]}}
  - poll: {get: "/poll?d=${vu}-${iteration}-3-${uuid()}", retry: {max: 1, wait: 1ms..3ms}}
    until: 'status() == 200'
    every: 1ms..4ms
    within: 15ms
  - paginate: {get: "/pages?d=${vu}-${iteration}-4", headers: {x-id: "${uuid()}"}, name: pages}
    next: {json: $.next, pick: random}
    into: query.page
    pages: 3
  - {upload: "/part/${part.number}", name: part, of: 30 B, part: 10 B, headers: {x-id: "${uuid()}"}}
  - parallel:
      - {get: "/a?d=${vu}-${iteration}-5-${uuid()}", retry: {max: 1, wait: 1ms..3ms}}
      - {group: b, do: [{get: "/b?d=${vu}-${iteration}-6-${uuid()}"}, {think: 1ms..3ms}]}
  - for: n
    in: [1, 2, 3]
    at_once: 2
    do: [{get: "/c?d=${vu}-${iteration}-7.${n}-${uuid()}"}]
  - repeat: 2
    do: [{get: "/d?d=${vu}-${iteration}-8-${uuid()}"}]
  - {get: "/last?d=${vu}-${iteration}-9-${uuid()}-${mine}"}
"""


def whims(*replies: Reply) -> Answer:
    """A target that does any of these, at random; asked to log in it does what it should in the end."""
    random, tried = Random(1), 0

    def answer(_method: str, path: str) -> Reply:
        nonlocal tried
        if path.startswith("/login"):
            tried += 1
            return Reply(status=503 if tried % 3 else 200)
        return random.choice(replies)

    return answer


GOOD = Reply(body=ITEMS)
TARGETS: dict[str, Callable[[], Answer]] = {
    "fails": lambda: whims(GOOD, Reply(500), Reply(429, headers=(("retry-after", "0"),))),
    "always fails": lambda: whims(Reply(500)),
    "is slow": lambda: whims(Reply(body=ITEMS, after=0.5), GOOD),
    "times out": lambda: whims(Reply(error=ErrorKind.TIMEOUT_WAIT, after=2), GOOD),
    "resets": lambda: whims(Reply(error=ErrorKind.RESET, after=0), GOOD),
    "redirects": lambda: whims(Reply(302, headers=(("location", "/elsewhere"),)), GOOD),
    "has other content": lambda: whims(Reply(body=b'{"items": [1], "next": null}'), Reply(body=b"nothing"), GOOD),
}


async def drawn(answer: Answer, seed: int = 7) -> set[str]:
    """What was drawn, with who drew it where. What goes out again and again counts once."""
    target = Target(answer)
    await play(plan_of(FLOW, inputs=inputs(seed=seed)), target)
    return {found[1] for asked in target.asked if (found := re.search(r"d=([^&]*)", asked))}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.slow
async def test_what_a_user_draws_is_the_same_whatever_the_target_does(
    autojump_clock: trio.testing.MockClock, target: str
) -> None:
    usual = await drawn(lambda _method, _path: GOOD)
    assert len(usual) == 3 * (2 + 6 * (1 + 1 + 1 + 1 + 2 + 3 + 2 + 1)), "login and finally; then each iteration"
    assert await drawn(TARGETS[target]()) == usual


@pytest.mark.slow
async def test_another_seed_draws_something_else(autojump_clock: trio.testing.MockClock) -> None:
    one, other = await drawn(lambda _m, _p: GOOD), await drawn(lambda _m, _p: GOOD, seed=8)
    assert not {each for each in one & other if each.count("-") > 2}
