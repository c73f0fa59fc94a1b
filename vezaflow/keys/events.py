"""The keys of `events`: what happens once, for the whole run, at a time of the load. Only data."""

from vezaflow.keys.fields import Field, Kind, Table

HAPROXY = Table(
    "haproxy",
    "an HAProxy action",
    "Commands of HAProxy's runtime API, which needs `stats socket … level admin`. A response with a severity of an "
    "error makes the event failed.",
    (
        Field(
            "socket",
            Kind.TEMPLATE,
            "The path of the Unix socket.",
            "${env.HAPROXY_SOCKET}",
            default="in `finally` that of the event",
        ),
        Field(
            "tcp",
            Kind.TEMPLATE,
            "The address of the socket, if it listens on TCP; loopback, or listed in `guard: allow`.",
            "127.0.0.1:9999",
            default="in `finally` that of the event",
        ),
        Field(
            "command",
            Kind.COMMANDS,
            "What is sent, one command after another; the first that fails is the last.",
            "set server be/s1 state maint",
            required=True,
        ),
    ),
    exclusive=(("socket", "tcp"),),
)

UNDO = Table(
    "undo",
    "an undo",
    "What undoes an event. If it is requests, write the list of steps under `finally` directly.",
    (
        Field(
            "haproxy",
            Kind.MAPPING,
            "Commands for HAProxy.",
            "{command: set server be/s1 state ready}",
            required=True,
            tables=("haproxy",),
        ),
    ),
)

EVENT = Table(
    "event",
    "an event",
    "Something that happens during the load, once for the whole run. Without `do`, `haproxy` and `profile` it is a "
    "mark. Without `at` and `every` it happens only when `vezaflow mark RUN NAME` says so. A failed event never ends "
    "the run.",
    (
        Field(
            "name",
            Kind.TEXT,
            "The event's name, in reports and in the labels `during` and `event` of gates.",
            "rolling restart",
            required=True,
        ),
        Field("at", Kind.DURATION, "The time of the load at which it happens.", "60s"),
        Field("every", Kind.DURATION, "The time between two starts; the first is one such time into the load.", "5m"),
        Field(
            "for",
            Kind.DURATION,
            "How long it lasts from its start; then `finally` undoes it.",
            "20s",
            default="until its action is done; `finally` runs at the end of the load",
        ),
        Field(
            "window",
            Kind.DURATION,
            "The time after the end of the event that gates with `during` still evaluate.",
            "10s",
            default="0 s",
        ),
        Field(
            "do",
            Kind.STEPS,
            "Steps that run once, with the values of `setup`.",
            "[{post: /admin/cache/flush}]",
        ),
        Field(
            "haproxy",
            Kind.MAPPING,
            "Commands for HAProxy.",
            '{socket: "${env.HAPROXY_SOCKET}", command: set server be/s1 state maint}',
            tables=("haproxy",),
        ),
        Field(
            "profile",
            Kind.MAPPING,
            "A profile of the server.",
            "{url: /debug/pprof/profile, seconds: 30}",
            tables=("profile of an event",),
        ),
        Field(
            "finally",
            Kind.UNDO,
            "What undoes it. It runs whatever happens: at the end of the load, on Ctrl-C, after a lost worker.",
            "{haproxy: {command: set server be/s1 state ready}}",
            tables=("undo",),
        ),
    ),
    exclusive=(("at", "every"), ("do", "haproxy", "profile")),
)
