"""Profiles held against npm's `pprof-format`: what it decodes of ours, and what we read of its own."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pprof_format import decoded, encode

from vezaflow.profiles import FunctionShare, parse_pprof, pprof_messages, shares_of

pytestmark = pytest.mark.slow
NAMES = st.sampled_from(["main.main", "main.(*Search).run", "runtime.mallocgc", "a b", "naïve", "f[...]", "x"])
PLACES = st.lists(st.lists(NAMES, max_size=3), max_size=6)  # from the leaf on; of each the inlined functions first
STACKS = st.lists(st.tuples(PLACES, st.tuples(st.integers(0, 1000), st.integers(0, 10**12))), max_size=8)


def test_the_shares_are_those_of_pprof_format(tmp_path: Path) -> None:
    written: list[Path] = []

    @settings(max_examples=150, deadline=None, database=None)
    @given(STACKS)
    def write(stacks: list[tuple[list[list[str]], tuple[int, int]]]) -> None:
        file = tmp_path / f"{len(written)}.pb"
        file.write_bytes(profile_of(stacks))
        written.append(file)

    write()
    for file, theirs in zip(written, decoded("cpu", written), strict=True):
        assert_same(file.read_bytes(), theirs)


def test_a_profile_that_pprof_format_writes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cpu.pb.gz"
    stacks = [
        ([["inlined", "search"], ["serve"]], [3, 30]),
        ([["search"], ["serve"], ["search"]], [2, 20]),
        ([["serve"]], [5, 50]),
    ]
    encode(file, (("samples", "count"), ("cpu", "nanoseconds")), stacks)
    profile = parse_pprof(file.read_bytes())
    assert profile.seconds == 2.0
    assert sorted(shares_of(profile), key=lambda each: each.function) == [
        FunctionShare("inlined", 0.3, 0.3),
        FunctionShare("search", 0.2, 0.5),
        FunctionShare("serve", 0.5, 1.0),
    ]
    (theirs,) = decoded("cpu", [file])
    assert_same(file.read_bytes(), theirs)


def assert_same(data: bytes, theirs: dict[str, object]) -> None:
    """All functions, and with them the ten that lead, flat and cumulative."""
    profile = parse_pprof(data)
    assert [kind.kind for kind in profile.kinds] == theirs["kinds"]
    total, flat, cum = theirs["total"], theirs["flat"], theirs["cum"]
    assert isinstance(total, int)
    assert isinstance(flat, dict)
    assert isinstance(cum, dict)
    mine = {each.function: (each.flat, each.cum) for each in shares_of(profile)}
    assert mine == {name: (flat.get(name, 0) / total, amount / total) for name, amount in cum.items()}


def profile_of(stacks: list[tuple[list[list[str]], tuple[int, int]]]) -> bytes:
    """A profile with one location a place. A place without functions has an address and a file only."""
    profile = pprof_messages()["Profile"]()
    texts = ["", "samples", "count", "cpu", "nanoseconds", "/usr/lib/libc.so.6"]
    profile.sample_type.add(type=1, unit=2)
    profile.sample_type.add(type=3, unit=4)
    profile.mapping.add(id=1, filename=5)
    functions: dict[str, int] = {}
    places: dict[tuple[str, ...], int] = {}
    for stack, values in stacks:
        for place in map(tuple, stack):
            if place in places:
                continue
            for name in place:
                if name not in functions:
                    functions[name] = len(functions) + 1
                    profile.function.add(id=functions[name], name=len(texts))
                    texts.append(name)
            places[place] = len(places) + 1
            location = profile.location.add(id=places[place], mapping_id=1, address=0x1000 + len(places))
            for name in place:
                location.line.add(function_id=functions[name], line=3)
        profile.sample.add(location_id=[places[tuple(place)] for place in stack], value=values)
    profile.string_table.extend(text.encode() for text in texts)
    found: bytes = profile.SerializeToString()
    return found
