"""Controls that write down what they are told."""

from typing import Any

from vezaflow.errors import VezaflowError


class Written:
    """Has the shape of control.Controls."""

    def __init__(self, suite: str = "test", pid: int = 1, flow: str = "browse") -> None:
        self.told: list[tuple[Any, ...]] = []
        self.suite = suite
        self.pid = pid
        self.flow = flow

    def status(self) -> dict[str, Any]:
        return {"suite": self.suite, "pid": self.pid, "elapsed": 75.0, "flow_names": [self.flow], "folder": "/srv/day"}

    def pause(self, flow: str | None = None) -> str:
        self.told.append(("pause", flow))
        return "paused"

    def resume(self, flow: str | None = None) -> str:
        self.told.append(("resume", flow))
        raise VezaflowError("nothing is paused", hint="pause it first")

    def scale(self, flow: str, vus: int) -> str:
        self.told.append(("scale", flow, vus))
        return "scaled"

    def mark(self, text: str) -> str:
        self.told.append(("mark", text))
        return "marked"

    def stop(self) -> str:
        self.told.append(("stop",))
        return "stopping"
