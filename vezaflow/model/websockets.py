"""What WebSocket steps are made of, as written: messages, what acknowledges them, and what goes on by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.model.requests import Place, Tree, Use, in_trees, plain
from vezaflow.syntax import Expression


class MessageForm(Enum):
    """How a message is written, by its key."""

    JSON = "json"
    TEXT = "text"
    BYTES = "bytes"  # in Base64


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    form: MessageForm
    value: Tree
    span: Span

    def uses(self) -> Iterator[Use]:
        return in_trees((self.value,))


@dataclass(frozen=True, slots=True)
class Ack:
    """Which message acknowledges one that was sent, and how long that may take."""

    where: Expression
    within: Expression | None
    span: Span

    def uses(self) -> Iterator[Use]:
        yield Use(self.where, Place.ACK)
        yield from plain(self.within)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A message that is sent again and again."""

    each: Expression  # TIME or Range of TIME
    message: Message
    span: Span

    def uses(self) -> Iterator[Use]:
        yield from plain(self.each)
        yield from self.message.uses()


@dataclass(frozen=True, slots=True)
class SocketReply:
    """What is sent for a message that comes; it may hold values of that message."""

    where: Expression
    message: Message
    span: Span

    def uses(self) -> Iterator[Use]:
        yield Use(self.where, Place.MESSAGE)
        yield from (Use(use.expression, Place.MESSAGE) for use in self.message.uses())


@dataclass(frozen=True, slots=True)
class Close:
    code: int
    reason: Expression | None
    span: Span

    def uses(self) -> Iterator[Use]:
        return plain(self.reason)


@dataclass(frozen=True, slots=True)
class Reconnect:
    """None: as many, and as long, as usual."""

    max: Expression | None
    wait: Expression | None
    span: Span

    def uses(self) -> Iterator[Use]:
        return plain(self.max, self.wait)
