"""Messages between the coordinator and a machine, sealed: what passes through a scheduler can't be read there.

Each side makes a key for the one run (X25519), both get the same secret from them (HKDF-SHA256), and each message is
encrypted with it (ChaCha20-Poly1305, one nonce a message). This keeps secrets out of a scheduler's memory, logs and
dumps. It is no protection from who controls the scheduler: Dask runs any code of whoever reaches it.
"""

import zlib
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Message = dict[str, Any]
KEY = 32  # bytes of a side's public key
_PACKED, _PLAIN = b"z", b"p"  # the first byte of what is encrypted: how the rest is written
_WORTH = 0.6  # of the bytes: packing that leaves more is not worth the unpacking
_COORDINATOR, _MACHINE = b"\x01", b"\x02"  # the first byte of a nonce: whose message it is


class Handshake:
    """One side's key. `public`: what the other side needs of it, 32 bytes."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def with_machine(self, public: bytes, name: str) -> "Sealed":
        """The coordinator's end of the conversation `name`."""
        return Sealed(self._secret(public, name), _COORDINATOR, _MACHINE)

    def with_coordinator(self, public: bytes, name: str) -> "Sealed":
        """The machine's end of the conversation `name`."""
        return Sealed(self._secret(public, name), _MACHINE, _COORDINATOR)

    def _secret(self, public: bytes, name: str) -> bytes:
        shared = self._private.exchange(X25519PublicKey.from_public_bytes(public))
        return HKDF(SHA256(), length=32, salt=None, info=f"vezaflow {name}".encode()).derive(shared)


class Sealed:
    """One end of a conversation. Messages are JSON objects; of a conversation each end sends and opens in order."""

    def __init__(self, secret: bytes, mine: bytes, theirs: bytes) -> None:
        self._cipher = ChaCha20Poly1305(secret)
        self._mine, self._theirs = mine, theirs
        self._sent = self._opened = 0

    def seal(self, messages: list[Message]) -> bytes:
        """Bytes that only the other end can read."""
        nonce = _nonce(self._mine, self._sent)
        self._sent += 1
        body = orjson.dumps(messages)
        packed = zlib.compress(body, 1)
        # Of 200 machines' reports, whose histograms are packed already, unpacking was a sixth of a core.
        small = _PACKED + packed if len(packed) < _WORTH * len(body) else _PLAIN + body
        return self._cipher.encrypt(nonce, small, None)

    def open(self, sealed: bytes) -> list[Message]:
        """What the other end sealed. ValueError: it did not seal this, or not as its next."""
        nonce = _nonce(self._theirs, self._opened)
        try:
            small = self._cipher.decrypt(nonce, sealed, None)
            messages = orjson.loads(zlib.decompress(small[1:]) if small[:1] == _PACKED else small[1:])
        except (InvalidTag, zlib.error) as e:
            raise ValueError("not a message of this conversation") from e
        self._opened += 1
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise ValueError("a message is a list of objects")
        return messages


def _nonce(side: bytes, number: int) -> bytes:
    return side + number.to_bytes(11, "big")
