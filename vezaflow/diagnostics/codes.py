"""Every code that a diagnostic can carry: one row each, with the paragraph that the reference prints.

Codes are stable: none is given a second meaning. The hundreds say where to look: 1xx structure, 2xx
expressions and units, 3xx names and environment, 4xx load and meaning, 5xx gates, 6xx while the run goes on,
7xx the inputs of a run. New rows go to the end of their hundred.
"""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """An error stops the run before it starts; a warning is shown and passed."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code means: a title of a few words and a paragraph that explains and shows the remedy."""

    code: str
    severity: Severity
    title: str
    doc: str


_ERROR = Severity.ERROR
_WARNING = Severity.WARNING

_ROWS: tuple[Rule, ...] = (
    # --- 1xx: YAML and structure
    Rule(
        "VF101", _ERROR, "not valid YAML",
        "The file can't be read as YAML, so nothing after that point was checked. The caret marks where reading "
        "stopped; the mistake is there or just before: an unclosed bracket or quote, a tab in the indentation, a "
        "text with ': ' or a leading '@', '`', '%', '&', '*' that needs quotes.",
    ),
    Rule(
        "VF102", _ERROR, "duplicate key",
        "A mapping has the same key twice. Most YAML readers silently keep the last one; vezaflow reports it, "
        "because one of the two is a mistake.",
    ),
    Rule(
        "VF103", _ERROR, "key is not text",
        "Keys are text, not a number, a boolean, null, a list or a mapping. Write '200': in quotes to use the "
        "text 200 as a key.",
    ),
    Rule(
        "VF104", _ERROR, "unknown key",
        "The mapping has a key that is not defined there. The message suggests the closest key that is.",
    ),
    Rule(
        "VF105", _ERROR, "anchor, alias or merge key",
        "YAML's anchors (&a), aliases (*a) and merge keys (<<) are not supported: a few lines of them can expand "
        "to gigabytes, and a message could not point at one place. Use `vars` for shared values, and `include` or "
        "the suite's defaults for shared steps.",
    ),
    Rule(
        "VF106", _ERROR, "YAML tag",
        "YAML's tags (!!int, !env) are not supported: the key determines the type of its value. Use ${env.NAME} "
        "for the environment, quotes to force text.",
    ),
    Rule(
        "VF107", _ERROR, "more than one document",
        "A file contains one suite or one flow. Put a second document (after a line '---' or '...') into its own "
        "file.",
    ),
    Rule("VF108", _ERROR, "empty file", "The file contains only whitespace and comments."),
    Rule(
        "VF109", _ERROR, "too deep or too large",
        "The limits are 64 levels of nesting and 2,000,000 characters per file. Put large bodies into separate "
        "files: `body: {file: parts/track.json}`.",
    ),
    Rule(
        "VF110", _ERROR, "not UTF-8 text",
        "Flow files are UTF-8 text without control characters. Save the file again as UTF-8.",
    ),
    Rule(
        "VF120", _ERROR, "wrong type of value",
        "The value has the wrong type, such as a list instead of a mapping, or a text instead of a list; the "
        "message says what is expected.",
    ),
    Rule("VF121", _ERROR, "empty list", "A list that needs at least one item is empty."),
    Rule(
        "VF122", _ERROR, "step without a verb",
        "A step is a mapping with exactly one verb, such as `get`, `post`, `think`, `choose` or `repeat`, and the "
        "options of that verb.",
    ),
    Rule(
        "VF123", _ERROR, "step with two verbs",
        "A step does one thing. Two verbs in one mapping are two steps: start each with its own `-`.",
    ),
    Rule(
        "VF125", _ERROR, "constant expected",
        "Names and switches are fixed when the file is read, so that metrics, gates and comparisons can refer to "
        "them; `${…}` is not allowed there.",
    ),
    Rule(
        "VF126", _ERROR, "not one of the allowed values",
        "The key takes one of a fixed set of values; the help lists them.",
    ),
    Rule("VF127", _ERROR, "missing key", "A key that the mapping needs is missing."),
    Rule(
        "VF128", _ERROR, "mutually exclusive keys",
        "Only one of these keys is allowed in a mapping, such as two bodies, two ways to select from the matches, "
        "or `think` and `pace`.",
    ),
    Rule(
        "VF129", _ERROR, "invalid labels of a gate",
        "A gate's key is a metric with labels as in k6: `http_req_duration{step:segment}`. Write no space after "
        "the inner colon, because YAML would end the key there, or put the whole key in quotes.",
    ),
    Rule(
        "VF130", _ERROR, "two flows with the same name",
        "A flow's name is its identity in metrics, gates and reports. Without `flow:` it is the file's name.",
    ),
    Rule(
        "VF131", _ERROR, "more than one suite",
        "A suite is one folder with one suite.yml (or suite.yaml). Run two folders as two suites, one after the "
        "other.",
    ),
    Rule(
        "VF132", _ERROR, "nothing to read",
        "A path does not exist or can't be read, or a folder contains no flows: no *.yml or *.yaml next to "
        "suite.yml.",
    ),
    Rule(
        "VF133", _ERROR, "invalid name",
        "Names of values consist of letters, digits and _, so that expressions can refer to them. The keywords of "
        "expressions (if, and, in, true, it, …) are reserved.",
    ),
    Rule(
        "VF134", _ERROR, "not a status",
        "A status is a number from 100 to 999, or a class such as `2xx`. RFC 9110 defines statuses up to 599; "
        "some servers send others.",
    ),
    Rule(
        "VF135", _ERROR, "only requests in a preflight",
        "A preflight checks that the target is up before anything else; steps other than requests belong in "
        "`setup`.",
    ),
    Rule(
        "VF136", _WARNING, "invalid ignore",
        "A comment `# vezaflow: ignore[VF306] reason` or an entry of the suite's `lint` names a code that does "
        "not exist or that is an error, or has no reason. Only warnings can be ignored: an error stops the run in "
        "any case.",
    ),
    Rule(
        "VF137", _WARNING, "unused ignore",
        "The warning that the ignore was written for no longer occurs, or is on another line. A comment at the "
        "end of a line applies to that line, a comment on its own line to the next one; an entry of the suite's "
        "`lint` applies to all of its files.",
    ),
    Rule(
        "VF138", _ERROR, "circular include",
        "A fragment includes itself, directly or through other fragments, so the steps would never end.",
    ),
    Rule(
        "VF139", _ERROR, "missing input",
        "Each include must pass (`with`) the fragment's inputs that have no `default`.",
    ),
    Rule(
        "VF140", _ERROR, "unknown input or output of a fragment",
        "`with` passes values to the inputs that the fragment declares, and `into` renames its outputs.",
    ),
    Rule(
        "VF141", _ERROR, "too many included steps",
        "All includes of a suite together expand to at most 100,000 steps. Fragments that include fragments "
        "multiply quickly.",
    ),
    Rule(
        "VF142", _ERROR, "wrong type of an input",
        "A fragment declares the type of each input: text, number, integer, boolean, duration, size, list, "
        "mapping or any.",
    ),
    Rule(
        "VF143", _ERROR, "unreadable data file",
        "A data source is a CSV file with a header row, a list in JSON, or one JSON value per line. Every row has "
        "as many values as the header; rows in JSON are either all mappings or all plain values. The message "
        "shows the line, unless the source has `secrets`.",
    ),
    Rule(
        "VF144", _ERROR, "missing or duplicate column name",
        "The first row of a CSV file names its columns, each once; expressions use these names.",
    ),
    Rule("VF145", _ERROR, "a data source without rows", "A data source needs at least one row."),
    Rule(
        "VF146", _ERROR, "unknown time zone",
        "`timezone` is a name of the IANA time zone database, such as `Europe/Paris` or `UTC`, which knows when clocks "
        "change. Abbreviations and offsets, such as `CEST` and `+02:00`, are not allowed.",
    ),
    Rule(
        "VF147", _ERROR, "not the hours of a night",
        "`night` is two clock times from 00:00 to 23:59 with two dots between them. It may cross midnight, as in "
        "`18:00..12:00`; the same time twice is a whole day.",
    ),
    Rule(
        "VF150", _ERROR, "invalid header name",
        "A header name consists of letters, digits and any of !#$%&'*+-.^_`|~ (RFC 9110, 5.6.2).",
    ),
    Rule(
        "VF151", _WARNING, "header set by vezaflow",
        "vezaflow sets the headers that describe the length of the body, its framing and the connection. When "
        "requests are copied from a browser, remove `content-length`, `transfer-encoding`, `te`, `upgrade` and "
        "the like: they are not sent. `connection` may be `close`, which closes the connection after the "
        "response, or `keep-alive`.",
    ),
    Rule(
        "VF152", _ERROR, "expression in a key",
        "Keys in `json`, `form`, `multipart`, `query` and `headers` are sent as they are written; `${…}` in them "
        "is not evaluated. To send these characters literally, write `$${`.",
    ),
    Rule(
        "VF160", _ERROR, "not a valid name of an event",
        "Gates select an event by its name, as in `http_req_failed{during:failover}`. It must be unique, and made of "
        "letters, digits, blanks, `-`, `_` and `.`. `none` is reserved: `during:none` means outside of all events.",
    ),
    # --- 2xx: expressions, templates, units
    Rule(
        "VF201", _ERROR, "syntax error in an expression",
        "The expression between ${ and } can't be parsed. The caret marks the first unexpected token, and the "
        "label says what was expected.",
    ),
    Rule(
        "VF202", _ERROR, "unclosed ${",
        "A ${ has no closing }. Braces and quotes inside an expression must be balanced, too. Write $${ for a "
        "literal ${.",
    ),
    Rule("VF203", _ERROR, "unclosed string", "A string inside an expression has no closing quote."),
    Rule(
        "VF204", _ERROR, "unknown unit",
        "The units are us, ms, s, m, h, d; B, kB, MB, GB, KiB, MiB, GiB; %; and the rates /s, /m, /h. They are "
        "case-sensitive: M is not m, and mb is not MB.",
    ),
    Rule(
        "VF205", _ERROR, "chained comparison",
        "Comparisons can't be chained as in `a < b < c`. Write `a < b and b < c`.",
    ),
    Rule(
        "VF206", _ERROR, "expression too long or too deep",
        "The limits of an expression are 4,000 characters and 100 levels of nesting.",
    ),
    Rule(
        "VF207", _ERROR, "syntax error in a condition",
        "A gate's condition is an aggregate, a comparison and a bound: `p(95) < 500 ms`, `rate < 0.5 %`, `count "
        ">= 100`. Aggregates are p(n), avg, min, max, med, count, rate and value.",
    ),
    Rule(
        "VF208", _ERROR, "reserved word",
        "if, else, and, or, not, in, true, false and null can't be names of variables.",
    ),
    Rule(
        "VF209", _ERROR, "invalid escape",
        "In a string inside an expression a backslash starts one of \\n \\r \\t \\\" \\' \\\\ \\/ \\uXXXX.",
    ),
    Rule("VF210", _ERROR, "not a valid JSONPath", "The JSONPath can't be parsed; the label says why."),
    Rule(
        "VF211", _ERROR, "not a valid regular expression",
        "Regular expressions use RE2's syntax: matching takes linear time, so back-references and look-around are "
        "not supported.",
    ),
    Rule(
        "VF220", _ERROR, "missing unit",
        "Durations and sizes need a unit: `500 ms`, `5m`, `1 MiB`. Without one, `500` could be milliseconds or "
        "seconds.",
    ),
    Rule(
        "VF221", _ERROR, "not a valid duration or size",
        "The text can't be read as the kind of quantity that the key takes, such as a duration or a size.",
    ),
    Rule("VF222", _ERROR, "not a whole number", "A whole number is expected, usually 1 or more."),
    Rule(
        "VF223", _ERROR, "not a boolean",
        "Write `true` or `false`. In YAML 1.2, `yes`, `no`, `on` and `off` are texts.",
    ),
    Rule(
        "VF224", _ERROR, "not a valid range",
        "A range is `low..high`, both of the same kind, the smaller one first; a key that takes a single value "
        "takes no range.",
    ),
    Rule(
        "VF225", _ERROR, "no response to read",
        "`json`, `header`, `status` and similar functions read the response of the step that they are in. They "
        "work only in `expect`: extract the value with `extract` and use its name.",
    ),
    Rule(
        "VF226", _ERROR, "incompatible units",
        "Quantities of different kinds, such as a duration and a size, are compared, added or used as a range.",
    ),
    Rule(
        "VF227", _ERROR, "pipe after `??`",
        "`|` binds more tightly than `??`, so in `a ?? b | int` only `b` is piped. Add parentheses: `(a ?? b) | "
        "int`, or `a ?? (b | int)`.",
    ),
    Rule("VF228", _ERROR, "not a valid CSS selector", "The selector of an extraction can't be parsed."),
    Rule("VF229", _ERROR, "not a valid XPath", "The path can't be parsed as XPath 1.0; the label says why."),
    Rule(
        "VF230", _ERROR, "not a valid JSON Schema",
        "The value of `schema`, or the file that it names, is not a valid JSON Schema; the label says where and "
        "why. A schema is self-contained: a `$ref` to another document is not supported.",
    ),
    Rule(
        "VF231", _WARNING, "placeholder of another tool",
        "`{{ id }}`, `$TOKEN` and `/tracks/{id}` are placeholders of other tools; vezaflow sends them literally. "
        "Use `${…}` to insert a value.",
    ),
    # --- 3xx: names and environment
    Rule(
        "VF301", _ERROR, "undefined variable",
        "An expression uses a name that is not set by `vars`, `set`, `extract`, `data` or a loop.",
    ),
    Rule(
        "VF302", _ERROR, "expression always fails",
        "All operands of the expression are known before the run, and evaluating it fails.",
    ),
    Rule(
        "VF303", _ERROR, "unknown function",
        "Expressions can call a fixed set of functions; the reference lists them.",
    ),
    Rule(
        "VF304", _ERROR, "wrong number of arguments",
        "A function is called with fewer or more arguments than it takes.",
    ),
    Rule(
        "VF305", _ERROR, "variable used before it is set",
        "The step that sets the value comes after the one that uses it. Move it, or give a default with `??`.",
    ),
    Rule(
        "VF306", _WARNING, "unused value",
        "A value is set or extracted and never read. Its name may be misspelt somewhere, or it can be removed (an "
        "extraction makes vezaflow keep the response body).",
    ),
    Rule("VF307", _ERROR, "built-in name", "`env`, `vu` and `iteration` are built in and can't be set."),
    Rule(
        "VF308", _WARNING, "unused secret",
        "A name in `secrets` is not read by any `${env.…}`: if it is misspelt, the real value is not masked.",
    ),
    Rule(
        "VF309", _ERROR, "unknown field",
        "The items of a playlist, of the redirects and of the timing have a fixed set of fields, for `where` and "
        "for use after the value's name.",
    ),
    Rule(
        "VF310", _WARNING, "value that may not be set",
        "On some paths the value is not set, and the expression would fail: a branch of `if` or `choose` that is "
        "not taken, a `while` that does not run, or a failed request with `on_failure: continue`. Set it on every "
        "path, or give a default: `${name ?? 0}`. What an iteration sets is discarded when the next one starts.",
    ),
    Rule(
        "VF311", _WARNING, "loop variable shadows a value",
        "Inside the loop the name refers to the item, and the other value is not accessible. Give the loop "
        "variable another name. In an `upload` the name `part` refers to the part.",
    ),
    Rule(
        "VF312", _ERROR, "value of another branch",
        "The branches of a `parallel` run at the same time, so a branch can't use a value that another one sets. "
        "Put steps that need each other's values into one branch with `group`; after the `parallel` the values of "
        "all branches are available.",
    ),
    Rule(
        "VF313", _WARNING, "value changed concurrently",
        "The branches of a `parallel`, and the rounds of a `for` with `at_once`, start with the values from "
        "before it. A branch that reads what another one changes sees the old value, so a round can't count on "
        "from the previous one; if several set the same name, the value of the last branch in the file is kept.",
    ),
    Rule(
        "VF314", _ERROR, "no row available here",
        "Rows are assigned to VUs: at the start of each iteration, or with `each: vu` once, when a VU starts. "
        "`login` and `vars` can use only sources with `each: vu`; settings, gates, `setup` and the suite's `vars` "
        "can use none.",
    ),
    Rule(
        "VF315", _ERROR, "data source and value with the same name",
        "A data source and another value must have different names, within a flow and between a flow and its "
        "suite. Rename one of them.",
    ),
    Rule(
        "VF316", _ERROR, "value that is not computed yet",
        "A value with `each: run` is computed once, before any VU exists; one with `each: vu`, and every plain "
        "one that is not constant, when a VU starts, before its `login`; one with `each: iteration` when an "
        "iteration starts.",
    ),
    Rule(
        "VF317", _ERROR, "`env` without a name",
        "The environment variables that a suite reads are known before the run: `explain` lists them, workers "
        'receive them, and the guard checks them. So each is named, `env.NAME` or `env["NAME"]`; `env` alone is '
        "not a value.",
    ),
    Rule(
        "VF318", _ERROR, "unknown name in a notification",
        "The `json` of a notification can insert constants, `env`, and the fields of `verdict`, `run` and `night`; "
        "these are known there only. The reference lists the fields.",
    ),
    # --- 4xx: load, weights, the meaning of a flow
    Rule(
        "VF401", _ERROR, "option of another executor",
        "Each executor has its own options; the help lists them, and names the executors that take this one.",
    ),
    Rule(
        "VF402", _ERROR, "flow without an end",
        "Nothing limits the load: it needs a `duration`, or a ramp its `stages`.",
    ),
    Rule("VF403", _ERROR, "flow without requests", "The steps of the flow never send a request."),
    Rule(
        "VF404", _WARNING, "`choose` with one branch",
        "A `choose` with a single branch always takes it. Add a second branch, or remove the `choose`.",
    ),
    Rule(
        "VF405", _WARNING, "different requests share a name",
        "Two requests with different methods or URLs have the same name, so they share their metrics and gates.",
    ),
    Rule(
        "VF406", _ERROR, "no base_url",
        "A URL that starts with `/` is relative to `base_url`, and neither the suite nor the flow has one.",
    ),
    Rule(
        "VF407", _ERROR, "file outside the suite's folder",
        "A flow reads only files in its suite's folder, so that the suite is self-contained and reads nothing "
        "else on the machine.",
    ),
    Rule("VF408", _ERROR, "file not found", "The path is relative to the suite's folder, and there is no such file."),
    Rule(
        "VF409", _WARNING, "a secret in a URL",
        "URLs are written to servers' and proxies' logs. Send secrets in a header or with `auth`.",
    ),
    Rule(
        "VF410", _ERROR, "not a valid URL",
        "A URL starts with `/` (relative to base_url) or with `http://` or `https://`.",
    ),
    Rule(
        "VF411", _ERROR, "certificate over http",
        "`certificate` checks the certificate of an https server; with an http URL there is none.",
    ),
    Rule(
        "VF412", _ERROR, "response without a body",
        "A response to HEAD, and one with status 204, 205 or 304, has no body (RFC 9110). An extraction from it "
        "always fails, and so does an expectation.",
    ),
    Rule(
        "VF413", _ERROR, "contradictory expectations",
        "No response can satisfy both `status` and the expression: the request always fails.",
    ),
    Rule(
        "VF414", _WARNING, "redirect is followed",
        "Redirects are followed by default, and `expect` checks the last response. To expect a 302 itself, add "
        "`follow: false` to the step.",
    ),
    Rule(
        "VF415", _WARNING, "unreachable steps",
        "The steps come after `skip` or `stop`, in a branch whose condition is always false, or in a loop without "
        "items. `vu` starts at 1, `iteration` at 0.",
    ),
    Rule(
        "VF416", _WARNING, "constant condition",
        "The condition is always true, or nothing in the loop can change it: the loop would run either never or "
        "`max` times.",
    ),
    Rule(
        "VF417", _WARNING, "hard-coded secret",
        "Everybody who can read the file or the history of its repository can read the secret. Read it from the "
        "environment and list it in `secrets`, so that it is masked. Rotate a real secret that was once "
        "committed.",
    ),
    Rule(
        "VF418", _WARNING, "host not allowed by the guard",
        "A run would end with exit code 97 before anything is sent. Loopback is always allowed; any other host "
        "must be listed in the suite's `guard: allow`.",
    ),
    Rule(
        "VF419", _ERROR, "limit below the initial VUs",
        "`max_vus` is the total number of VUs, including those that are created before the start: "
        "`pre_allocated_vus` of an arrival rate, `vus` of externally-controlled.",
    ),
    Rule(
        "VF420", _ERROR, "empty load",
        "The load has zero duration, or its numbers are zero from start to end. A stage of `0s` is a jump, and is "
        "allowed next to other stages.",
    ),
    Rule(
        "VF421", _ERROR, "`think`, `pace` or `failure_backoff` with an arrival rate",
        "An arrival rate determines when iterations start, so `think`, `pace` and `failure_backoff` of the flow "
        "have no effect. A `think` step is a pause within the iteration, and is allowed.",
    ),
    Rule(
        "VF422", _WARNING, "more VUs than the guard allows",
        "All flows together may use at most the suite's `guard: {max_vus: …}`; a run would end with exit code 97 "
        "before anything is sent, unless `--vus`, `--scale` or `--only` lowers the load.",
    ),
    Rule(
        "VF423", _ERROR, "not a valid proxy",
        "`http: {proxy: …}` is `none` or the URL of an HTTP proxy with its port, such as `http://proxy.lan:3128`, "
        "or `http://user:password@proxy.lan:3128`. https targets are reached through it by CONNECT.",
    ),
    Rule(
        "VF424", _ERROR, "not a valid local address",
        "`http: {local_address: …}` is an IP address of the load generator, or a list of them; it is not a host "
        "name or the name of an interface.",
    ),
    Rule(
        "VF425", _ERROR, "incomplete client certificate",
        "`key` and `password` need `cert`. The private key may be in the certificate's file; then `cert` alone is "
        "enough.",
    ),
    Rule(
        "VF426", _ERROR, "HTTP/2 without TLS",
        "Client and server negotiate HTTP/2 in the TLS handshake (ALPN), so `http: {version: 2}` needs https "
        "URLs. HTTP/2 over cleartext (h2c) is not supported.",
    ),
    Rule(
        "VF427", _WARNING, "`tls` of an http request",
        "Certificates are used over https only; a step's own `tls` has no effect with an http:// URL, unless the "
        "server redirects to https.",
    ),
    Rule(
        "VF429", _WARNING, "no concurrency",
        "A `parallel` of one branch or with `per_host: 1`, and a `for` with `at_once: 1`, run one thing after "
        "another. Remove the key, or raise the number.",
    ),
    Rule(
        "VF430", _ERROR, "contradictory options of a data source",
        "`random` rows never run out; each of the `unique` rows is used once; `per_vu` always assigns one row to "
        "each VU; an arrival rate has no VUs that could stop when rows run out. The other options must agree.",
    ),
    Rule(
        "VF431", _WARNING, "fewer rows than the load needs",
        "Rows that are used once are exhausted before this load ends, or some of its VUs get no row. Add rows, "
        "lower the load, or set `at_end`: `wrap`, `stop_vu` or `stop_flow`.",
    ),
    Rule(
        "VF432", _ERROR, "too many secrets",
        "The values of a source's secret columns are masked in all output. At most 1,000 different ones are "
        "supported; the users of a load test can share a password.",
    ),
    Rule(
        "VF433", _ERROR, "too many parts",
        "An `upload` has at most 10,000 parts, the limit of object stores. Use larger parts.",
    ),
    Rule(
        "VF434", _WARNING, "unused fragment",
        "The file is in `parts/`, and no step of the suite includes it: its steps never run. It is linted on its "
        "own.",
    ),
    Rule(
        "VF435", _WARNING, "JSON within JSON",
        "The value of `json` is serialized to JSON; a text that is already JSON becomes one JSON string with "
        "escaped quotes. Write the value as YAML, or send the text with `body`.",
    ),
    Rule(
        "VF436", _ERROR, "load too large",
        "The limits of a flow are 10,000,000 VUs and 1,000,000 iterations per second: a larger number is a typo.",
    ),
    Rule(
        "VF437", _WARNING, "too few VUs for the rate",
        "A VU runs one iteration at a time, so an arrival rate needs as many VUs as its rate times the duration "
        "of an iteration. The VUs of this load could keep up only if an iteration took less than 0.1 ms, which no "
        "request does: most starts would be dropped.",
    ),
    Rule(
        "VF438", _WARNING, "pattern that matches no host",
        "The entries of `guard: allow` and `accept: target` are host names, with `*` and `?` as wildcards and an "
        "optional port. URLs, ports out of range, and wildcards within labels that contain non-ASCII letters are not "
        "valid. The host that the entry was written for is refused, or its runs do not count.",
    ),
    Rule(
        "VF439", _WARNING, "more VUs than iterations",
        "The VUs of `shared-iterations` share the iterations. With more VUs than iterations, some VUs get none.",
    ),
    Rule(
        "VF440", _WARNING, "secret that is not listed",
        "Grafana's token, a webhook's URL and its headers are secrets: whoever has them can post there. Their values "
        "are masked in any case; listing the variable in `secrets` shows readers of the suite that it is one.",
    ),
    Rule(
        "VF441", _ERROR, "step outside of a WebSocket",
        "`send`, `receive` and `ping` go over the WebSocket around them: they belong under the `do` of a "
        "`websocket` step, or in a fragment that is included there; `receive` also under that of an `sse` step. `to` "
        "and `from` name one of them by its `as`.",
    ),
    Rule(
        "VF443", _ERROR, "event stream over HTTP/2",
        "An `sse` step opens its stream over HTTP/1.1. Where its flow or suite says `http: {version: 2}`, the step "
        "says otherwise itself: what is measured is what is written.",
    ),
    Rule(
        "VF444", _ERROR, "no such field of a message",
        "Over an event stream, `message` has the fields `event`, `id` and `data`. Over a WebSocket it is a text and "
        "has none.",
    ),
    Rule(
        "VF442", _ERROR, "delivery without a room",
        "`deliver` expects a message for each other VU in the same room. Which room a VU is in, the `room` of its "
        "`websocket` step says; without one there are no others.",
    ),
    Rule(
        "VF445", _WARNING, "key without effect",
        "The key changes nothing together with another key of the same step: `abr` is the rule of `variant: abr`, and "
        "`buffer` that of `pace: realtime`. Remove it, or the other one.",
    ),
    Rule(
        "VF450", _ERROR, "overlapping event",
        "`every` is the time from one start of an event to the next, so it must be longer than `for`.",
    ),
    Rule(
        "VF451", _ERROR, "HAProxy without an address",
        "`haproxy` needs the `socket` or the `tcp` address of HAProxy's runtime API. In `finally` it may be left out: "
        "then it is the one of the event.",
    ),
    Rule(
        "VF452", _WARNING, "event after the load",
        "The event is due when the load is over, so it never happens.",
    ),
    Rule(
        "VF453", _WARNING, "profile longer than the load",
        "A profile that the end of the load cuts off is lost. It must start `seconds` before the end at the latest.",
    ),
    Rule(
        "VF454", _WARNING, "two CPU profiles at once",
        "A process takes one CPU profile at a time, and refuses a second with `cpu profiling already in use`.",
    ),
    # --- 5xx: gates
    Rule("VF501", _ERROR, "unknown metric", "There is no metric with this name, so the gate would check nothing."),
    Rule(
        "VF502", _ERROR, "unknown label of the metric",
        "A metric's samples have a fixed set of labels; a gate can select by those and by `tags`.",
    ),
    Rule(
        "VF503", _ERROR, "gate that selects nothing",
        "The labels can't match any sample: there is no such step, group, flow, check, tag, status or kind of "
        "error, or no request has all of the labels. A count of nothing is 0, so the gate could hold in every "
        "run.",
    ),
    Rule(
        "VF504", _ERROR, "aggregate not supported by the metric",
        "Trends have percentiles and averages, rates a `rate`, counters a `count` and a `rate`, gauges a `value`.",
    ),
    Rule(
        "VF505", _ERROR, "a bound of the wrong kind",
        "The bound must be of the same kind as the figure: a duration (`500 ms`) for a duration, a percentage "
        "(`0.5 %`) for a rate.",
    ),
    Rule("VF506", _ERROR, "not a percentile", "`p(95)` takes a number above 0 and up to 100."),
    Rule(
        "VF507", _WARNING, "flow without gates",
        "No gate covers this flow: its run can't be red, whatever the target does.",
    ),
    Rule(
        "VF508", _WARNING, "gate needs more samples than the load gives",
        "The load in the file ends before there are that many samples: the gate would be red or inconclusive in "
        "every run.",
    ),
    Rule(
        "VF509", _ERROR, "figure compared with itself",
        "A gate can compare a figure with another one of the same metric, as in `p(95) < 1.5 * p(95){page:1}`. "
        "The two must differ in their labels or in the aggregate.",
    ),
    Rule(
        "VF510", _WARNING, "gate that always holds or always breaks",
        "A share is between 0 % and 100 %, and neither a count nor a duration is below zero, so the result of "
        "this gate does not depend on the figure.",
    ),
    Rule(
        "VF511", _ERROR, "gate on the baseline that can't be judged",
        "A gate such as `p(95) < 110 % of baseline` is judged when the run is over: it can't abort the run, and it "
        "needs `<`, `<=`, `>` or `>=`.",
    ),
    Rule(
        "VF512", _ERROR, "gate that can't abort the run",
        "The figures of the server are read when the load is over, so a gate on them can't stop it: `abort` is for "
        "gates on what the load itself measures.",
    ),
    Rule(
        "VF520", _ERROR, "two windows of one gate",
        "A gate with the label `during` evaluates the windows of its event, also for an abort; it can't have a "
        "`window` of its own.",
    ),
    Rule(
        "VF521", _WARNING, "event without a window",
        "A mark has no length. Without `for` and `window` no sample is in it, and the gate is inconclusive.",
    ),
    Rule(
        "VF522", _ERROR, "profile gate without a function",
        "A gate on a profile is about one function: `profile.cpu{function:main.search}: share < 10 %`. Its name is "
        "that in the profile, as `go tool pprof -top` shows it.",
    ),
    # --- 6xx: while the run goes on
    Rule(
        "VF601", _ERROR, "unexpected status",
        "The response has a status that `expect` does not allow (by default: 400 and above). The request counts "
        "as failed.",
    ),
    Rule(
        "VF602", _ERROR, "failed expectation",
        "The response does not satisfy `expect`; the message shows the actual value. The request counts as "
        "failed.",
    ),
    Rule(
        "VF603", _ERROR, "an extraction found nothing",
        "An extraction without a `default` found nothing; the message shows the start of the body. The request "
        "counts as failed, because the following steps would run without the value.",
    ),
    Rule(
        "VF604", _ERROR, "no response",
        "The request got no response, or an incomplete one; the message has the error of the network or the "
        "parser.",
    ),
    Rule(
        "VF605", _ERROR, "failed expression",
        "An expression got a value at run time that it can't handle: a missing field, a text instead of a number. "
        "`??` gives a default for what may be missing.",
    ),
    Rule(
        "VF606", _ERROR, "poll timed out",
        "The responses of a `poll` met its `expect`, but none satisfied `until` `within` the time; the message "
        "shows the last one.",
    ),
    Rule(
        "VF607", _ERROR, "a WebSocket or event stream ended, or was silent",
        "The server closed the WebSocket or ended the event stream, the connection broke, or no message, event or pong "
        "came within the time. For a WebSocket the message has the close code: 1006 means that there was no close "
        "frame.",
    ),
    Rule(
        "VF608", _ERROR, "a message was not acknowledged in time",
        "No message met the `where` of an `ack` or a `deliver` within the time. That fails no step: it counts in "
        "`ws_delivered` and `ws_message_failures`.",
    ),
    # --- 7xx: the inputs of a run
    Rule(
        "VF701", _ERROR, "missing environment variable",
        "The files read an environment variable that is not set and has no default. Set it in the environment or "
        "with `-e NAME=VALUE`, or write a default: `${env.NAME ?? 500}`. Only commands that send requests need "
        "it; `lint` does not.",
    ),
    Rule(
        "VF702", _ERROR, "invalid value of a setting",
        "A setting takes its value from the environment or from `vars`, and the value is not valid for it: a "
        "duration without a unit, a count that is not a number.",
    ),
    Rule(
        "VF703", _ERROR, "unreadable file",
        "A file that a flow uses does not exist, can't be read, or is outside the suite's folder.",
    ),
    Rule(
        "VF704", _ERROR, "setting not known before the run",
        "Settings such as the number of VUs, durations and sizes are evaluated before the run: they can use "
        "constants, `env` and `vars`, but no responses and no random values.",
    ),
    Rule(
        "VF705", _ERROR, "invalid request",
        "A URL or a header is invalid in every run: not an http or https URL, a path without a `base_url`, a "
        "header value with several lines.",
    ),
    Rule(
        "VF706", _ERROR, "a secret that can't be masked",
        "A secret is masked wherever it occurs. One of fewer than 4 characters, a short number or a word such as "
        "`true` occurs in too much other text. Choose a longer one, or remove it from `secrets`.",
    ),
)  # fmt: skip

CODES: dict[str, Rule] = {rule.code: rule for rule in _ROWS}
