"""What a response may cost at most, beside the body's own limit: one place for all such bounds.

Law: whatever a server sends, what is held for it and the work for it stay within these. Each is far above what
browsers and servers let pass, so that no honest response meets one.
"""

MOST_HEAD = 256 * 1024
"""Bytes of a response's heads (interim ones too) or its trailers, as in Chrome. Each field counts FIELD_COST more."""

FIELD_COST = 24
"""Bytes that a field counts beside its own: it bounds how many there are. So few that no head which comes in one read
(32 KiB) is over MOST_HEAD: the fast reader can't meet it."""

MOST_LINE = 64 * 1024
"""Bytes of a chunk's size with its extensions. Above one read, so that the fast reader can't meet it."""

MOST_CODINGS = 5
"""Codings around one body, as in curl."""

MOST_MEMBERS = 10_000
"""Members of a gzip body: one made of 64 KiB blocks has a thousand in 64 MiB."""

MOST_UNREAD = 1024
"""Messages of a channel that nobody has read. The oldest ones beyond are dropped, and counted."""

MOST_UNREAD_BYTES = 1 << 20
"""Bytes of them. The newest one is kept, however long it is: `max_message` bounds it."""

MOST_MESSAGE = 16 << 20
"""Bytes of a message, unless its options say otherwise."""

MOST_FRAGMENTS = 1 << 18
"""Frames of one message: empty ones would never end. Four times as many as the 64-byte ones of 4 MiB."""

MOST_UNSENT = 1 << 20
"""Bytes that the kernel has not taken yet, from which on nothing more is sent. (One message goes beyond.)"""

MOST_PONGS = 64 * 1024
"""Bytes of pongs among them: a server that sends pings and reads nothing gets no more of them (RFC 6455, 5.5.3)."""

MOST_REFUSAL = 64 * 1024
"""Bytes that are kept of a response that opens no channel."""
