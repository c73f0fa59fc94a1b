"""Profiles in pprof's format: what is read of them, and what is refused."""

import gzip
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.profiles import PprofError, SampledProfile, looks_like_pprof, parse_pprof, pprof_messages, shares_of

NAMES = st.text("abcdef.()*", min_size=1, max_size=6)
STACK_LISTS = st.lists(st.tuples(st.lists(NAMES, max_size=5), st.integers(0, 10**15)), max_size=10)


def written(
    stacks: Sequence[tuple[Sequence[str], Sequence[int]]],
    kinds: Sequence[tuple[str, str]] = (("cpu", "nanoseconds"),),
    default: str = "",
) -> bytes:
    """A profile whose locations have one function each."""
    profile = pprof_messages()["Profile"]()
    texts: dict[str, int] = {"": 0}
    functions: dict[str, int] = {}
    for kind, unit in kinds:
        profile.sample_type.add(type=texts.setdefault(kind, len(texts)), unit=texts.setdefault(unit, len(texts)))
    for stack, values in stacks:
        for name in stack:
            if name not in functions:
                number = functions[name] = len(functions) + 1
                profile.function.add(id=number, name=texts.setdefault(name, len(texts)))
                profile.location.add(id=number).line.add(function_id=number)
        profile.sample.add(location_id=[functions[name] for name in stack], value=values)
    profile.default_sample_type = texts.setdefault(default, len(texts))
    profile.string_table.extend(text.encode() for text in texts)
    found: bytes = profile.SerializeToString()
    return found


def of_cpu(*stacks: tuple[Sequence[str], int]) -> SampledProfile:
    return parse_pprof(written([(stack, (value,)) for stack, value in stacks]))


@given(STACK_LISTS)
def test_stacks_are_read_as_they_were_written(stacks: list[tuple[list[str], int]]) -> None:
    plain = written([(stack, (value,)) for stack, value in stacks])
    for data in (plain, gzip.compress(plain, mtime=0)):
        assert looks_like_pprof(data)
        found = parse_pprof(data).stacks
        assert [(list(each.functions), each.values) for each in found] == [(stack, (value,)) for stack, value in stacks]


@given(STACK_LISTS)
def test_flat_shares_add_up_and_none_is_above_its_cumulative_one(stacks: list[tuple[list[str], int]]) -> None:
    rooted = [([*stack, "root"], value) for stack, value in stacks]
    shares = shares_of(of_cpu(*rooted))
    assert all(0 <= each.flat <= each.cum <= 1 for each in shares)
    if shares:
        assert sum(each.flat for each in shares) == pytest.approx(1.0)
        assert {each.function: each.cum for each in shares}["root"] == 1.0


def test_a_function_that_calls_itself_counts_once() -> None:
    (share,) = shares_of(of_cpu((["f", "f", "f"], 10)))
    assert (share.flat, share.cum) == (1.0, 1.0)


def test_what_was_inlined_is_the_leaf() -> None:
    profile = pprof_messages()["Profile"].FromString(written([(["caller"], (4,))]))
    profile.string_table.append(b"inlined")
    profile.function.add(id=2, name=len(profile.string_table) - 1)
    del profile.location[0].line[:]
    profile.location[0].line.add(function_id=2)
    profile.location[0].line.add(function_id=1)
    (stack,) = parse_pprof(profile.SerializeToString()).stacks
    assert stack.functions == ("inlined", "caller")


def test_a_place_without_a_name_is_its_address() -> None:
    profile = pprof_messages()["Profile"].FromString(written([(["f"], (4,))]))
    profile.string_table.append(b"/usr/lib/libc.so.6")
    profile.mapping.add(id=1, filename=len(profile.string_table) - 1)
    del profile.location[0].line[:]
    profile.location[0].mapping_id, profile.location[0].address = 1, 0x45F3A0
    (stack,) = parse_pprof(profile.SerializeToString()).stacks
    assert stack.functions == ("libc.so.6 0x45f3a0",)


@pytest.mark.parametrize(
    ("kinds", "default", "usual"),
    [
        (["samples", "cpu"], "", "cpu"),
        (["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"], "", "inuse_space"),
        (["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"], "alloc_space", "alloc_space"),
        (["contentions", "delay"], "", "delay"),
        (["goroutine"], "", "goroutine"),
        (["sample", "wall"], "", "wall"),
        (["sample", "wall"], "nonsense", "wall"),
    ],
)
def test_the_kind_that_counts_is_the_one_that_people_look_at(kinds: list[str], default: str, usual: str) -> None:
    data = written([(["f"], [1] * len(kinds))], [(kind, "count") for kind in kinds], default)
    profile = parse_pprof(data)
    assert profile.kinds[profile.usual].kind == usual


def test_a_name_in_another_encoding_is_no_reason_to_fail() -> None:
    profile = pprof_messages()["Profile"].FromString(written([(["f"], (4,))]))
    profile.string_table[profile.function[0].name] = b"caf\xe9"
    (stack,) = parse_pprof(profile.SerializeToString()).stacks
    assert stack.functions == ("caf�",)


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    for each in (data, gzip.compress(data, mtime=0), gzip.compress(data)[:-5], b"\x1f\x8b" + data):
        with suppress(PprofError):
            parse_pprof(each)


@given(STACK_LISTS, st.integers(0, 10_000), st.integers(1, 255))
def test_a_profile_with_a_wrong_byte_is_read_or_refused(
    stacks: list[tuple[list[str], int]], place: int, change: int
) -> None:
    data = bytearray(written([(stack, (value,)) for stack, value in stacks]))
    data[place % len(data)] ^= change
    with suppress(PprofError):
        shares_of(parse_pprof(bytes(data)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it does not say what it counts"),
        (b"<!doctype html>", "it is not in pprof's format"),
        (gzip.compress(b"x" * 999, mtime=0)[:-9], "it is truncated"),
        (b"\x1f\x8b\x08\xff" + b"\x00" * 20, "its gzip is broken"),
    ],
)
def test_why_it_is_none_is_said(data: bytes, said: str) -> None:
    with pytest.raises(PprofError, match=said):
        parse_pprof(data)


def test_a_page_of_html_does_not_look_like_one() -> None:
    assert not looks_like_pprof(b"<!doctype html>")
    assert not looks_like_pprof(b'{"error": 404}')
