"""What people who come from other tools write, and how it is said here.

The nearest spelling would not find these: another word for a key (`sleep`), or a way of saying that has no key of
its own here (`when`, `timeUnit`). Only data; a table that knows a key is never asked.
"""

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

_LOAD = "who comes stands under `load`, as in `load: {vus: 10, duration: 30s}`; how good it must be under `gates`"
_FILES = "a flow is a file of its own: its requests stand under `steps`"
_RAMP = "VUs rise and fall with `executor: ramping-vus` and its `stages`"
_IF = "what only happens sometimes stands in a step of its own: `if: …` with the steps under `do`"
_RATE = "a rate says its time itself: `rate: 500/s`, or `30/m`"
_COMPARED = 'comparisons stand under `that`: `expect: {that: json("$.total") > 3}`'
_FOR = "what is done for each item stands in a step of its own: `for: item`, `in: ${list}`, and the steps under `do`"

# Keys of a table's neighbour that have no place in the table itself: (table, key) → how it is said there.
NOT_HERE: dict[tuple[str, str], str] = {
    ("request http", "connections"): "how long connections live is said in a flow or in suite.yml; one that a single "
    "request closes is `headers: {connection: close}`",
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
    "arrivalRate": "arrivals are a rate: `executor: constant-arrival-rate` and `rate: 5/s`",
    "timeUnit": _RATE,
    "time_unit": _RATE,
    "when": _IF,
    "ifTrue": _IF,
    "with_items": _FOR,
    "over": _FOR,
    "matrix": _FOR,
    "method": "the method is the verb, and its value the URL: `post: /api/v1/tracks`",
    "contentType": "a header is expected under `headers`: `headers: {content-type: application/json}`",
    "hasProperty": "a value is expected under `json`: `json: {$.id: {exists: true}}`",
    **dict.fromkeys(("gt", "gte", "lt", "lte", "ne", "greaterThan", "lessThan"), _COMPARED),
    "hasHeader": "a header is expected under `headers`: `headers: {etag: {exists: true}}`",
    "on_status": "after which failures stands under `on`: `on: [429, 5xx]`",
    "run": "a flow file runs no programs; requests are steps of their own",
    "shell": "a flow file runs no programs; requests are steps of their own",
    "script": "a flow file runs no programs; requests are steps of their own",
    "function": "a flow file runs no programs; expressions have a fixed set of functions",
    "include": "steps are shared by an `include` step, keys by suite.yml",
    "extends": "steps are shared by an `include` step, keys by suite.yml",
}

# Names that other tools give; what stands behind their dot is found otherwise here.
_ENV = "the environment is `env`: `${env.TOKEN}`"
_PLAIN = "names stand alone: `${id}`, wherever they were set"
NAMES: dict[str, str] = {
    **dict.fromkeys(("ENV", "__ENV", "process", "os", "secrets", "environ"), _ENV),
    **dict.fromkeys(("vars", "variables", "steps", "inputs", "outputs", "context", "self", "this"), _PLAIN),
    **dict.fromkeys(
        ("response", "res", "resp", "answer"),
        "take what is needed with `extract`; `expect: {that: …}` has `status()`, `json(…)`, `header(…)`",
    ),
    **dict.fromkeys(("item", "loop"), "an item's name is what stands behind `for`"),
    **dict.fromkeys(("__VU", "__ITER"), "the VU's number is `vu`, its round `iteration`"),
}
