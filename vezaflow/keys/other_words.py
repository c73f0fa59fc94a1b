"""What people who come from other tools write, and how it is said here.

The nearest spelling would not find these: another word for a key (`sleep`), or a way of saying that has no key of
its own here (`when`, `timeUnit`). Only data; a table that knows a key is never asked.
"""

from vezaflow.keys.load import LOADS

# Other words for a key. Of several the first that the table has is meant.
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "then": ("do",),
    "steps": ("do",),
    "otherwise": ("else",),
    "times": ("repeat",),
    "loop": ("repeat",),
    "foreach": ("for",),
    "sleep": ("think",),
    "wait": ("think",),
    "pause": ("think",),
    "delay": ("think", "wait"),
    "params": ("query",),
    "qs": ("query",),
    "data": ("json",),
    "capture": ("extract",),
    "save": ("extract",),
    "register": ("extract",),
    "check": ("expect",),
    "checks": ("expect",),
    "assert": ("expect",),
    "validate": ("expect",),
    "thresholds": ("gates",),
    "ensure": ("gates",),
    "users": ("vus",),
    "concurrency": ("vus", "at_once", "per_host"),
    "variables": ("vars",),
    "env": ("vars",),
    "target": ("base_url",),
    "baseUrl": ("base_url",),
    "host": ("base_url",),
    "scenario": ("flow",),
    "name": ("flow", "suite"),
    "before": ("setup",),
    "after": ("teardown",),
    "as": ("name",),
    "limit": ("max",),
    "url": ("get",),
    "request": ("get",),
    "abortOnFail": ("abort",),
    "tag": ("tags",),
    "file": ("body", "csv"),
    "mode": ("pick",),
    "order": ("pick",),
    "strategy": ("pick",),
    "eq": ("equals",),
    "equal": ("equals",),
    "is": ("equals",),
    "includes": ("contains",),
    "regex": ("matches",),
    "pattern": ("matches",),
    "jsonpath": ("json",),
    "regexp": ("regex",),
    "selector": ("css",),
    "transform": ("pipe",),
    "filter": ("where",),
    "hidden": ("secrets",),
    "redirects": ("follow",),
    "index": ("pick",),
    "interval": ("every",),
    "timeout_after": ("within",),
    "condition": ("until",),
    "retries": ("retry",),
    "attempts": ("max",),
    "count": ("max",),
    "size": ("bytes", "part"),
    "backoff": ("wait",),
    "status": ("on",),
    "on_status": ("on",),
    "token": ("bearer",),
    "batch": ("parallel",),
    "chunk": ("part",),
    "chunk_size": ("part",),
    "part_size": ("part",),
    "source": ("of",),
    "body": ("of",),
    "multipart": ("as",),
    "at_once": ("per_host",),
    "at_most": ("per_host",),
    "parallelism": ("at_once",),
    "import": ("include",),
    "import_tasks": ("include",),
    "include_tasks": ("include",),
    "uses": ("include",),
    "call": ("include",),
    "print": ("log",),
    "debug": ("log",),
    "echo": ("log",),
}

_LOAD = "the load profile belongs under `load`, as in `load: {vus: 10, duration: 30s}`; thresholds belong under `gates`"
_FILES = "each flow is a separate file, with its requests under `steps`"
_RAMP = "to ramp VUs use `executor: ramping-vus` with `stages`"
_IF = "a condition is a separate step: `if: …` with the steps under `do`"
_RATE = "a rate includes its time unit: `rate: 500/s`, or `30/m`"
_COMPARED = 'comparisons belong under `that`: `expect: {that: json("$.total") > 3}`'
_FOR = "a loop is a separate step: `for: item`, `in: ${list}`, and the steps under `do`"

_BESIDE_LOAD = "`{0}` belongs in the flow, next to `load`: `{0}: {1}`"
_IN_SUITE = "`{0}` belongs in suite.yml; steps that each VU runs once belong under `{1}`"

# Keys that belong elsewhere: (table, key) → where, and how to write it there.
NOT_HERE: dict[tuple[str, str], str] = {
    ("hls", "retry"): "`on_failure: continue` leaves a segment out that can't be had, and plays on",
    ("hls", "extract"): "to take values from a playlist, request it with `get`",
    **{
        (load, key): _BESIDE_LOAD.format(key, example)
        for load in LOADS
        for key, example in (
            ("think", "1s..3s"),
            ("pace", "10s"),
            ("gates", "{http_req_failed: rate < 1 %}"),
            ("measure", "{skip: 10s}"),
            ("steps", "[{get: /api/v1/tracks}]"),
        )
    },
    ("flow", "setup"): _IN_SUITE.format("setup", "login"),
    ("flow", "teardown"): _IN_SUITE.format("teardown", "finally"),
    ("request http", "connections"): (
        "set it in the flow or in suite.yml; to close the connection after one request use `headers: {connection: "
        "close}`"
    ),
}

