"""The keys of a suite and of a flow: what each is, in the order in which the reference shows them.

Only data. The reader follows these rows; a key that is not here does not exist. `TABLES` in the package's
door joins them with the steps' tables.
"""

from dataclasses import replace

from vezaflow.keys.connections import CONNECTING
from vezaflow.keys.data import DATA, SHARED_DATA
from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.keys.load import LOADS
from vezaflow.keys.traces import TRACING

ON_FAILURE = ("end_iteration", "continue", "stop_vu")

DEFAULTS: tuple[Field, ...] = (
    Field(
        "headers",
        Kind.PAIRS,
        "Headers of every request; for the same name the most specific setting wins.",
        "{accept: application/json}",
    ),
    Field(
        "auth",
        Kind.AUTH,
        "How requests are authenticated; `none` turns an inherited setting off.",
        '{bearer: "${env.USER_TOKEN}"}',
        tables=("auth",),
    ),
    Field(
        "timeout",
        Kind.DURATION,
        "The maximum time of a request, from connecting to the last byte of the response.",
        "10s",
        default="60 s, as in k6",
    ),
    Field(
        "follow",
        Kind.FOLLOW,
        "Whether redirects are followed, or the maximum number of them.",
        "false",
        default="10, as in k6",
    ),
    Field(
        "on_failure",
        Kind.CHOICE,
        "What happens to the iteration when a request fails.",
        "continue",
        choices=ON_FAILURE,
        default="end_iteration",
    ),
    Field("tags", Kind.TAGS, "Labels of the request's samples.", "{team: media}"),
)

SUITE = Table(
    "suite",
    "a suite",
    "`suite.yml` in the folder of the flows: the settings that they share.",
    (
        Field(
            "suite",
            Kind.TEXT,
            "The suite's name, in every report.",
            "veza-capacity",
            default="the folder's name",
        ),
        Field("description", Kind.TEXT, "What the suite is for.", "The launch gate."),
        Field(
            "base_url",
            Kind.URL,
            "The base of URLs that start with `/`.",
            "${env.BASE_URL}",
            default="none: URLs must be absolute",
        ),
        Field(
            "vars",
            Kind.VARIABLES,
            "Variables for all flows.",
            "{limit: 20}",
            tables=("computed value",),
        ),
        SHARED_DATA,
        *DEFAULTS,
        *CONNECTING,
        TRACING,
        Field(
            "secrets",
            Kind.TEXTS,
            "Names of environment variables whose values are masked in all output.",
            "[USER_TOKEN]",
        ),
        Field(
            "guard",
            Kind.MAPPING,
            "Which hosts may be load tested, and with how many VUs.",
            "{allow: [staging.veza.fr]}",
            default="loopback only",
            tables=("guard",),
        ),
        Field(
            "preflight",
            Kind.PREFLIGHT,
            "Requests that run once before any load; the run stops if one fails.",
            "[{get: /api/v1/health, expect: 200}]",
            tables=("preflight", "request"),
        ),
        Field(
            "setup",
            Kind.STEPS,
            "Steps that run once before the load; all VUs can use the values that they `set` and `extract`.",
            "[{post: /api/v1/seed, extract: {track: $.id}}]",
        ),
        Field(
            "teardown",
            Kind.STEPS,
            "Steps that run once after the load.",
            '[{delete: "/api/v1/seed/${track}"}]',
        ),
        Field(
            "gates",
            Kind.GATES,
            "Conditions on the samples of all flows together (k6: thresholds).",
            "{http_req_failed: rate < 0.5 %}",
            tables=("gate",),
        ),
        Field(
            "each_flow",
            Kind.GATES,
            "Gates that every flow inherits, each on its own samples.",
            "{iterations: count >= 100}",
            tables=("gate",),
        ),
        Field(
            "measure",
            Kind.MAPPING,
            "The part of the load that gates evaluate.",
            "{skip: 10s}",
            default="all of it",
            tables=("measure",),
        ),
        Field(
            "events",
            Kind.SCHEDULE,
            "What happens at a time of the load, once for the whole run: a failover, a cache that is flushed, a mark.",
            "[{name: flush, at: 60s, do: [{post: /admin/cache/flush}]}]",
            default="none",
            tables=("event",),
        ),
        Field(
            "profile",
            Kind.PROFILES,
            "Profiles of the server, in pprof's format, that are taken during the load.",
            "{url: /debug/pprof/profile, seconds: 30, at: 2m, name: cpu}",
            default="none",
            tables=("profile",),
        ),
        Field(
            "audit",
            Kind.MAPPING,
            "The pages that a run audits with Lighthouse, before, during or after the load.",
            "{after: audit/pages.yml}",
            default="none",
            tables=("audits of a run",),
        ),
        Field(
            "grafana",
            Kind.MAPPING,
            "The Grafana dashboard that reports link to, and on which runs are annotated.",
            "{url: http://127.0.0.1:3000, dashboard: load}",
            default="none",
            tables=("grafana",),
        ),
        Field(
            "notify",
            Kind.NOTIFICATIONS,
            "Webhooks that get a message after the verdict.",
            '[{webhook: "${env.CHAT_WEBHOOK}", template: slack}]',
            default="none",
            tables=("notification",),
        ),
        Field(
            "observe",
            Kind.MAPPING,
            "Figures of the server that are read from its Prometheus, for gates and reports.",
            "{prometheus: {url: http://127.0.0.1:9090, metrics: {cpu: {gauge: process_cpu_ratio}}}}",
            default="none",
            tables=("observe",),
        ),
        Field(
            "outputs",
            Kind.MAPPING,
            "Where the figures of a run are sent while it is in progress.",
            '{prometheus: {url: "${env.PROMETHEUS_URL}"}}',
            default="none",
            tables=("outputs",),
        ),
        Field(
            "accept",
            Kind.MAPPING,
            "When the suite counts as accepted: how many nights in a row must be green (`vezaflow accept`).",
            "{nights: 3, target: staging.veza.fr}",
            default="3 nights in UTC, from noon to noon, on any target",
            tables=("accept",),
        ),
        Field(
            "lint",
            Kind.MAPPING,
            "Settings of lint, such as ignored warnings.",
            "{ignore: {VF404: a second branch comes}}",
            tables=("lint",),
        ),
    ),
)

