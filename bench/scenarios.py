"""What each contender is asked to do: the same work for all, written once in each one's own language.

`script` names the file of it in bench/flows and in bench/rivals/<name>. No scenario thinks but `idle`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    script: str
    vus: int
    work: str  # of one iteration


SCENARIOS = (
    Scenario("get-64", "get", 64, "GET of 3 bytes"),
    Scenario("get-1650", "get", 1650, "GET of 3 bytes"),
    Scenario("browse", "browse", 100, "60/30/10: search (JSON looked into), list, detail"),
    Scenario("streaming", "streaming", 64, "master playlist, media playlist, 4 segments of 192 KB"),
    Scenario("upload", "upload", 64, "initiate, then 10 raw bodies of 1 MiB"),
    Scenario("upload-form", "upload-form", 64, "initiate, then 10 multipart bodies with a file of 1 MiB"),
    Scenario("checkout", "checkout", 64, "list products, POST an order that is refused with 422"),
    Scenario("idle", "idle", 1650, "GET, then think 1 s"),
)
