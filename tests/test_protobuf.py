"""Messages from a table: on the wire they are what the encoding's documentation says."""

import pytest

from vezaflow.protobuf import delimited, messages

TABLE = {
    "Outer": {"inner": "repeated Inner = 3", "name": "string = 2"},
    "Inner": {"a": "int32 = 1", "signed": "sint64 = 2", "packed": "repeated uint32 = 6", "real": "double = 7"},
}


def test_a_message_is_written_as_the_documentation_of_the_encoding_has_it() -> None:
    inner = messages("test", TABLE)["Inner"]
    assert inner(a=150).SerializeToString() == bytes.fromhex("089601")
    assert inner(signed=-2).SerializeToString() == bytes.fromhex("1003")
    assert inner(packed=[3, 270, 86942]).SerializeToString() == bytes.fromhex("3206038e029ea705")


def test_messages_hold_others() -> None:
    outer = messages("test", TABLE)["Outer"](name="testing")
    outer.inner.add(a=150)
    written = outer.SerializeToString()
    assert written == bytes.fromhex("120774657374696e67") + bytes.fromhex("1a03089601")
    assert messages("test", TABLE)["Outer"].FromString(written).inner[0].a == 150


def test_what_is_zero_is_not_written() -> None:
    assert messages("test", TABLE)["Inner"](a=0, real=0.0).SerializeToString() == b""


def test_tables_of_the_same_names_do_not_meet() -> None:
    other = messages("test", {"Inner": {"a": "string = 1"}})["Inner"]
    assert other(a="x").a == "x"
    assert messages("test", TABLE)["Inner"](a=1).a == 1


def test_a_field_of_an_unknown_type_is_an_error() -> None:
    with pytest.raises(ValueError, match="TYPE_INT33"):
        messages("test", {"Inner": {"a": "int33 = 1"}})


@pytest.mark.parametrize("size", [1, 127, 128, 16_383, 16_384, 3_000_000])
def test_a_field_of_bytes_is_what_a_message_has(size: int) -> None:
    assert delimited(2, b"x" * size) == messages("test", TABLE)["Outer"](name="x" * size).SerializeToString()
