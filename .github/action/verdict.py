"""A step of the action (action.yml): what a summary.json says, as `name=value` lines for $GITHUB_OUTPUT."""

import json
import sys
from pathlib import Path


def main() -> None:
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for output, key in (("verdict", "outcome"), ("run-id", "run_id"), ("suite", "suite")):
        sys.stdout.write(f"{output}={' '.join(str(document[key]).split())}\n")


if __name__ == "__main__":
    main()
