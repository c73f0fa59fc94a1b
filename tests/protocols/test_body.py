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


@pytest.mark.parametrize("name", ["zstd", "compress", "snappy", "dcb"])
def test_codings_that_can_not_be_decoded_are_named(name: str) -> None:
    with pytest.raises(Undecodable, match=f"'{name}'"):
        decode(b"x", name, 100)


@pytest.mark.parametrize("name", ["UTF-8", "none", "binary", "8bit", "gzip-not", ",", "text/html"])
def test_what_is_no_coding_is_passed_over(name: str) -> None:
    assert decode(b"x", name, 100) == b"x"
    assert decode(gzip.compress(b"x"), f"{name}, gzip", 100) == b"x"


def test_transfer_codings_come_off_first_and_are_never_passed_over() -> None:
    assert decode(gzip.compress(brotli.compress(b"x")), "br", 100, ["gzip"]) == b"x"
    with pytest.raises(Undecodable, match="'none'"):
        decode(b"x", "", 100, ["none"])


@pytest.mark.parametrize("behind", [b"x", b"\0\0\0", b"\0\0x", b"\x1f", b"<!-- served in 3 ms -->" * 10_000])
def test_bytes_behind_the_end_of_gzip_are_let_pass(behind: bytes) -> None:
    assert decode(gzip.compress(b"ab") + behind, "gzip", 100) == b"ab"
    assert decode(zlib.compress(b"ab") + behind, "deflate", 100) == b"ab"


def test_members_and_codings_are_bounded() -> None:
    assert decode(gzip.compress(b"") * 1000 + gzip.compress(b"a"), "gzip", 100) == b"a"
    with pytest.raises(Undecodable, match="10,000 members"):
        decode(gzip.compress(b"") * 200_000, "gzip", 100)
    body = b"x"
    for _ in range(6):
        body = gzip.compress(body)
    assert gzip.decompress(decode(body, ", ".join(["gzip"] * 5), 1000)) == b"x"
    with pytest.raises(Undecodable, match="6 content codings"):
        decode(body, ", ".join(["gzip"] * 6), 1000)
