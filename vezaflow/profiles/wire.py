"""The messages of pprof's format, as google/pprof's profile.proto numbers their fields (perftools.profiles)."""

from functools import cache

from vezaflow.protobuf import Message, MessageTable, messages

# Texts are bytes here: a symbol's name may be in any encoding, and proto3 refuses a text that is not UTF-8.
_TABLE: MessageTable = {
    "Profile": {
        "sample_type": "repeated ValueType = 1",
        "sample": "repeated Sample = 2",
        "mapping": "repeated Mapping = 3",
        "location": "repeated Location = 4",
        "function": "repeated Function = 5",
        "string_table": "repeated bytes = 6",
        "time_nanos": "int64 = 9",
        "duration_nanos": "int64 = 10",
        "period_type": "ValueType = 11",
        "period": "int64 = 12",
        "default_sample_type": "int64 = 14",
    },
    "ValueType": {"type": "int64 = 1", "unit": "int64 = 2"},
    "Sample": {"location_id": "repeated uint64 = 1", "value": "repeated int64 = 2"},
    "Mapping": {"id": "uint64 = 1", "filename": "int64 = 5"},
    "Location": {"id": "uint64 = 1", "mapping_id": "uint64 = 2", "address": "uint64 = 3", "line": "repeated Line = 4"},
    "Line": {"function_id": "uint64 = 1", "line": "int64 = 2"},
    "Function": {"id": "uint64 = 1", "name": "int64 = 2", "system_name": "int64 = 3", "filename": "int64 = 4"},
}


@cache
def pprof_messages() -> dict[str, Message]:
    """The classes of the messages, by name."""
    return messages("perftools.profiles", _TABLE)
