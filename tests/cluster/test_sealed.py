"""What passes through a scheduler is read by its two ends only, in its order, once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.cluster.sealed import Handshake, Message, Sealed

SAID: list[Message] = [{"do": "begin", "worker": 3}, {"do": "beat"}]


def ends(name: str = "n") -> tuple[Sealed, Sealed]:
    """The coordinator's end and the machine's."""
    mine, its = Handshake(), Handshake()
    return mine.with_machine(its.public, name), its.with_coordinator(mine.public, name)


def test_both_ends_read_each_other() -> None:
    coordinator, machine = ends()
    assert machine.open(coordinator.seal(SAID)) == SAID
    assert coordinator.open(machine.seal([{"time": 1.5}])) == [{"time": 1.5}]
    assert machine.open(coordinator.seal([])) == []


@given(st.integers(min_value=0), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, by: int) -> None:
    coordinator, machine = ends()
    sealed = bytearray(coordinator.seal(SAID))
    sealed[at % len(sealed)] ^= by
    with pytest.raises(ValueError, match="not a message"):
        machine.open(bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"x", bytes(16), bytes(200)])
def test_what_nobody_sealed_is_noticed(sealed: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        ends()[1].open(sealed)


def test_a_message_is_opened_once_and_in_its_order() -> None:
    coordinator, machine = ends()
    first, second = coordinator.seal(SAID), coordinator.seal(SAID)
    with pytest.raises(ValueError, match="not a message"):
        machine.open(second)
    machine.open(first)
    with pytest.raises(ValueError, match="not a message"):
        machine.open(first)
    assert machine.open(second) == SAID


def test_an_end_does_not_take_its_own_words_for_the_other_s() -> None:
    coordinator, _ = ends()
    with pytest.raises(ValueError, match="not a message"):
        coordinator.open(coordinator.seal(SAID))


def test_another_key_or_another_conversation_opens_nothing() -> None:
    mine, its, other = Handshake(), Handshake(), Handshake()
    sealed = mine.with_machine(its.public, "a").seal(SAID)
    for end in (other.with_coordinator(mine.public, "a"), its.with_coordinator(mine.public, "b")):
        with pytest.raises(ValueError, match="not a message"):
            end.open(sealed)


def test_nothing_of_a_message_can_be_read_in_between() -> None:
    coordinator, _ = ends()
    once, twice = (coordinator.seal([{"secret": "tok-3n" * 100}]) for _ in range(2))
    assert b"tok-3n" not in once
    assert once != twice, "no nonce is used again"
