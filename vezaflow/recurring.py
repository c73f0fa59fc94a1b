"""What is made of a text, kept for the texts that come again.

Laws: a text is kept with its second coming, so that ids which an upload or an order makes up fill nothing, however many
there are, while a catalogue of thousands is found. To remember who came once takes 8 KB, from the beginning: a text's
place there is another's when that comes to it. At most `most` are kept; with one more it begins anew.
"""

from array import array
from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K", bound=str | bytes)
T = TypeVar("T")
_PLACES = 1024  # of texts that came once; a power of two


class Recurring(dict[K, T]):
    """`recurring[text]` is what `make` makes of it; what `make` raises goes through. A dict, for a hit then is no call
    of Python's."""

    __slots__ = ("_make", "_most", "_once")

    def __init__(self, make: Callable[[K], T], most: int = 8192) -> None:
        self._make: Callable[[K], T] = make
        self._most = most
        self._once = array("q", bytes(8 * _PLACES))  # hashes

    def __missing__(self, text: K) -> T:
        made = self._make(text)
        sign = hash(text)
        place = sign & (_PLACES - 1)
        if self._once[place] != sign:
            self._once[place] = sign
            return made
        if len(self) >= self._most:
            self.clear()
        self[text] = made
        return made
