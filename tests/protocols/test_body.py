"""Decoding gives the author's bytes, says why it can't, and never makes more than its limit."""

import gzip
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.protocols.body import TooLarge, Undecodable, decode


def raw(body: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(body) + encoder.flush()


ENCODERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}


@pytest.mark.parametrize("name", ENCODERS)
@given(body=st.binary(max_size=2000))
def test_what_was_encoded_comes_back(name: str, body: bytes) -> None:
    assert decode(ENCODERS[name](body), name, 2000) == body


@given(st.binary(max_size=2000))
def test_deflate_without_its_frame_is_understood(body: bytes) -> None:
    assert decode(raw(body), "deflate", 2000) == body


def test_encodings_come_off_in_reverse() -> None:
    assert decode(brotli.compress(gzip.compress(b"x")), "gzip, BR", 100) == b"x"


def test_identity_and_nothing_are_left_alone() -> None:
    assert decode(b"x", "identity", 100) == b"x"
    assert decode(b"", "gzip", 100) == b""


def test_gzip_may_have_several_members() -> None:
    assert decode(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", 100) == b"ab"


@pytest.mark.parametrize("name", ENCODERS)
def test_the_limit_is_exact(name: str) -> None:
    encoded = ENCODERS[name](bytes(1_000_000))
    assert decode(encoded, name, 1_000_000) == bytes(1_000_000)
    with pytest.raises(TooLarge):
        decode(encoded, name, 999_999)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_bomb_stops_at_the_limit(name: str) -> None:
    with pytest.raises(TooLarge):
        decode(ENCODERS[name](bytes(20_000_000)), name, 1000)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_cut_short_is_refused(name: str) -> None:
    encoded = ENCODERS[name](bytes(range(256)) * 40)
    with pytest.raises(Undecodable, match="bad"):
        decode(encoded[:-3], name, 100_000)


@pytest.mark.parametrize("name", ENCODERS)
@given(st.binary(min_size=1, max_size=200))
def test_garbage_ends_well(name: str, body: bytes) -> None:
    try:
        decode(body, name, 1000)
    except (Undecodable, TooLarge):
        pass


def test_unknown_encodings_are_named() -> None:
    with pytest.raises(Undecodable, match="'zstd'"):
        decode(b"x", "zstd", 100)
