"""Classes of protobuf messages from a table of their fields: what a wire format needs, without generated code.

A table has messages by name, and fields by name as a .proto file writes them: `repeated Label = 1`, `sint64 = 12`.
Its messages are of proto3 and of a pool of their own, so they meet no other's. Generated code refuses a runtime that is
older than its generator, or of another major version; this asks no more of it than the descriptors that all have.
"""

from collections.abc import Mapping
from typing import Any

MessageTable = Mapping[str, Mapping[str, str]]
Message = Any  # made while the program runs: no checker knows its fields


def messages(package: str, table: MessageTable) -> dict[str, Message]:
    """The classes of a table's messages by name. Loads `protobuf`, which takes some 20 ms the first time."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in table.items():
        message = file.message_type.add(name=name)
        for field, written in fields.items():
            _add(message, field, written, package)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = {name: pool.FindMessageTypeByName(f"{package}.{name}") for name in table}
    return {name: message_factory.GetMessageClass(each) for name, each in found.items()}


def delimited(number: int, content: bytes) -> bytes:
    """The bytes of a field, below 16, that holds a message or a text: who sends the same often makes its bytes once."""
    size = len(content)
    if size < 128:
        return bytes((number << 3 | 2, size)) + content
    head = bytearray((number << 3 | 2,))
    while size >= 128:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + content


def _add(message: Any, field: str, written: str, package: str) -> None:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto

    words, _, number = written.partition("=")
    *repeated, kind = words.split()
    label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    added = message.field.add(name=field, number=int(number), label=label)
    if kind[0].isupper():
        added.type, added.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{package}.{kind}"
    else:
        added.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