# Keys that had another name in earlier versions: (table, key) → the name now. `lint --fix` writes it.
RENAMED: dict[tuple[str, str], str] = {
    ("extract", "answer"): "response",
    ("wait", "most"): "max",
}

# Ways of saying that are put otherwise here, in a sentence.
OTHERWISE: dict[str, str] = {
    "options": _LOAD,
    "config": _LOAD,
    "phases": _LOAD,
    "scenarios": _FILES,
    "jobs": _FILES,
    "tasks": _FILES,
    "requests": _FILES,
    "ramp": _RAMP,
    "rampUp": _RAMP,
    "ramp_up": _RAMP,
    "ramp_to": _RAMP,
    "spawn_rate": _RAMP,
    "arrivalRate": "for an arrival rate use `executor: constant-arrival-rate` and `rate: 5/s`",
    "timeUnit": _RATE,
    "time_unit": _RATE,
    "when": _IF,
    "ifTrue": _IF,
    "with_items": _FOR,
    "over": _FOR,
    "matrix": _FOR,
    "method": "the method is the key and the URL its value: `post: /api/v1/tracks`",
    "contentType": "expected headers belong under `headers`: `headers: {content-type: application/json}`",
    "hasProperty": "expected values belong under `json`: `json: {$.id: {exists: true}}`",
    **dict.fromkeys(("gt", "gte", "lt", "lte", "ne", "greaterThan", "lessThan"), _COMPARED),
    "hasHeader": "expected headers belong under `headers`: `headers: {etag: {exists: true}}`",
    "on_status": "the failures to retry belong under `on`: `on: [429, 5xx]`",
    "run": "a flow can't run programs; it consists of request steps",
    "shell": "a flow can't run programs; it consists of request steps",
    "script": "a flow can't run programs; it consists of request steps",
    "function": "functions can't be defined; expressions have a fixed set of functions",
    "include": "share steps with an `include` step, and settings in suite.yml",
    "extends": "share steps with an `include` step, and settings in suite.yml",
}

# Steps of other tools, and what to write instead.
NO_STEPS: dict[str, str] = {
    **dict.fromkeys(
        ("assert", "check", "validate", "fail"),
        'a response is checked in its request: `expect: {that: json("$.total") > 3}`',
    ),
    **dict.fromkeys(
        ("eventsource", "EventSource", "event_source", "event_stream", "server_sent_events"),
        "an event stream is opened with `sse: /api/v1/events`, and the steps on it belong under its `do`",
    ),
    **dict.fromkeys(
        ("ws", "socket", "connect"),
        "a WebSocket is opened with `websocket: /api/v1/ws`, and the steps on it belong under its `do`",
    ),
    **dict.fromkeys(("emit", "publish"), "a message is sent over a WebSocket with `send: {json: {type: hello}}`"),
    **dict.fromkeys(
        ("wait_for", "waitFor"), "for a message of a WebSocket or an event of a stream use `receive: {within: 5s}`"
    ),
    **dict.fromkeys(("request", "http"), "a request starts with its method: `get: /api/v1/tracks`"),
}

# Metrics as other tools call them.
METRIC_NAMES: dict[str, str] = {
    **dict.fromkeys(("response_time", "latency", "duration", "http_duration"), "http_req_duration"),
    **dict.fromkeys(("error_rate", "errors", "failures", "failed"), "http_req_failed"),
    **dict.fromkeys(("rps", "throughput", "requests"), "http_reqs"),
}

# Names that other tools give; what stands behind their dot is found otherwise here.
_ENV = "environment variables are read with `env`: `${env.TOKEN}`"
_PLAIN = "use the name alone: `${id}`"
NAMES: dict[str, str] = {
    **dict.fromkeys(("ENV", "__ENV", "process", "os", "secrets", "environ"), _ENV),
    **dict.fromkeys(("vars", "variables", "steps", "inputs", "outputs", "context", "self", "this"), _PLAIN),
    **dict.fromkeys(
        ("response", "res", "resp", "answer"),
        "take values from the response with `extract`; in `expect: {that: …}` use `status()`, `json(…)`, `header(…)`",
    ),
    **dict.fromkeys(("item", "loop"), "the item has the name given with `for`"),
    **dict.fromkeys(("__VU", "__ITER"), "the VU's number is `vu`, its iteration's number is `iteration`"),
}
