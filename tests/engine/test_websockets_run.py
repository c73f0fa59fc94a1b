"""WebSocket steps against a fake one, on a mock clock: what is said, what is counted, what fails."""

import gc
import json
from collections.abc import Callable, Iterable

import pytest
import trio
import trio.testing
from planned import ROOT, SUITE, plan_of
from stage import Played, Reply, Said, Target, always, play

from vezaflow.diagnostics import Diagnostics
from vezaflow.engine.ledger import AwaitedAck
from vezaflow.plan import Inputs, Plan, build
from vezaflow.protocols import ErrorKind
from vezaflow.read import read_suite

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
OPENS = always(Reply(101, after=0.05))
ACK = 'ack: {where: json("$.type") == "ack" and json("$.id") == sent.id, within: 1s}'
Heard = str | bytes


async def run(
    keys: str, talk: Callable[[Heard], Iterable[Said]] | None = None, *, load: str = ONCE
) -> tuple[Target, Played]:
    """One WebSocket with these keys, and steps that are set in by six."""
    target = Target(OPENS)
    if talk is not None:
        target.talk = talk
    return target, await play(plan_of(f"{load}steps:\n  - websocket: /ws\n    name: chat\n{keys}"), target)


def planned(files: dict[str, str]) -> Plan:
    """A suite of these files."""
    diagnostics = Diagnostics()
    overlay = {ROOT / name: text for name, text in ({"suite.yml": SUITE} | files).items()}
    suite = read_suite([ROOT], diagnostics, overlay=overlay)
    assert suite is not None
    plan = build(suite, Inputs({}), diagnostics)
    assert plan is not None
    return plan


def acks(*afters: float) -> Callable[[Heard], Iterable[Said]]:
    """A server that acknowledges messages, each as often and as late as its number in `afters` says (below 0: not)."""
    later = list(afters)

    def talk(heard: Heard) -> Iterable[Said]:
        if heard:
            after = later.pop(0) if later else 0.01
            if after >= 0:
                yield Said(json.dumps({"type": "ack", "id": json.loads(heard)["id"]}), after)

    return talk


def sends(count: int, pause: str = "100ms") -> str:
    return "".join(
        f"      - {{send: {{json: {{id: {number}}}}}, {ACK}}}\n      - think: {pause}\n" for number in range(count)
    )


def figures(played: Played) -> dict[str, int]:
    (row,) = played.summary.channels.values()
    names = ("sessions", "sent", "received", "expected", "delivered", "late", "lost", "duplicated", "reordered")
    return {name: value for name in names if (value := getattr(row, name))}