FLOW = Table(
    "flow",
    "a flow",
    "One file: the load profile (`load`), the steps of an iteration (`steps`), the conditions to meet (`gates`).",
    (
        Field(
            "flow",
            Kind.TEXT,
            "The flow's name: its identity in metrics and reports.",
            "streaming",
            default="the file's name without its ending",
        ),
        Field("description", Kind.TEXT, "What the flow simulates.", "A listener plays a track at 256 kbit/s."),
        Field(
            "base_url",
            Kind.URL,
            "The base of this flow's URLs that start with `/`.",
            "http://127.0.0.1:8080",
            default="the suite's",
        ),
        Field(
            "load",
            Kind.MAPPING,
            "The load profile: VUs or arrival rate, over time.",
            "{vus: 500, duration: 5m}",
            default="one VU that runs the steps once, as in k6",
            tables=tuple(LOADS),
        ),
        Field(
            "vars",
            Kind.VARIABLES,
            "Variables for the steps of the flow.",
            '{track: "${env.STREAM_TRACK_ID}"}',
            tables=("computed value",),
        ),
        DATA,
        *DEFAULTS,
        *CONNECTING,
        replace(TRACING, default="the suite's"),
        Field(
            "login",
            Kind.STEPS,
            "Steps that each VU runs once, before its first iteration; gates do not evaluate them.",
            "[{post: /api/v1/auth/login, extract: {token: $.token}}]",
        ),
        Field("steps", Kind.STEPS, "One iteration of a VU.", "[{get: /api/v1/tracks}]", required=True),
        Field(
            "finally",
            Kind.STEPS,
            "Steps that each VU runs once at its end.",
            "[{post: /api/v1/auth/logout}]",
        ),
        Field("think", Kind.PAUSE, "A pause between two iterations.", "1s..3s", default="none"),
        Field(
            "pace",
            Kind.PAUSE,
            "The time from the start of one iteration to the start of the next.",
            "10s",
            default="none",
        ),
        Field(
            "failure_backoff",
            Kind.DURATION,
            "The maximum time from the start of a failed iteration to the start of the next, while the iterations of "
            "a VU fail one after another: 100 ms after the second failure, then doubled each time. `0s` turns the "
            "backoff off.",
            "0s",
            default="5 s",
        ),
        Field(
            "gates",
            Kind.GATES,
            "Conditions on this flow's samples.",
            "{http_req_duration: p(95) < 300 ms}",
            tables=("gate",),
        ),
        Field(
            "measure",
            Kind.MAPPING,
            "The part of this flow's load that its gates evaluate.",
            "{skip: 10s}",
            default="the suite's",
            tables=("measure",),
        ),
    ),
    exclusive=(("think", "pace"),),
)

