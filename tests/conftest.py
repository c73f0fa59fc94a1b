"""How many examples Hypothesis draws: a hundred, or thousands where VEZAFLOW_LONG is set."""

import os

from hypothesis import settings

settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("long", max_examples=3000, deadline=None)
settings.load_profile("long" if os.environ.get("VEZAFLOW_LONG") else "default")
