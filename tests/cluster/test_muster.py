"""What a machine of a cluster is judged by before any load, as data."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.cluster.facts import Address, MachineFacts, Reached, differences, facts, guarded, reached, unconnected
from vezaflow.cluster.muster import shipped, weighted
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan import Bundle, Division, Inputs

MINE = MachineFacts("a", "boot-1 net-1", "0.1.0", "3.11.7", "2026.8.0", 1024, 28232, 8 << 30, 4, True)


def machines(*cores: int) -> list[MachineFacts]:
    """Machines of their own with so many cores each."""
    return [replace(MINE, here=f"boot-{number}", cores=each) for number, each in enumerate(cores)]


def test_a_machine_tells_what_it_is_and_is_believed_only_in_the_right_shape() -> None:
    found = facts()
    assert MachineFacts.from_json(found.to_json()) == found
    assert list(differences(found, found)) == []
    for name, wrong in (("cores", "4"), ("vezaflow", None), ("stamps", 1), ("memory", -1)):
        with pytest.raises(ValueError, match=name):
            MachineFacts.from_json({**found.to_json(), name: wrong})
    with pytest.raises(ValueError, match="here"):
        MachineFacts.from_json({name: value for name, value in found.to_json().items() if name != "here"})


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (MINE, []),
        (replace(MINE, python="3.11.9"), []),
        (replace(MINE, python="3.12.7"), ["it has Python 3.12, and this machine 3.11"]),
        (replace(MINE, vezaflow="0.2.0"), ["it has vezaflow 0.2.0, and this machine 0.1.0"]),
        (replace(MINE, dask="2025.5.0"), ["it has Dask 2025.5.0, and this machine 2026.8.0"]),
    ],
)
def test_other_software_is_refused(theirs: MachineFacts, said: list[str]) -> None:
    assert list(differences(theirs, MINE)) == said


@pytest.mark.parametrize(
    ("cores", "vus", "workers"),
    [
        ((4, 2, 1), 10_000, (4, 2, 1)),
        ((4, 4), 100, (2, 2)),
        ((8, 2), 100, (2, 2)),
        ((4, 4, 4), 1, (1, 1, 1)),
        ((0, 4), 10_000, (1, 4)),
    ],
)
def test_a_machine_gets_a_worker_a_core_but_no_more_than_there_are_vus_for(
    cores: tuple[int, ...], vus: int, workers: tuple[int, ...]
) -> None:
    assert weighted(machines(*cores), vus) == workers


def test_dask_workers_on_one_machine_share_its_cores() -> None:
    assert weighted([MINE, MINE, MINE], 10_000) == (1, 1, 1)
    assert weighted([MINE, MINE, replace(MINE, here="boot-2")], 10_000) == (2, 2, 4)
    assert weighted([replace(MINE, cores=None)], 10_000) == (1,)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 20_000), st.integers(0, 5000))
def test_the_machines_together_carry_exactly_the_load(cores: list[int], vus: int, total: int) -> None:
    weights = weighted(machines(*cores), vus)
    assert all(1 <= weight <= core for weight, core in zip(weights, cores, strict=True))
    firsts = [sum(weights[:at]) for at in range(len(weights))]
    shares = [
        Division(sum(weights), None, range(first, first + weight)).here(total)
        for first, weight in zip(firsts, weights, strict=True)
    ]
    assert sum(shares) == total


def bundle(*paths: str) -> Bundle:
    return Bundle(tuple((path, "") for path in paths), paths, Inputs({}), ())


def test_the_suite_s_files_are_sent_but_for_its_texts_and_what_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("suite/flow.yml", "suite/rows.csv", "suite/deep/a.bin", "suite/.env", "suite/.git/x", "other.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    found = shipped(Path("suite"), bundle("suite/flow.yml"))
    assert found == {name: name.encode() for name in ("suite/rows.csv", "suite/deep/a.bin")}


def test_what_a_suite_uses_goes_along_under_its_shortest_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("suite/.rows.csv", "suite/sub/a.bin"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    found = shipped(Path("suite"), bundle(), (".rows.csv", "sub/../.rows.csv", "../suite/sub/a.bin", "missing.csv"))
    assert found == {name: name.encode() for name in ("suite/sub/a.bin", "suite/.rows.csv")}


@pytest.mark.parametrize("path", ["/etc/flow.yml", "../suite/flow.yml"])
def test_a_suite_outside_the_folder_is_refused_with_what_to_do(path: str, tmp_path: Path) -> None:
    with pytest.raises(VezaflowError, match="outside the current folder") as refused:
        shipped(tmp_path, bundle(path))
    assert "relative paths" in refused.value.hint


def test_too_much_to_send_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("large.bin").open("wb") as large:
        large.truncate(1 << 40)  # no memory could hold it
    with pytest.raises(VezaflowError, match="more than 256 MiB"):
        shipped(Path(), bundle())


def place(*addresses: str) -> Reached:
    return Reached("staging.example", 443, list(addresses))


@pytest.mark.parametrize(
    ("mine", "theirs", "refused"),
    [
        (("10.0.0.1",), ("127.0.0.1",), True),
        (("127.0.0.1",), ("127.0.0.1",), True),
        (("127.0.0.1",), ("10.0.0.1",), True),
        (("::1",), ("2001:db8::1",), True),
        (("10.0.0.1",), ("10.0.0.1", "10.0.0.2"), False),
        (("10.0.0.1",), ("10.0.0.2",), False),
        ((), ("10.0.0.2",), False),
    ],
)
def test_a_name_that_is_a_machine_itself_is_refused_elsewhere(
    mine: tuple[str, ...], theirs: tuple[str, ...], refused: bool
) -> None:
    assert bool(guarded(place(*mine), place(*theirs), same_machine=False)[0]) is refused
    assert guarded(place(*mine), place(*theirs), same_machine=True) == ("", "")


def test_a_name_with_other_addresses_there_is_noted() -> None:
    _, note = guarded(place("10.0.0.1"), place("203.0.113.7"), same_machine=False)
    assert note == "staging.example is 203.0.113.7 there, and 10.0.0.1 on this machine"
    assert guarded(place("10.0.0.1"), place("10.0.0.1", "10.0.0.2"), same_machine=False) == ("", "")


def test_how_a_target_is_reached_is_told() -> None:
    (closed,) = reached([("127.0.0.1", 1)])
    assert closed.addresses == ["127.0.0.1"]
    assert closed.trouble == "can't reach the target 127.0.0.1:1: Connection refused"
    assert Reached.from_json(closed.to_json()) == closed
    assert reached([("127.0.0.1", 1)], connect=False)[0].trouble == ""
    wrongs: list[object] = [{**closed.to_json(), "addresses": ["x"]}, {**closed.to_json(), "port": "1"}, []]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"x|port|invalid"):
            Reached.from_json(wrong)


def found(address: str, port: int) -> Address:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))


@pytest.fixture
def silent() -> Iterator[Address]:
    """Somebody who answers no attempt to connect: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as stack:
        address = found("127.0.0.1", server.getsockname()[1])
        for _ in range(4):
            each = stack.enter_context(socket.socket())
            each.setblocking(False)
            each.connect_ex(address[4])
        yield address


def test_all_addresses_of_a_place_have_one_deadline(silent: Address) -> None:
    begin = time.monotonic()
    assert unconnected([silent] * 300, 0.1) == "no connection within 0.1 s"
    assert time.monotonic() - begin < 20  # each with its own: 30 s


def test_an_address_that_answers_suffices(silent: Address) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert unconnected([silent, found("127.0.0.1", 1), found("127.0.0.1", server.getsockname()[1])], 5) == ""


def test_addresses_that_all_refuse_are_told_at_once() -> None:
    assert unconnected([found("127.0.0.1", 1), found("127.0.0.2", 1)], 5) == "Connection refused"
    assert unconnected([found("255.255.255.255", 1)], 5) in ("Permission denied", "Network is unreachable")


def test_a_file_that_can_not_be_read_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").symlink_to("/proc/self/mem")  # whose first byte nobody can read, not even root
    with pytest.raises(VezaflowError, match=r"rows\.csv can't be read: Input/output error") as refused:
        shipped(Path(), bundle())
    assert refused.value.code is ExitCode.REFUSED
    assert "keep it outside the suite's folder" in refused.value.hint