LINT = Table(
    "lint",
    "lint's settings",
    "Settings of lint for all files of the suite. To ignore a warning on one line use a comment: `# vezaflow: "
    "ignore[VF404] the reason`.",
    (
        Field(
            "ignore",
            Kind.IGNORES,
            "Warnings that are not shown, each with the reason. Errors can't be ignored.",
            "{VF404: a second branch comes}",
        ),
    ),
)

GUARD = Table(
    "guard",
    "a guard",
    "Protects hosts from accidental load. Loopback is always allowed.",
    (
        Field(
            "allow",
            Kind.TEXTS,
            "Hosts that may be load tested; `*` matches any characters, `10.*` only IP addresses.",
            '[staging.veza.fr, "*.lxd"]',
        ),
        Field("max_vus", Kind.COUNT, "The maximum number of VUs of all flows together, including overrides.", "2000"),
    ),
)

PREFLIGHT = Table(
    "preflight",
    "a preflight",
    "Requests before the load, retried until they succeed or the time is up.",
    (
        Field(
            "steps",
            Kind.STEPS,
            "The requests.",
            "[{get: /api/v1/health}]",
            required=True,
            tables=("request",),
        ),
        Field(
            "retry",
            Kind.MAPPING,
            "How long a failing preflight is retried.",
            "{for: 1m, every: 5s}",
            default="no retry",
            tables=("retry",),
        ),
    ),
)

RETRY = Table(
    "retry",
    "a preflight's retry",
    "How long a failing preflight is retried.",
    (
        Field("for", Kind.DURATION, "The total time.", "1m", required=True),
        Field("every", Kind.DURATION, "The pause between two attempts.", "5s", default="1 s"),
    ),
)

MEASURE = Table(
    "measure",
    "a measure",
    "The part of the load that gates evaluate; the rest is recorded and shown.",
    (
        Field(
            "skip",
            Kind.DURATION,
            ("The time at the start of each flow that is not evaluated (warm-up)."),
            "10s",
            default="0 s",
        ),
        Field("drain", Kind.SWITCH, "Whether samples from the graceful stop are evaluated.", "false", default="true"),
    ),
)

ACCEPT = Table(
    "accept",
    "an acceptance",
    "The rule of `vezaflow accept`. It is not a part of the plan: a change here does not restart the count.",
    (
        Field("nights", Kind.COUNT, "How many nights in a row must be green.", "3", default="3"),
        Field(
            "timezone",
            Kind.TEXT,
            "The IANA time zone of `night`.",
            "Europe/Paris",
            default="UTC",
        ),
        Field(
            "night",
            Kind.CLOCK,
            "The clock times that belong to a night. A run belongs to the night in which it starts; a night has the "
            "date on which it starts.",
            "18:00..12:00",
            default="12:00..12:00, from noon to noon",
        ),
        Field(
            "target",
            Kind.TEXTS,
            "The hosts whose runs count, as in `guard: allow`.",
            "staging.veza.fr",
            default="any target",
        ),
        Field(
            "gaps",
            Kind.NUMBER,
            "How many missing or inconclusive nights do not end the streak.",
            "1",
            default="0",
        ),
    ),
)

GATE = Table(
    "gate",
    "a gate",
    "A condition with options. Short form: the condition alone, or a list.",
    (
        Field("condition", Kind.CONDITION, "The condition.", "p(95) < 500 ms", required=True),
        Field(
            "abort",
            Kind.SWITCH,
            "Whether the run is aborted as soon as the condition breaks.",
            "true",
            default="false",
        ),
        Field("delay", Kind.DURATION, "The time before the run can be aborted.", "30s", default="0 s"),
        Field(
            "window",
            Kind.DURATION,
            "The time window, up to now, that is evaluated for the abort.",
            "1m",
            default="the whole run",
        ),
        Field(
            "samples",
            Kind.NUMBER,
            "The minimum number of samples; with fewer, the gate is inconclusive.",
            "100",
            default="1",
        ),
    ),
)
