"""What names mean in one flow, or in a fragment that it includes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vezaflow.plan.data_sources import PlannedDataSource


@dataclass(slots=True)
class Names:
    """What names mean in one flow: constants known now, and slots filled at run time."""

    environment: Mapping[str, str]
    constants: dict[str, Any] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    place: str = ""  # of a fragment: what its names begin with here, so that they are its own
    data_sources: Mapping[str, PlannedDataSource] = field(default_factory=dict)  # those that are used have a slot
    written: dict[str, str] = field(default_factory=dict)  # how constants that are booleans were written

    def slot(self, name: str) -> int:
        """The slot of a variable, made on first use. From then on the name is no constant."""
        self.constants.pop(self.place + name, None)
        return self.slots.setdefault(self.place + name, len(self.slots))

    def set_constant(self, name: str, value: Any, written: str | None = None) -> None:
        """Give a name a value that stays."""
        self.constants[self.place + name] = value
        if written is not None:
            self.written[self.place + name] = written

    def within(self, place: str) -> "Names":
        """The names of a fragment that is included here, in the same slots."""
        return Names(self.environment, self.constants, self.slots, f"{self.place}{place}:", written=self.written)

    def known(self) -> list[str]:
        """All of them, for suggestions."""
        whole = (*self.constants, *self.slots, *self.data_sources)
        mine = (name.removeprefix(self.place) for name in whole if name.startswith(self.place))
        return [name for name in mine if ":" not in name]
