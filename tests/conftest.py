"""How many examples Hypothesis draws: a hundred, or thousands where VEZAFLOW_LONG is set."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("default", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("default"), max_examples=3000)
settings.load_profile("long" if os.environ.get("VEZAFLOW_LONG") else "default")
