"""What comes again is kept; what comes once fills nothing, however much there is of it."""

import tracemalloc

import pytest

from vezaflow.recurring import Recurring


def made(calls: list[str], most: int = 8192) -> Recurring[str, str]:
    def make(text: str) -> str:
        calls.append(text)
        return text.upper()

    return Recurring(make, most)


def test_what_comes_a_third_time_was_made_twice() -> None:
    calls: list[str] = []
    recurring = made(calls)
    assert [recurring["a"] for _ in range(5)] == ["A"] * 5
    assert calls == ["a", "a"]


def test_ids_that_come_once_are_not_kept() -> None:
    recurring = made([])
    for number in range(20_000):
        assert recurring[f"/uploads/{number}"] == f"/UPLOADS/{number}"
    assert len(recurring) == 0


@pytest.mark.slow
def test_hundreds_of_thousands_of_ids_take_no_memory() -> None:
    recurring: Recurring[str, str] = Recurring(str.upper)
    tracemalloc.start()
    try:
        for number in range(200_000):
            recurring[f"/uploads/{number}"]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 64 * 1024


def test_a_catalogue_of_thousands_is_found_beside_ids_that_come_once() -> None:
    calls: list[str] = []
    recurring = made(calls)
    catalogue = [f"/tracks/{number}" for number in range(4000)]
    for round_ in range(12):
        for number, text in enumerate(catalogue):
            recurring[text]
            recurring[text]
            if number % 4 == 0:
                recurring[f"/uploads/{round_}/{number}"]
    calls.clear()
    for text in catalogue:
        recurring[text]
    assert calls == []


def test_no_more_are_kept_than_there_is_room_for() -> None:
    recurring = made([], most=100)
    for number in range(1000):
        assert [recurring[str(number)] for _ in range(3)] == [str(number)] * 3
        assert len(recurring) <= 100


def test_what_can_not_be_made_is_told_each_time() -> None:
    recurring: Recurring[str, int] = Recurring(int)
    for _ in range(3):
        with pytest.raises(ValueError, match="invalid literal"):
            recurring["x"]
    assert len(recurring) == 0
