"""The child's side of `start`: settings come as one line of JSON, the reply is one line, then it serves."""

import json
import sys

from vezaflow.errors import VezaflowError
from vezaflow.sandbox.server import Server
from vezaflow.sandbox.settings import SandboxSettings


def say(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    line = sys.stdin.readline()
    if not line:
        return  # whoever wanted a sandbox is gone
    try:
        server = Server(SandboxSettings.from_json(line))
    except VezaflowError as error:
        say({"error": error.message, "hint": error.hint})
        return
    say({"port": server.port, "token": server.sandbox.token, "track": server.sandbox.track_id})
    server.run(until_closed=sys.stdin.fileno())


if __name__ == "__main__":
    main()
