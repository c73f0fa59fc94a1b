"""A step of the action (action.yml): of the runs that `vezaflow history --json` lists on standard input, the id of the
latest whole one that is not the run whose id is given; or nothing.
"""

import json
import sys


def main() -> None:
    rows = json.load(sys.stdin)
    sys.stdout.write(next((row["id"] for row in rows if row["id"] != sys.argv[1] and not row["segment"]), ""))


if __name__ == "__main__":
    main()
