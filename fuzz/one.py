"""`python -m fuzz.one NAME …`: one target under atheris, which ends the process; the rest are libFuzzer's options."""

import sys

import atheris

with atheris.instrument_imports(include=["vezaflow"]):
    from fuzz.targets import TARGETS


def main() -> None:
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
