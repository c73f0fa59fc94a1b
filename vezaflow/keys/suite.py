"""The keys of a suite and of a flow: what each is, in the order in which the reference shows them.

Only data. The reader follows these rows; a key that is not here does not exist. `TABLES` in the package's
door joins them with the steps' tables.
"""

from vezaflow.keys.connections import CONNECTING
from vezaflow.keys.data import DATA, SHARED_DATA
from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.keys.load import LOADS

ON_FAILURE = ("end_iteration", "continue", "stop_vu")

DEFAULTS: tuple[Field, ...] = (
    Field(
        "headers",
        Kind.PAIRS,
        "Headers of every request; a nearer word for the same name wins.",
        "{accept: application/json}",
    ),
    Field(
        "auth",
        Kind.AUTH,
        "How requests prove who they are; `none` switches an inherited one off.",
        '{bearer: "${env.USER_TOKEN}"}',
        tables=("auth",),
    ),
    Field(
        "timeout",
        Kind.DURATION,
        "How long an answer may take, from connecting to its last byte.",
        "10s",
        default="60 s, as in k6",
    ),
    Field(
        "follow",
        Kind.FOLLOW,
        "Whether redirects are followed, or how many at most.",
        "false",
        default="10, as in k6",
    ),
    Field(
        "on_failure",
        Kind.CHOICE,
        "What a failed request does to the iteration that it stands in.",
        "continue",
        choices=ON_FAILURE,
        default="end_iteration",
    ),
    Field("tags", Kind.TAGS, "Labels of the request's samples.", "{team: media}"),
)

SUITE = Table(
    "suite",
    "a suite",
    "`suite.yml` beside the flows: what they share.",
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
            "Where URLs that start with `/` go.",
            "${env.BASE_URL}",
            default="none: URLs must be whole",
        ),
        Field(
            "vars",
            Kind.VARIABLES,
            "Values that every flow can name.",
            "{limit: 20}",
            tables=("computed value",),
        ),
        SHARED_DATA,
        *DEFAULTS,
        *CONNECTING,
        Field(
            "secrets",
            Kind.TEXTS,
            "Names of environment values that never appear in any output.",
            "[USER_TOKEN]",
        ),
        Field(
            "guard",
            Kind.MAPPING,
            "Which hosts may be loaded, and how much.",
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
            "Steps that run once before load; what they `set` and `extract`, every VU sees.",
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
            "Conditions on the samples of all flows together.",
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
            "Which part of the load the gates judge.",
            "{skip: 10s}",
            default="all of it",
            tables=("measure",),
        ),
        Field(
            "lint",
            Kind.MAPPING,
            "What lint lets pass.",
            "{ignore: {VF404: a second branch comes}}",
            tables=("lint",),
        ),
    ),
)

FLOW = Table(
    "flow",
    "a flow",
    "One file: who comes (`load`), what they do (`steps`), how good it must be (`gates`).",
    (
        Field(
            "flow",
            Kind.TEXT,
            "The flow's name: its identity in metrics and reports.",
            "streaming",
            default="the file's name without its ending",
        ),
        Field("description", Kind.TEXT, "What the flow stands for.", "A listener plays a track at 256 kbit/s."),
        Field(
            "base_url",
            Kind.URL,
            "Where this flow's URLs that start with `/` go.",
            "http://127.0.0.1:8080",
            default="the suite's",
        ),
        Field(
            "load",
            Kind.MAPPING,
            "Who comes, and when.",
            "{vus: 500, duration: 5m}",
            default="one VU that runs the steps once, as in k6",
            tables=tuple(LOADS),
        ),
        Field(
            "vars",
            Kind.VARIABLES,
            "Values that the flow's steps can name.",
            '{track: "${env.STREAM_TRACK_ID}"}',
            tables=("computed value",),
        ),
        DATA,
        *DEFAULTS,
        *CONNECTING,
        Field(
            "login",
            Kind.STEPS,
            "Steps that each VU runs once, before its first iteration and outside the gates.",
            "[{post: /api/v1/auth/login, extract: {token: $.token}}]",
        ),
        Field("steps", Kind.STEPS, "One iteration of a VU.", "[{get: /api/v1/tracks}]", required=True),
        Field(
            "finally",
            Kind.STEPS,
            "Steps that each VU runs once when it ends.",
            "[{post: /api/v1/auth/logout}]",
        ),
        Field("think", Kind.PAUSE, "A pause between two iterations.", "1s..3s", default="none"),
        Field(
            "pace",
            Kind.PAUSE,
            "The time from one iteration's start to the next one's.",
            "10s",
            default="none",
        ),
        Field(
            "failure_backoff",
            Kind.DURATION,
            "The longest time from a failed iteration's start to the next one's, while a VU's iterations fail one "
            "after another: it begins at 100 ms with the second and doubles. `0s`: a VU that fails goes on at once.",
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
            "Which part of this flow's load its gates judge.",
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
    "What lint lets pass in all files of the suite. One line is spared by a comment: "
    "`# vezaflow: ignore[VF404] the reason`.",
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
    "Keeps load away from where it must not go. Loopback is always allowed.",
    (
        Field(
            "allow",
            Kind.TEXTS,
            "Hosts that may be loaded; `*` stands for any characters, `10.*` for addresses alone.",
            '[staging.veza.fr, "*.lxd"]',
        ),
        Field("max_vus", Kind.COUNT, "No more VUs than this over all flows, whatever an override says.", "2000"),
    ),
)

PREFLIGHT = Table(
    "preflight",
    "a preflight",
    "Requests before the load, tried again until they hold or the time is up.",
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
            "How long a failing preflight is tried again.",
            "{for: 1m, every: 5s}",
            default="not at all",
            tables=("retry",),
        ),
    ),
)

RETRY = Table(
    "retry",
    "a preflight's retry",
    "How long a failing preflight is tried again.",
    (
        Field("for", Kind.DURATION, "How long in all.", "1m", required=True),
        Field("every", Kind.DURATION, "The pause between two tries.", "5s", default="1 s"),
    ),
)

MEASURE = Table(
    "measure",
    "a measure",
    "Which part of the load the gates judge; the rest is recorded and shown.",
    (
        Field("skip", Kind.DURATION, "What of each flow's start is not judged.", "10s", default="0 s"),
        Field("drain", Kind.SWITCH, "Whether what ends in the graceful stop is judged.", "false", default="true"),
    ),
)

GATE = Table(
    "gate",
    "a gate",
    "A condition with what it does beside its verdict. Short form: the condition alone, or a list.",
    (
        Field("condition", Kind.CONDITION, "What must hold.", "p(95) < 500 ms", required=True),
        Field(
            "abort",
            Kind.SWITCH,
            "Whether the run stops as soon as the condition breaks.",
            "true",
            default="false",
        ),
        Field("delay", Kind.DURATION, "How long the run goes on before it may be stopped.", "30s", default="0 s"),
        Field(
            "window",
            Kind.DURATION,
            "Judge only the last so much of the run when stopping it.",
            "1m",
            default="the whole run",
        ),
        Field(
            "samples",
            Kind.NUMBER,
            "With fewer samples than this the gate is inconclusive.",
            "100",
            default="1",
        ),
    ),
)