async def test_it_is_opened_held_while_its_steps_run_and_closed(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await run("    do:\n      - send: hello\n      - think: 2s\n")
    (socket,) = target.sockets
    assert [said for _, said in socket.heard] == ["hello"]
    assert socket.ending is not None
    assert (socket.ending.code, socket.ending.by_server) == (1000, False)
    assert figures(played) == {"sessions": 1, "sent": 1}
    assert played.summary.select("ws_connecting").aggregate("max") == pytest.approx(0.05, abs=0.001)
    assert played.summary.select("ws_session_duration").aggregate("max") == pytest.approx(2.05, abs=0.02)
    assert played.count("iterations") == 1
    assert played.count("iterations_failed") == 0
    assert played.count("http_reqs") == 0


async def test_messages_are_texts_json_and_bytes(autojump_clock: trio.testing.MockClock) -> None:
    keys = (
        "    close: {code: 3001, reason: 'bye ${vu}'}\n    do:\n      - send: {text: 'a ${1 + 1}'}\n"
        "      - send: {json: {n: '${1 + 1}'}}\n      - send: {bytes: AAEC}\n"
    )
    target, _ = await run(keys)
    assert [said for _, said in target.sockets[0].heard] == ["a 2", '{"n":2}', b"\x00\x01\x02"]
    ending = target.sockets[0].ending
    assert ending is not None
    assert (ending.code, ending.reason) == (3001, "bye 1")


async def test_the_request_that_opens_it_has_headers_and_an_origin(autojump_clock: trio.testing.MockClock) -> None:
    keys = (
        "    headers: {x-room: a}\n    auth: {bearer: t}\n    query: {q: 1}\n    origin: https://a.b\n"
        "    do:\n      - think: 1ms\n"
    )
    target, _ = await run(keys)
    _, method, path, head = target.log[0]
    assert (method, path) == ("GET", "/ws?q=1")
    for line in ("x-room: a", "Authorization: Bearer t", "Origin: https://a.b"):
        assert f"{line}\r\n" in head


async def test_an_acknowledged_message_is_delivered_with_its_latency(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run("    do:\n" + sends(3), acks(0.2, 0.2, 0.2))
    assert figures(played) == {"sessions": 1, "sent": 3, "received": 3, "expected": 3, "delivered": 3}
    latency = played.summary.select("ws_message_latency")
    assert latency.aggregate("max") == pytest.approx(0.2, abs=0.002)
    assert played.summary.select("ws_delivered").aggregate("rate") == 1


async def test_lost_and_late_messages_are_not_delivered(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run("    do:\n" + sends(3) + "      - think: 3s\n", acks(-1, 1.5, 0.01))
    assert figures(played) == {
        "sessions": 1, "sent": 3, "received": 2, "expected": 3, "delivered": 1, "late": 1, "lost": 1,
    }  # fmt: skip
    failures = played.summary.select("ws_message_failures", labels=[("error", "not_acked")])
    assert failures.aggregate("rate") == pytest.approx(2 / 3)
    assert played.count("iterations_failed") == 0  # the ledger counts; it is gates that judge
    assert [(incident.code, incident.count) for incident in played.engine.incidents.items] == [("VF608", 1)] * 2


async def test_the_steps_end_waits_for_acks_under_way(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run(f"    do:\n      - {{send: {{json: {{id: 1}}}}, {ACK}}}\n", acks(0.9))
    assert figures(played)["delivered"] == 1
    assert played.seconds == pytest.approx(0.95, abs=0.05)


async def test_a_second_ack_is_a_duplicate_and_an_early_one_reorders(autojump_clock: trio.testing.MockClock) -> None:
    def twice(heard: Heard) -> Iterable[Said]:
        for said in acks()(heard):
            yield from (said, said)

    _, played = await run("    do:\n" + sends(2), twice)
    assert (figures(played)["delivered"], figures(played)["duplicated"]) == (2, 2)
    _, played = await run("    do:\n" + sends(2), acks(0.5, 0.01))
    assert (figures(played)["delivered"], figures(played)["reordered"]) == (2, 1)


async def test_what_is_under_way_when_the_run_ends_is_neither(autojump_clock: trio.testing.MockClock) -> None:
    load = "load: {vus: 1, duration: 1s, graceful_stop: 0s}\n"
    _, played = await run("    do:\n" + sends(1) + "      - think: 60s\n", acks(-1), load=load)
    assert figures(played) == {"sessions": 1, "sent": 1}
    delivered = played.summary.select("ws_delivered")
    assert delivered.samples == 0
    duration = played.summary.select("ws_session_duration")
    assert duration.aggregate("count") == 1  # a lower bound


async def test_an_ack_that_only_its_condition_tells_is_found(autojump_clock: trio.testing.MockClock) -> None:
    keys = '    do:\n      - {send: abc, ack: {where: "upper(sent) in message"}}\n      - think: 1s\n'
    _, played = await run(keys, lambda heard: [Said("** ABC **")] if heard else [])
    assert figures(played)["delivered"] == 1


async def test_receive_passes_over_what_does_not_fit_and_extracts(autojump_clock: trio.testing.MockClock) -> None:
    keys = """    do:
      - send: go
      - receive: {where: 'json("$.n") == 2', within: 2s, extract: {word: $.word}, expect: {json: {$.word: b}}}
      - send: got ${word}
"""
    says = [Said("no json"), Said('{"n": 1}'), Said('{"n": 2, "word": "b"}', 0.5)]
    target, played = await run(keys, lambda heard: says if heard == "go" else [])
    assert [said for _, said in target.sockets[0].heard] == ["go", "got b"]
    assert played.count("iterations_failed") == 0


@pytest.mark.parametrize(
    ("receive", "kind", "words"),
    [
        (
            "{where: 'message == \"x\"', within: 1s}",
            "timeout_message",
            "no message within 1 s (timeout); 1 other message came",
        ),
        ("{expect: {that: 'message == \"x\"'}}", "expectation", 'message == "x" is false (got "y")'),
        ("{extract: {a: $.a}}", "extraction", "'a': the body is not valid JSON"),
    ],
)
async def test_a_message_that_is_not_as_it_should_be_fails_the_step(
    autojump_clock: trio.testing.MockClock, receive: str, kind: str, words: str
) -> None:
    keys = f"    do:\n      - send: go\n      - receive: {receive}\n      - send: never\n"
    target, played = await run(keys, lambda heard: [Said("y")] if heard else [])
    assert [said for _, said in target.sockets[0].heard] == ["go"]
    failures = played.summary.select("ws_message_failures", labels=[("error", kind)])
    assert failures.aggregate("rate") == 0.5
    assert played.count("iterations_failed") == 1
    assert words in played.engine.incidents.items[0].message


async def test_a_refused_upgrade_fails_the_step_and_is_no_session(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(401)))
    played = await play(plan_of(ONCE + "steps:\n  - {websocket: /ws, name: chat, do: [{send: hello}]}\n"), target)
    assert figures(played) == {}
    refused = played.summary.select("ws_connection_failures", labels=[("error", "upgrade")])
    assert refused.aggregate("rate") == 1
    assert played.count("iterations_failed") == 1
    assert (
        played.summary.select("ws_sessions").samples == 1
    )  # one was tried: a gate on none of them is no gate on nothing


async def test_a_refused_connection_goes_on_where_the_author_says_so(autojump_clock: trio.testing.MockClock) -> None:
    def answer(_method: str, path: str) -> Reply:
        return Reply(error=ErrorKind.REFUSED) if path == "/ws" else Reply()

    target = Target(answer)
    steps = "steps:\n  - {websocket: /ws, on_failure: continue, do: [{send: hello}]}\n  - get: /next\n"
    played = await play(plan_of(ONCE + steps), target)
    assert target.asked == ["GET /ws", "GET /next"]
    assert played.count("iterations_failed") == 1


@pytest.mark.parametrize(
    "after",
    [
        "      - think: 1s\n",
        "      - receive: {within: 5s}\n",
        "      - think: 1s\n      - ping: {}\n",
        "      - think: 1s\n      - send: more\n",
    ],
)
async def test_a_close_by_the_server_fails_who_meets_it_once(
    autojump_clock: trio.testing.MockClock, after: str
) -> None:
    _, played = await run("    do:\n      - send: go\n" + after, lambda heard: [Said(4001)] if heard else [])
    assert played.summary.select("ws_unexpected_closes", labels=[("code", "4001")]).aggregate("count") == 1
    assert played.count("iterations_failed") == 1
    (incident,) = played.engine.incidents.items
    assert incident.count == 1
    assert incident.message == "the server closed the WebSocket (code 4001)"


async def test_what_was_under_way_when_the_server_closed_is_lost(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run("    do:\n" + sends(1), lambda heard: [Said(1006)] if heard else [])
    assert (figures(played)["expected"], figures(played)["lost"]) == (1, 1)
    assert played.summary.select("ws_unexpected_closes", labels=[("code", "1006")]).aggregate("count") == 1


async def test_a_message_is_sent_again_and_again(autojump_clock: trio.testing.MockClock) -> None:
    keys = "    every: [{each: 2s, send: beat}]\n    do:\n      - think: 7s\n"
    target, played = await run(keys)
    (socket,) = target.sockets
    begun = target.log[0][0]
    assert [(round(at - begun), said) for at, said in socket.heard] == [(2, "beat"), (4, "beat"), (6, "beat")]
    assert figures(played)["sent"] == 3


async def test_replies_go_out_while_a_vu_thinks_and_are_not_received(autojump_clock: trio.testing.MockClock) -> None:
    keys = """    reply:
      - {where: 'json("$.type") == "ping"', send: {json: {type: pong, n: '${json("$.n")}'}}}
    do:
      - think: 3s
      - receive: {within: 1s, extract: {word: {response: body}}}
      - send: ${word}
"""
    says = [Said('{"type":"ping","n":7}', 1.0), Said("hello", 2.0)]
    target, _ = await run(keys, lambda heard: [] if heard else says)
    begun = target.log[0][0]
    assert [(round(at - begun), said) for at, said in target.sockets[0].heard] == [
        (1, '{"type":"pong","n":7}'),
        (3, "hello"),
    ]


async def test_it_is_opened_again_with_back_off(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(OPENS)
    target.talk = lambda heard: [Said(1012)] if heard == "go" else []
    keys = "reconnect: {max: 3, wait: 1s}\n    do:\n      - send: go\n      - think: 100ms\n      - send: again\n"
    played = await play(plan_of(ONCE + "steps:\n  - websocket: /ws\n    name: chat\n    " + keys), target)
    first, second = target.sockets
    assert [said for _, said in second.heard] == ["again"]
    assert 0.5 <= target.log[1][0] - target.log[0][0] <= 1.2
    assert played.count("iterations_failed") == 0
    assert played.count("ws_sessions") == 2
    assert played.count("ws_unexpected_closes") == 1
    assert first.ending is not None


async def test_who_can_not_be_opened_again_fails(autojump_clock: trio.testing.MockClock) -> None:
    tries = iter([Reply(101)] + [Reply(503)] * 9)
    target = Target(lambda _method, _path: next(tries))
    target.talk = lambda heard: [Said(1012)] if heard == "go" else []
    keys = "reconnect: {max: 2, wait: 10ms}\n    do:\n      - send: go\n      - receive: {within: 9s}\n"
    played = await play(plan_of(ONCE + "steps:\n  - websocket: /ws\n    name: chat\n    " + keys), target)
    assert len(target.log) == 3
    assert played.count("iterations_failed") == 1
    refused = played.summary.select("ws_connection_failures")
    assert refused.aggregate("rate") == pytest.approx(2 / 3)


async def test_several_are_held_by_name(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(OPENS)
    steps = """steps:
  - websocket: /one
    as: one
    do:
      - websocket: /two
        as: two
        do:
          - send: inner
          - {send: outer, to: one}
          - group: g
            do: [{send: second, to: two}]
"""
    await play(plan_of(ONCE + steps), target)
    one, two = target.sockets
    assert [said for _, said in one.heard] == ["outer"]
    assert [said for _, said in two.heard] == ["inner", "second"]


async def test_branches_at_the_same_time_share_it(autojump_clock: trio.testing.MockClock) -> None:
    keys = """    do:
      - parallel:
          - group: talks
            do: [{think: 1s}, {send: hello}]
          - group: listens
            do: [{receive: {within: 5s, expect: {that: 'message == "hi"'}}}]
"""
    _, played = await run(keys, lambda heard: [Said("hi")] if heard else [])
    assert played.count("iterations_failed") == 0


async def test_a_ping_is_timed(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run("    do:\n      - ping: {within: 1s}\n")
    assert played.summary.select("ws_ping").aggregate("max") == pytest.approx(0.004, abs=0.001)


async def test_its_samples_have_group_step_and_tags(autojump_clock: trio.testing.MockClock) -> None:
    steps = "steps:\n  - {group: g, do: [{websocket: /ws, name: chat, tags: {team: a}, do: [{send: x}]}]}\n"
    played = await play(plan_of(ONCE + steps), Target(OPENS))
    assert played.count("ws_msgs_sent", step="chat", group="g", team="a") == 1


# --- deliver


DELIVER = 'deliver: {where: json("$.type") == "message" and json("$.id") == sent.id, within: 1s}'


class Room:
    """A fake room: what one member says, the others hear, but for those that `loses` says."""

    def __init__(self, target: Target, loses: Callable[[int], bool] = lambda _number: False) -> None:
        self.target, self.loses, self.number = target, loses, 0

    def __call__(self, heard: Heard) -> Iterable[Said]:
        if heard:
            record = json.loads(heard)
            for socket in self.target.sockets:
                last = socket.heard[-1][1] if socket.heard else None
                if last is not heard and socket.ending is None:
                    self.number += 1
                    if not self.loses(self.number):
                        socket.say(Said(json.dumps({"type": "message", "id": record["id"]}), 0.02))
        return ()


async def in_a_room(vus: int, loses: Callable[[int], bool] = lambda _number: False) -> Played:
    target = Target(OPENS)
    target.talk = Room(target, loses)
    steps = f"""load: {{executor: per-vu-iterations, vus: {vus}, iterations: 1}}
steps:
  - websocket: /ws
    name: chat
    room: lobby
    do:
      - think: 500ms
      - think: "${{vu * 100}}ms"
      - send: {{json: {{id: "${{vu}}"}}}}
        {DELIVER}
      - think: 3s
"""
    return await play(plan_of(steps), target)


async def test_a_message_is_expected_by_each_other_member_of_the_room(autojump_clock: trio.testing.MockClock) -> None:
    played = await in_a_room(4)
    assert figures(played) == {"sessions": 4, "sent": 4, "received": 12, "expected": 12, "delivered": 12}
    assert played.summary.select("ws_message_latency").aggregate("max") == pytest.approx(0.02, abs=0.002)
    assert played.summary.select("ws_message_failures").aggregate("rate") == 0
    assert played.summary.select("ws_message_failures").samples == 16


async def test_a_member_that_a_message_does_not_reach_lowers_what_is_delivered(
    autojump_clock: trio.testing.MockClock,
) -> None:
    played = await in_a_room(4, lambda number: number % 4 == 0)
    assert (figures(played)["expected"], figures(played)["delivered"], figures(played)["lost"]) == (12, 9, 3)
    assert played.summary.select("ws_message_failures").aggregate("rate") == pytest.approx(3 / 16)


async def test_members_of_other_flows_are_reached_by_the_senders_variables(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target = Target(OPENS)
    target.talk = Room(target)
    talk = """load: {executor: per-vu-iterations, vus: 1, iterations: 1}
vars: {a: 1, b: 2, prefix: x}
steps:
  - websocket: /ws
    room: lobby
    do:
      - think: 500ms
      - send: {json: {id: "x1"}}
        deliver: {where: 'json("$.id") == concat(prefix, "1")', within: 1s}
"""
    listen = """load: {executor: per-vu-iterations, vus: 2, iterations: 1}
steps: [{websocket: /ws, name: ears, room: lobby, do: [{receive: {within: 5s}}, {think: 3s}]}]
"""
    played = await play(planned({"talk.yml": talk, "listen.yml": listen}), target)
    delivered = played.summary.select("ws_delivered", labels=[("step", "ears")])
    assert (delivered.samples, delivered.aggregate("rate")) == (2, 1.0)
    assert played.count("iterations_failed") == 0  # a delivery can be received, too


async def test_alone_in_a_room_nothing_is_expected(autojump_clock: trio.testing.MockClock) -> None:
    played = await in_a_room(1)
    assert figures(played) == {"sessions": 1, "sent": 1}


# --- elsewhere


async def test_a_fragment_speaks_over_the_websocket_that_it_is_included_in(
    autojump_clock: trio.testing.MockClock,
) -> None:
    flow = ONCE + "steps:\n  - websocket: /ws\n    do: [{include: parts/hello.yml, with: {name: Ann}}]\n"
    part = "inputs: {name: text}\nsteps: [{send: 'hello ${name}'}]\n"
    target = Target(OPENS)
    await play(planned({"flow.yml": flow, "parts/hello.yml": part}), target)
    assert [said for _, said in target.sockets[0].heard] == ["hello Ann"]


async def test_rounds_at_the_same_time_each_hold_one(autojump_clock: trio.testing.MockClock) -> None:
    steps = """steps:
  - for: name
    in: [a, b, c]
    at_once: 3
    do: [{websocket: /ws, name: chat, do: [{think: 1s}, {send: "${name}"}, {think: 1s}]}]
"""
    target = Target(OPENS)
    played = await play(plan_of(ONCE + steps), target)
    assert sorted([said for _, said in socket.heard] for socket in target.sockets) == [["a"], ["b"], ["c"]]
    assert played.seconds < 2.2


async def test_a_step_that_fails_within_it_closes_it(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(lambda _method, path: Reply(101 if path == "/ws" else 500))
    steps = "steps: [{websocket: /ws, name: chat, do: [{get: /broken}, {send: never}]}]\n"
    played = await play(plan_of(ONCE + steps), target)
    (socket,) = target.sockets
    assert socket.heard == []
    assert socket.ending is not None
    assert (socket.ending.code, socket.ending.by_server) == (1000, False)
    assert played.count("iterations_failed") == 1
    assert played.count("ws_unexpected_closes") == 0


async def test_values_that_an_expression_can_not_compute_are_failures(autojump_clock: trio.testing.MockClock) -> None:
    keys = "    reply: [{where: 'message == \"a\"', send: '${1 / (vu - 1)}'}]\n    do: [{send: go}, {think: 1s}]\n"
    _, played = await run(keys, lambda heard: [Said("a")] if heard == "go" else [])
    (incident,) = played.engine.incidents.items
    assert (incident.code, incident.message) == ("VF605", "division by zero")
    assert played.count("iterations_failed") == 1


async def test_a_message_that_could_not_be_sent_is_expected_nowhere(autojump_clock: trio.testing.MockClock) -> None:
    keys = """    room: lobby
    do:
      - think: 1s
      - send: {json: {id: 1}}
        ack: {where: json("$.id") == sent.id, within: 1s}
        deliver: {where: json("$.id") == sent.other, within: 1s}
      - think: 2s
"""
    load = "load: {executor: per-vu-iterations, vus: 2, iterations: 1}\n"
    target, played = await run(keys, load=load)
    assert target.sockets[0].heard == []
    assert figures(played) == {"sessions": 2, "sent": 1, "expected": 1, "lost": 1}  # of the other, who is alone then
    assert {incident.code for incident in played.engine.incidents.items} == {"VF605", "VF608"}


async def test_what_is_remembered_of_messages_is_bounded(autojump_clock: trio.testing.MockClock) -> None:
    keys = f"""    do:
      - for: n
        in: ${{range(500)}}
        do:
          - send: {{json: {{id: "${{uuid()}}", n: "${{n}}"}}}}
            {ACK}
          - think: 100ms
"""
    held: list[int] = []
    gc.collect()  # what other tests left

    def talk(heard: Heard) -> Iterable[Said]:
        if heard and json.loads(heard)["n"] % 100 == 99:
            held.append(sum(isinstance(each, AwaitedAck) for each in gc.get_objects()))
        return acks()(heard)

    _, played = await run(keys, talk)
    assert len(held) == 5
    assert 0 < max(held) <= 64
    assert figures(played)["delivered"] == 500


async def test_what_nobody_reads_is_counted_and_so_are_bytes(autojump_clock: trio.testing.MockClock) -> None:
    def drops(heard: Heard) -> Iterable[Said]:
        if heard:
            target.sockets[0].dropped += 3
            yield Said("12345")

    target = Target(OPENS)
    target.talk = drops
    keys = "    do:\n      - send: hello, you\n      - think: 100ms\n      - send: hello\n      - think: 100ms\n"
    played = await play(plan_of(f"{ONCE}steps:\n  - websocket: /ws\n    name: chat\n{keys}"), target)
    assert played.count("ws_msgs_dropped", step="chat") == 6
    assert (played.count("data_sent", step="chat"), played.count("data_received", status="101")) == (15, 10)
    assert played.count("http_reqs") == 0
    assert played.summary.step_rows() == ()
    assert played.summary.select("data_received").samples > 0
