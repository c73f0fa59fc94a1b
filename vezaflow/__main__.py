"""`python -m vezaflow` is `vezaflow`."""

from vezaflow.cli import main

main()
