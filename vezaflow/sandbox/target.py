"""A sandbox that is up, as flows know it: where it is, and what they need to use it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A target that is up. `environment` is what the shipped flows ask for."""

    base_url: str
    token: str
    track_id: str
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        return {"BASE_URL": self.base_url, "STREAM_TRACK_ID": self.track_id, "USER_TOKEN": self.token}


UNSTARTED = Sandbox("http://sandbox.localhost", "a-token", "a-track", 0)
"""Stands for one that is not started, and so has no port yet: enough to explain what would be sent to it."""
