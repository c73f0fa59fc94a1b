"""A VU's random numbers: those of an iteration follow from the seed, the VU and the iteration's number alone."""

from hypothesis import given
from hypothesis import strategies as st

from vezaflow.plan import Chance

DRAWS = st.dictionaries(st.integers(0, 300), st.integers(0, 12), max_size=6)  # by turn


def numbers(turn: int, before: dict[int, int], chance: Chance) -> tuple[object, ...]:
    """What a turn draws after so many draws in each turn before it."""
    for earlier in sorted(each for each in before if each < turn):
        chance.turn = earlier
        for _ in range(before[earlier]):
            chance.random()
            chance.getrandbits(7)
    chance.turn = turn
    return (chance.random(), chance.getrandbits(128), chance.choice(range(1000)), chance.getrandbits(600))


@given(turn=st.integers(0, 300), one=DRAWS, other=DRAWS)
def test_what_a_turn_draws_is_the_same_whatever_was_drawn_before(
    turn: int, one: dict[int, int], other: dict[int, int]
) -> None:
    assert numbers(turn, one, Chance("a")) == numbers(turn, other, Chance("a"))


@given(turns=st.lists(st.integers(0, 300), min_size=2, max_size=30, unique=True))
def test_no_two_turns_draw_the_same(turns: list[int]) -> None:
    assert len({numbers(turn, {}, Chance("a")) for turn in turns}) == len(turns)


@given(turn=st.integers(0, 300), drawn=st.integers(0, 20))
def test_a_branch_takes_one_number_whatever_it_draws(turn: int, drawn: int) -> None:
    quiet, busy = Chance("a"), Chance("a")
    quiet.turn = busy.turn = turn
    quiet.branch()
    branch = busy.branch()
    for _ in range(drawn):
        branch.random()
    assert quiet.random() == busy.random()


def test_numbers_are_spread_evenly() -> None:
    chance, found = Chance("a"), [0] * 10
    for turn in range(20_000):
        chance.turn = turn
        found[int(chance.random() * 10)] += 1
    assert all(1_800 < count < 2_200 for count in found)
