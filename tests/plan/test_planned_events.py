"""Events, planned: when they start, whom commands go to, and what is refused before anything is sent."""

from itertools import islice

import pytest
from planned import SUITE, inputs, plan_or_faults

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan import Plan, PlannedHAProxy, PlannedMark, PlannedSteps

FLOW = "load: {vus: 1, duration: 1m}\nsteps: [{get: /}]\n"


def planned(events: str, more: str = "", **environment: str) -> Plan:
    plan, diagnostics = plan_or_faults(FLOW, suite=f"{SUITE}\n{more}\n{events}", inputs=inputs(environment))
    assert plan is not None, [each.message for each in diagnostics]
    return plan


def fault(events: str, **environment: str) -> str:
    plan, diagnostics = plan_or_faults(FLOW, suite=f"{SUITE}\n{events}", inputs=inputs(environment))
    assert plan is None
    return next(iter(diagnostics)).message


def test_an_event_starts_once_or_again_and_again() -> None:
    events = "events: [{name: a, at: 10s}, {name: b, every: 20s}, {name: c}]"
    starts = [tuple(islice(event.starts(), 3)) for event in planned(events).events]
    assert starts == [(10.0,), (20.0, 40.0, 60.0), ()]
    assert [event.manual for event in planned(events).events] == [False, False, True]


def test_times_and_sockets_come_from_the_environment() -> None:
    event = """
events:
  - name: off
    at: ${env.AT}
    haproxy: {socket: "${env.SOCKET}", command: show info}
    finally: {haproxy: {command: show stat}}
"""
    (found,) = planned(event, AT="3s", SOCKET="/run/ha.sock").events
    assert found.at == 3.0
    assert isinstance(found.action, PlannedHAProxy)
    assert isinstance(found.final, PlannedHAProxy)
    assert found.action.address == found.final.address == "/run/ha.sock"
    assert fault(event, AT="3s", SOCKET="") == "expected the path of a socket, such as /run/haproxy.sock"
    assert "is not a duration" in fault(event, AT="soon", SOCKET="/run/ha.sock")


@pytest.mark.parametrize(
    ("written", "address"),
    [("127.0.0.1:9999", ("127.0.0.1", 9999)), ("localhost:1", ("localhost", 1)), ("'[::1]:9999'", ("::1", 9999))],
)
def test_a_tcp_address_has_a_host_and_a_port(written: str, address: tuple[str, int]) -> None:
    (event,) = planned(f"events: [{{name: off, haproxy: {{tcp: {written}, command: show info}}}}]").events
    assert isinstance(event.action, PlannedHAProxy)
    assert event.action.address == address


def test_an_address_without_a_port_is_wrong() -> None:
    assert fault("events: [{name: off, haproxy: {tcp: 127.0.0.1, command: x}}]") == "the address has no port"


def test_the_guard_decides_on_tcp_addresses() -> None:
    events = "events: [{name: off, haproxy: {tcp: 'lb.example.org:9999', command: show info}}]"
    with pytest.raises(VezaflowError, match=r"lb\.example\.org is not loopback") as refused:
        planned(events)
    assert refused.value.code == ExitCode.REFUSED
    (event,) = planned(events, "guard: {allow: [lb.example.org]}").events
    assert isinstance(event.action, PlannedHAProxy)
    assert event.action.address == ("lb.example.org", 9999)


def test_an_event_that_would_overlap_with_itself_is_wrong() -> None:
    events = "events: [{name: off, every: '${env.EVERY}', for: 10s}]"
    assert fault(events, EVERY="10s") == "the event must be over before it happens again"


def test_what_an_event_does_is_one_of_a_few() -> None:
    events = "events: [{name: a, do: [{get: /}], finally: [{get: /b}]}, {name: b}]"
    one, other = planned(events).events
    assert (type(one.action), type(one.final)) == (PlannedSteps, PlannedSteps)
    assert (type(other.action), type(other.final), other.undone) == (PlannedMark, PlannedMark, False)
