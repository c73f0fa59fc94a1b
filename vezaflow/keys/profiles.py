"""The keys of `profile`: profiles of the server that are taken during the load. Only data."""

from vezaflow.keys.fields import Field, Kind, Table

_TAKEN: tuple[Field, ...] = (
    Field(
        "url",
        Kind.URL,
        "The URL of the profile; the host must be the target, loopback, or listed in `guard: allow`.",
        "/debug/pprof/profile",
        required=True,
    ),
    Field(
        "seconds",
        Kind.COUNT,
        "Over how many seconds it is taken: the URL gets it as the parameter `seconds`.",
        "30",
        default="30 if the path ends with `/profile`, else none: a snapshot",
    ),
    Field("headers", Kind.PAIRS, "Headers of its request, in addition to those of the suite.", "{x-admin: load}"),
    Field(
        "auth",
        Kind.AUTH,
        "How its request is authenticated. It is a secret.",
        '{bearer: "${env.PROFILE_TOKEN}"}',
        default="the suite's",
        tables=("auth",),
    ),
)

EVENT_PROFILE = Table(
    "profile of an event",
    "a profile",
    "A profile in pprof's format that is taken when the event happens. If it can't be taken, the event has failed.",
    _TAKEN,
)

PROFILE = Table(
    "profile",
    "a profile",
    "A profile in pprof's format that is taken during the load. It is an event with this name; without `at`, `every` "
    "and `on` it is taken when `vezaflow mark RUN NAME` says so. If it can't be taken, that changes no verdict but "
    "those of gates on it.",
    (
        *_TAKEN,
        Field(
            "name",
            Kind.TEXT,
            "Its name, in reports and in gates: `cpu` is `profile.cpu` there.",
            "cpu",
            default="`cpu` if the path ends with `/profile`, else the last segment of the path",
        ),
        Field("at", Kind.DURATION, "The time of the load at which it starts.", "2m"),
        Field("every", Kind.DURATION, "The time between two starts; the first is one such time into the load.", "5m"),
        Field(
            "on",
            Kind.CHOICE,
            "Take it at the end of the load, if a gate is broken by then.",
            "red",
            choices=("red",),
        ),
        Field(
            "window",
            Kind.DURATION,
            "The time after its end that gates with `during` still evaluate.",
            "5s",
            default="0 s",
        ),
    ),
    exclusive=(("at", "every", "on"),),
)
