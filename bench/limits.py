"""What the bench needs of the machine before it starts anything."""

import resource


def allow_many_sockets() -> None:
    """1650 VUs are as many descriptors on either side; children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384) if hard > 0 else 16384, hard))
