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
