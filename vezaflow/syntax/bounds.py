"""How large a value may become: numbers, texts, lists, and what is in them.

Laws: whatever makes a value asks here, so that no expression, however it repeats itself, takes time or memory without
end. What is too large is a ValueError with one line for the author. How much of a response is read: `readings.py`.
"""

from typing import Any

MOST_BITS = 4_096  # of a whole number: 1,233 digits, more than YAML reads, and less than Python refuses to write
LONGEST = 4 << 20  # characters of a text that is put together
MOST_ITEMS = 100_000  # of a list, those within its items counted, each as often as it stands there
MOST_CHARACTERS = 16 << 20  # of all texts in one value
DEEPEST = 200  # lists in lists: JSON's writers end at 254


def bounded_number(value: Any) -> Any:
    """The number, where it is none that grows without end."""
    if type(value) is int and value.bit_length() > MOST_BITS:
        raise ValueError(f"a number of more than {MOST_BITS:,} bits")
    return value


def bounded_text(text: str) -> str:
    """The text, where it is not too long."""
    if len(text) > LONGEST:
        raise ValueError(f"a text of more than {LONGEST:,} characters")
    return text


def joined(parts: list[str], between: str = "") -> str:
    """The parts as one text, counted before it is made."""
    if sum(map(len, parts)) + len(parts) * len(between) > LONGEST:
        raise ValueError(f"a text of more than {LONGEST:,} characters")
    return between.join(parts)


def bounded_value(value: Any) -> Any:
    """The value, where all that is in it is not too much: what stands in it twice counts twice, as in JSON."""
    level: list[Any] = [value]
    items = characters = depth = 0
    while level:
        inner: list[Any] = []
        for each in level:
            if isinstance(each, str):
                characters += len(each)
            elif isinstance(each, dict):
                items += len(each)
                if items <= MOST_ITEMS:
                    inner += each.values()
                    characters += sum(len(key) for key in each if isinstance(key, str))
            elif isinstance(each, list | tuple):
                items += len(each)
                if items <= MOST_ITEMS:
                    inner += each
            if items > MOST_ITEMS:
                raise ValueError(f"a value with more than {MOST_ITEMS:,} items")
        if characters > MOST_CHARACTERS:
            raise ValueError(f"a value with more than {MOST_CHARACTERS:,} characters in it")
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"lists and mappings more than {DEEPEST} deep")
        level = inner
    return value
