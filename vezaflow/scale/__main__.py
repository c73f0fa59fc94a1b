"""`python -m vezaflow.scale`: a worker process. The coordinator starts it; it is no command for people."""

import gc

gc.disable()  # what is imported stays, and is not walked: as vezaflow/cli/entry.py has it
try:
    from vezaflow.scale.worker import main

    gc.freeze()
    gc.enable()
    main()
finally:
    gc.freeze()
