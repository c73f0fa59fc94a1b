"""`python -m vezaflow.scale`: a worker process. The coordinator starts it; it is no command for people."""

from vezaflow.scale.worker import main

main()
