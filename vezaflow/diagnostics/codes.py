"""Every code that a diagnostic can carry: one row each, with the paragraph that the reference prints.

A code is for ever: it is never given a second meaning. The hundreds say where to look: 1xx structure, 2xx
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
        "The file can't be read as YAML, so nothing in it could be checked further. The caret stands "
        "where reading stopped; what is wrong is there or just before: a bracket or quote left open, a "
        "tab in the indentation, a text with ': ' or a leading '@', '`', '%', '&', '*' that needs quotes.",
    ),
    Rule(
        "VF102", _ERROR, "duplicate key",
        "A mapping has the same key twice. Most YAML readers keep the last one without a word; vezaflow "
        "refuses, because one of the two is not what the author meant.",
    ),
    Rule(
        "VF103", _ERROR, "a key that is not text",
        "Keys are text. A number, a boolean, null, a list or a mapping can't be one; write '200': in "
        "quotes where the text 200 is meant.",
    ),
    Rule(
        "VF104", _ERROR, "unknown key",
        "A mapping has a key that means nothing there. The message names the nearest key that does.",
    ),
    Rule(
        "VF105", _ERROR, "anchor, alias or merge key",
        "YAML's anchors (&a), aliases (*a) and merge keys (<<) are refused: a few lines of them can stand "
        "for gigabytes, and a message could not point at one place. Use `vars` for shared values and "
        "`include` or the suite's defaults for shared steps.",
    ),
    Rule(
        "VF106", _ERROR, "tag",
        "YAML's tags (!!int, !env) are refused: what a value is follows from where it stands. Use "
        "${env.NAME} for the environment, quotes to force text.",
    ),
    Rule(
        "VF107", _ERROR, "more than one document",
        "A file holds one suite or one flow. A second document (after a line '---' or '...') belongs into "
        "a file of its own.",
    ),
    Rule("VF108", _ERROR, "empty file", "The file holds nothing but blanks and comments."),
    Rule(
        "VF109", _ERROR, "too deep or too large",
        "Nesting ends at 64 levels and a file at 2,000,000 characters: beyond that a file is an accident "
        "or an attack. Large bodies belong into files of their own: `body: {file: parts/track.json}`.",
    ),
    Rule(
        "VF110", _ERROR, "not UTF-8 text",
        "Flow files are UTF-8 text without control characters. Save the file again as UTF-8.",
    ),
    Rule(
        "VF120", _ERROR, "wrong shape",
        "A list stands where a mapping is wanted, or a text where a list is; the message says what must "
        "stand there.",
    ),
    Rule("VF121", _ERROR, "empty list", "A list that must have something in it is empty."),
    Rule(
        "VF122", _ERROR, "a step without a verb",
        "A step is a mapping with exactly one verb, such as `get`, `post`, `think`, `choose` or `repeat`, "
        "and "
        "that verb's options beside it.",
    ),
    Rule(
        "VF123", _ERROR, "a step with two verbs",
        "A step does one thing. Two verbs in one mapping are two steps: each gets a `-` of its own.",
    ),
    Rule(
        "VF124", _ERROR, "not in this version yet",
        "The key, the verb or the executor belongs to the language, and this version does not read it yet.",
    ),
    Rule(
        "VF125", _ERROR, "a constant is wanted",
        "Names and switches are fixed when the file is read, so that metrics, gates and comparisons can key "
        "on them; a `${…}` can't stand there.",
    ),
    Rule("VF126", _ERROR, "not one of the words", "The key takes one of a few words; the help lists them."),
    Rule("VF127", _ERROR, "a key is missing", "The mapping makes no sense without this key."),
    Rule(
        "VF128", _ERROR, "keys that exclude each other",
        "Of these keys a mapping takes one: two bodies, two ways to choose from what was found, `think` and "
        "`pace` say two things at once.",
    ),
    Rule(
        "VF129", _ERROR, "a gate's labels can't be read",
        "A gate's key is a metric with labels as in k6: `http_req_duration{step:segment}`. Behind the inner "
        "colon stands no blank, for YAML would end the key there; otherwise put the whole key in quotes.",
    ),
    Rule(
        "VF130", _ERROR, "two flows of one name",
        "A flow's name is its identity in metrics, gates, reports and the history. Without `flow:` it is the "
        "file's name.",
    ),
    Rule(
        "VF131", _ERROR, "more than one suite",
        "A suite is one folder with one suite.yml (or suite.yaml). What lies in two folders runs one after "
        "the other.",
    ),
    Rule(
        "VF132", _ERROR, "nothing to read",
        "A path does not exist or can't be read, or a folder has no flows: no *.yml or *.yaml beside "
        "suite.yml.",
    ),
    Rule(
        "VF133", _ERROR, "not a name",
        "Values are named with letters, digits and _, so that expressions can say them. The language's own "
        "words (if, and, in, true, it, …) are taken.",
    ),
    Rule(
        "VF134", _ERROR, "not a status",
        "A status is a number from 100 to 999, or a class such as `2xx`. RFC 9110 knows those up to 599; servers send "
        "others as well.",
    ),
    Rule(
        "VF135", _ERROR, "only requests in a preflight",
        "A preflight asks whether the target is up before anything else; what needs more than requests "
        "belongs into `setup`.",
    ),
    Rule(
        "VF136", _WARNING, "an ignore that can't be followed",
        "A comment `# vezaflow: ignore[VF306] reason` or a row of the suite's `lint` names a code that does not exist "
        "or that is an error, or has no reason. Only warnings can be ignored: an error stops the run all the same.",
    ),
    Rule(
        "VF137", _WARNING, "an ignore that ignores nothing",
        "What the ignore was written for is gone, or stands on another line. Behind a line it is for that line, on a "
        "line of its own for the next one; a row of the suite's `lint` is for all of its files.",
    ),
    Rule(
        "VF138", _ERROR, "a fragment that includes itself",
        "Includes lead in a circle, directly or by way of other fragments, and the steps would never end.",
    ),
    Rule(
        "VF139", _ERROR, "an input is missing",
        "A fragment's inputs without a `default` must be given `with` each include.",
    ),
    Rule(
        "VF140", _ERROR, "an input or output that the fragment does not have",
        "`with` gives values to the inputs that the fragment declares, and `into` names its outputs.",
    ),
    Rule(
        "VF141", _ERROR, "too many steps by includes",
        "Fragments that include fragments can come to more steps than anybody means. All of a suite's includes "
        "together stay below 100,000 steps.",
    ),
    Rule(
        "VF142", _ERROR, "an input of another type",
        "A fragment says of each input what it takes: text, number, integer, boolean, duration, size, list, mapping or "
        "any.",
    ),
    Rule(
        "VF143", _ERROR, "a data file that can't be read",
        "A data source is a CSV file with a header row, a list in JSON, or one JSON value on each line. Every row has "
        "the header's number of values; rows in JSON are all mappings, or none of them is. The message shows the line, "
        "unless the source has `secrets`.",
    ),
    Rule(
        "VF144", _ERROR, "a column without a name of its own",
        "The first row of a CSV file names its columns, each once: expressions call them by these names.",
    ),
    Rule("VF145", _ERROR, "a data source without rows", "There is nothing to deal: a row must stand in it."),
    Rule(
        "VF150", _ERROR, "not a header name",
        "A header's name has letters, digits and any of !#$%&'*+-.^_`|~, and nothing else (RFC 9110, 5.6.2).",
    ),
    Rule(
        "VF151", _WARNING, "a header that frames the message",
        "How long a body is, how it is sent and whether the connection is kept follows from what is sent. Such headers "
        "come along when requests are copied from a browser: `content-length`, `transfer-encoding`, `te`, `upgrade` "
        "and the like are left out. `connection` may be `close`, after which the connection is not used again, or "
        "`keep-alive`.",
    ),
    Rule(
        "VF152", _ERROR, "a computed name",
        "Names in `json`, `form`, `multipart`, `query` and `headers` are sent as they are written. `${…}` in them "
        "would go out as these characters; write `$${` if that is meant.",
    ),
    # --- 2xx: expressions, templates, units
    Rule(
        "VF201", _ERROR, "syntax error in an expression",
        "What stands between ${ and } can't be read. The caret stands under the first thing that does not "
        "fit, and the label says what would have.",
    ),
    Rule(
        "VF202", _ERROR, "unclosed ${",
        "A ${ has no }. Braces and quotes inside an expression must be paired, too. Write $${ for the "
        "characters ${ themselves.",
    ),
    Rule("VF203", _ERROR, "unclosed text", "A text inside an expression lacks its closing quote."),
    Rule(
        "VF204", _ERROR, "unknown unit",
        "The units are us, ms, s, m, h, d; B, kB, MB, GB, KiB, MiB, GiB; %; and the rates /s, /m, /h. "
        "They are spelt as here: M is not m, and mb is not MB.",
    ),
    Rule(
        "VF205", _ERROR, "chained comparison",
        "`a < b < c` is not one comparison. Write `a < b and b < c`.",
    ),
    Rule(
        "VF206", _ERROR, "expression too long or too deep",
        "An expression ends at 4,000 characters and 100 levels of nesting.",
    ),
    Rule(
        "VF207", _ERROR, "syntax error in a condition",
        "A gate's condition is an aggregate, a comparison and a bound: `p(95) < 500 ms`, `rate < 0.5 %`, "
        "`count >= 100`. Aggregates are p(n), avg, min, max, med, count, rate and value.",
    ),
    Rule(
        "VF208", _ERROR, "reserved word",
        "if, else, and, or, not, in, true, false and null can't be names of variables.",
    ),
    Rule(
        "VF209", _ERROR, "wrong escape",
        "In a text inside an expression a backslash starts one of \\n \\r \\t \\\" \\' \\\\ \\/ \\uXXXX.",
    ),
    Rule("VF210", _ERROR, "not a valid JSONPath", "The path can't be read as JSONPath; the label says why."),
    Rule(
        "VF211", _ERROR, "not a valid pattern",
        "Patterns are RE2's: linear in time, hence without back-references and look-around.",
    ),
    Rule(
        "VF220", _ERROR, "a unit is missing",
        "Durations and sizes carry their unit: `500 ms`, `5m`, `1 MiB`. A bare number could mean either of "
        "two things, a thousandfold apart.",
    ),
    Rule(
        "VF221", _ERROR, "not a quantity of this kind",
        "The text is no duration where one is wanted, or no size: it can't be read, or it is of another "
        "kind.",
    ),
    Rule("VF222", _ERROR, "not a count", "A whole number is wanted here, and mostly one of at least 1."),
    Rule(
        "VF223", _ERROR, "not a boolean",
        "`true` or `false`. In YAML 1.2, `yes`, `no`, `on` and `off` are texts.",
    ),
    Rule(
        "VF224", _ERROR, "a range that is none",
        "A range is `low..high`, both of one kind, the smaller end first; where only one value makes sense a "
        "range can't stand.",
    ),
    Rule(
        "VF225", _ERROR, "no answer to look at",
        "`json`, `header`, `status` and their like read the answer of the step that they stand in. Outside "
        "of `expect` there is none: take the value with `extract` and use its name.",
    ),
    Rule(
        "VF226", _ERROR, "unlike units",
        "Quantities of two kinds, a time and a size, are compared, added or made a range.",
    ),
    Rule(
        "VF227", _ERROR, "a pipe behind `??`",
        "`|` binds more tightly than `??`, so in `a ?? b | int` only `b` would be piped. Parentheses say what is "
        "meant: `(a ?? b) | int`, or `a ?? (b | int)`.",
    ),
    Rule("VF228", _ERROR, "not a valid CSS selector", "The selector of an extraction can't be read."),
    Rule(
        "VF229", _ERROR, "not a valid XPath",
        "The path can't be read as XPath 1.0; the label says why.",
    ),
    Rule(
        "VF230", _ERROR, "not a JSON Schema",
        "What stands under `schema`, or in the file that it names, is no JSON Schema; the label says where and why. "
        "A schema stands alone: a `$ref` into another document is refused.",
    ),
    Rule(
        "VF231", _WARNING, "a placeholder that is not filled in",
        "`{{ id }}`, `$TOKEN` and `/tracks/{id}` are put in by other tools; here they are sent as they stand. "
        "A value is put in by `${…}`.",
    ),
    # --- 3xx: names and environment
    Rule(
        "VF301", _ERROR, "a name that is never set",
        "A name is used that neither `vars`, `set`, `extract` nor a loop gives a value.",
    ),
    Rule(
        "VF302", _ERROR, "an expression that can't be computed",
        "All parts of the expression are known before the run, and computing it fails.",
    ),
    Rule(
        "VF303", _ERROR, "unknown function",
        "Expressions call a fixed set of functions; the reference lists them.",
    ),
    Rule(
        "VF304", _ERROR, "wrong number of arguments",
        "A function is called with fewer or more arguments than it takes.",
    ),
    Rule(
        "VF305", _ERROR, "a name used before it is set",
        "The step that sets the value comes only after the one that uses it. Move it, or give a default with "
        "`??`.",
    ),
    Rule(
        "VF306", _WARNING, "a value that is never used",
        "A value is set or extracted and nothing reads it: a misspelt name somewhere, or work for nothing "
        "(an "
        "extraction makes vezaflow keep the body).",
    ),
    Rule("VF307", _ERROR, "a given name", "`env`, `vu` and `iteration` are always there and can't be set."),
    Rule(
        "VF308", _WARNING, "a secret that nothing uses",
        "A name in `secrets` that no `${env.…}` reads: a misspelt one would leave the real value unmasked.",
    ),
    Rule(
        "VF309", _ERROR, "a field that is not there",
        "What an extraction finds in a playlist, in the redirects or in the timing has certain fields: those can "
        "stand in its `where`, and behind the value's name.",
    ),
    Rule(
        "VF310", _WARNING, "a value that is not set on every way",
        "A branch of `if` or `choose`, a `while` that may not run, or a request that fails and goes on leaves the "
        "value unset, and the expression would fail there. Set it on every way, or give a default: `${name ?? 0}`. "
        "What an iteration sets is forgotten when the next one begins.",
    ),
    Rule(
        "VF311", _WARNING, "a loop variable that hides a value",
        "Inside of the loop the name means the item, and the other value can't be seen. Give the loop a name of its "
        "own. In an `upload` the name `part` means the part.",
    ),
    Rule(
        "VF312", _ERROR, "a value of another branch",
        "The branches of a `parallel` run at the same time, so none of them can use what another sets. Steps that need "
        "each other's values go into one branch, a `group`; behind the `parallel` all that its branches set is there.",
    ),
    Rule(
        "VF313", _WARNING, "a value that is changed at the same time",
        "The branches of a `parallel`, and the rounds of a `for` with `at_once`, begin with the values from before it. "
        "One that reads what another changes sees the old value, and so no round can count on from the round "
        "before; where several set one name, that of the branch written last stays.",
    ),
    Rule(
        "VF314", _ERROR, "a row where none is dealt",
        "Rows are dealt to VUs: at the begin of each iteration, or with `each: vu` once, when a VU begins. So `login` "
        "and `vars` see only sources that are dealt to each VU; settings, gates, `setup` and the suite's `vars` none.",
    ),
    Rule(
        "VF315", _ERROR, "a data source that shares its name",
        "A data source and another value of one name can't be told apart: not within a flow, and not between a flow "
        "and its suite. Give one of them another name.",
    ),
    Rule(
        "VF316", _ERROR, "a value of a later moment",
        "A value with `each: run` is computed once, before there is any VU; one with `each: vu`, and every plain one "
        "that is not constant, when a VU begins, before its `login`; one with `each: iteration` when an iteration "
        "begins.",
    ),
    Rule(
        "VF317", _ERROR, "the environment as a whole",
        "What a suite reads of the environment is known before the run: it is what `explain` lists, what workers "
        'get, and what the guard looks at. So inputs are named, `env.NAME` or `env["NAME"]`; `env` alone is no value.',
    ),
    # --- 4xx: load, weights, the meaning of a flow
    Rule(
        "VF401", _ERROR, "an option of another executor",
        "Each executor has options of its own; the help lists them, and names the executors that take this "
        "one.",
    ),
    Rule(
        "VF402", _ERROR, "a flow that can't end",
        "Nothing bounds the load: it needs a `duration`, or a ramp its `stages`.",
    ),
    Rule("VF403", _ERROR, "a flow without a request", "The steps of the flow never send anything."),
    Rule(
        "VF404", _WARNING, "a choice of one",
        "A `choose` with a single branch always takes it. A second branch is missing, or the `choose` is "
        "needless.",
    ),
    Rule(
        "VF405", _WARNING, "one name for unlike steps",
        "Two requests with different methods or URLs carry one name, and so share their metrics and gates.",
    ),
    Rule(
        "VF406", _ERROR, "no base_url",
        "A URL that starts with `/` goes below `base_url`, and neither the suite nor the flow has one.",
    ),
    Rule(
        "VF407", _ERROR, "a file outside the suite's folder",
        "A flow reads files below its suite's folder only, so that a suite can be handed on whole and reads "
        "nothing else of the machine.",
    ),
    Rule(
        "VF408", _ERROR, "a file that is not there",
        "The path, from the suite's folder on, leads to no file.",
    ),
    Rule(
        "VF409", _WARNING, "a secret in a URL",
        "URLs are written to servers' and proxies' logs. Send secrets in a header or with `auth`.",
    ),
    Rule(
        "VF410", _ERROR, "a URL that is none",
        "A URL starts with `/` (then it goes below base_url) or with `http://` or `https://`.",
    ),
    Rule(
        "VF411", _ERROR, "a certificate over http",
        "`certificate` looks at what the server proved itself with over https; an http URL has nothing of the kind.",
    ),
    Rule(
        "VF412", _ERROR, "no body to look at",
        "An answer to HEAD, and one with the status 204, 205 or 304, has no body (RFC 9110). An extraction from it "
        "would always fail, and so would an expectation.",
    ),
    Rule(
        "VF413", _ERROR, "expectations that exclude each other",
        "No answer can have a status that is right by `status` and fits the expression as well: the request would "
        "always fail.",
    ),
    Rule(
        "VF414", _WARNING, "a redirect that is followed",
        "Redirects are followed, and the status that is judged is the last one. To expect a 302 itself, write "
        "`follow: false` in the step.",
    ),
    Rule(
        "VF415", _WARNING, "steps that never run",
        "They stand behind `skip` or `stop`, in a branch whose condition is never true, or in a loop over nothing. "
        "`vu` counts from 1, `iteration` from 0.",
    ),
    Rule(
        "VF416", _WARNING, "a condition that decides nothing",
        "It is always true, or nothing in the loop that asks for it can change it: the loop would run not at all or "
        "`max` times.",
    ),
    Rule(
        "VF417", _WARNING, "a secret written in the file",
        "Whoever reads the file has it, and so has everybody who reads the history of the repository. Read it from the "
        "environment and name it in `secrets`, so that it is masked. A real one that was written down once must be "
        "changed.",
    ),
    Rule(
        "VF418", _WARNING, "a host that the guard refuses",
        "A run would end with exit code 97 before anything is sent. Loopback is always allowed; any other host must be "
        "listed in the suite's `guard: allow`.",
    ),
    Rule(
        "VF419", _ERROR, "a limit below what stands ready",
        "`max_vus` is the most that there can be, those that stand ready from the start included: `pre_allocated_vus` "
        "of an arrival rate, `vus` of externally-controlled.",
    ),
    Rule(
        "VF420", _ERROR, "a load that asks for nothing",
        "It lasts no time, or its numbers are zero from its beginning to its end. A stage of `0s` is a jump, and may "
        "stand beside others.",
    ),
    Rule(
        "VF421", _ERROR, "a pause of an arrival rate",
        "An arrival rate sets when iterations begin; nothing may hold that up, so `think`, `pace` and "
        "`failure_backoff` mean nothing there. A `think` among the steps is a rest within the iteration, and is right.",
    ),
    Rule(
        "VF422", _WARNING, "more VUs than the guard allows",
        "The flows together keep below the suite's `guard: {max_vus: …}`; a run would end with exit code 97 before "
        "anything is sent, unless `--vus`, `--scale` or `--only` asks for less.",
    ),
    Rule(
        "VF423", _ERROR, "a proxy that is none",
        "`http: {proxy: …}` is `none` or the URL of an HTTP proxy with its port, such as `http://proxy.lan:3128`, or "
        "`http://user:password@proxy.lan:3128`. https targets are reached through it by CONNECT.",
    ),
    Rule(
        "VF424", _ERROR, "a local address that is none",
        "`http: {local_address: …}` is an IP address of the machine that puts the load on, or a list of them; a host "
        "name or the name of an interface is none.",
    ),
    Rule(
        "VF425", _ERROR, "half of a client certificate",
        "A `key` or a `password` without `cert` proves nothing. The private key may stand in the certificate's own "
        "file; then `cert` alone is enough.",
    ),
    Rule(
        "VF426", _ERROR, "HTTP/2 without TLS",
        "Client and server agree on HTTP/2 while they agree on keys (ALPN), so `http: {version: 2}` goes with https "
        "URLs. HTTP/2 in the clear is not spoken.",
    ),
    Rule(
        "VF427", _WARNING, "`tls` of a request that goes over http",
        "Certificates are shown and verified over https only; a step's own `tls` beside an http:// URL does nothing, "
        "unless the server redirects to https.",
    ),
    Rule(
        "VF429", _WARNING, "nothing at the same time",
        "A `parallel` of one branch or with `per_host: 1`, and a `for` with `at_once: 1`, do one thing after another. "
        "Take the key out, or let more than one thing be on its way.",
    ),
    Rule(
        "VF430", _ERROR, "data that can't be dealt like this",
        "`random` rows never end; `unique` rows end and never come again; `per_vu` is a row for each VU by its "
        "meaning; an arrival rate has no VUs that could stop for want of a row. What is written beside must agree.",
    ),
    Rule(
        "VF431", _WARNING, "fewer rows than the load needs",
        "Rows that are dealt once are used up before this load is over, or some of its VUs never get one. Give the "
        "source more rows, ask for less load, or say what shall happen: `at_end: wrap`, `stop_vu` or `stop_flow`.",
    ),
    Rule(
        "VF432", _ERROR, "too many secrets",
        "The values of a source's secret columns are looked for in all that is printed or written. That can be done "
        "for 1,000 different ones; users of a load test may share a password.",
    ),
    Rule(
        "VF433", _ERROR, "too many parts",
        "An `upload` has 10,000 parts at most, as many as object stores take. Give it larger parts.",
    ),
    Rule(
        "VF434", _WARNING, "a fragment that nothing includes",
        "The file lies below `parts/`, and no step of the suite includes it: its steps never run. It is linted by "
        "itself.",
    ),
    Rule(
        "VF435", _WARNING, "JSON within JSON",
        "JSON is made of what stands below `json`; a text that is JSON already becomes one JSON string, quotes and "
        "all. Write the value as YAML, or send the text as it is with `body`.",
    ),
    Rule(
        "VF436", _ERROR, "a load that is out of reach",
        "A flow may ask for 10,000,000 VUs and for 1,000,000 iterations a second at most: more is a slip of the keys.",
    ),
    Rule(
        "VF437", _WARNING, "too few VUs for a rate",
        "A VU makes one iteration after another, so an arrival rate needs as many VUs as its rate times an iteration's "
        "time. Those of this load could keep up only if an iteration took less than 0.1 ms, which no request does: "
        "most starts would be dropped.",
    ),
    Rule(
        "VF438", _WARNING, "an entry of `guard: allow` that fits no host",
        "The entries are hosts, with `*` and `?` for some of their signs and a port where only that one is meant: no "
        "URLs, no ports out of range, no wildcards within labels that have letters beyond ASCII. What it was "
        "written for is refused.",
    ),
    Rule(
        "VF439", _WARNING, "more VUs than iterations",
        "The VUs of `shared-iterations` take the iterations between them. Where there are more VUs than iterations, "
        "some get none.",
    ),
    # --- 5xx: gates
    Rule(
        "VF501", _ERROR, "a gate on an unknown metric",
        "There is no metric of this name, so the gate would judge nothing.",
    ),
    Rule(
        "VF502", _ERROR, "a label that the metric does not have",
        "A metric's samples carry certain labels; a gate can select by those and by `tags`.",
    ),
    Rule(
        "VF503", _ERROR, "a gate on what does not exist",
        "The labels select nothing that can occur: there is no such step, group, flow, check, tag, status or kind of "
        "error, or no request has all of the labels. A count of nothing is 0: the gate could hold in every run.",
    ),
    Rule(
        "VF504", _ERROR, "an aggregate that does not fit",
        "Trends have percentiles and averages, rates a `rate`, counters a `count` and a `rate`, gauges a "
        "`value`.",
    ),
    Rule(
        "VF505", _ERROR, "a bound of the wrong kind",
        "What is compared must be of one kind: a duration with a duration (`500 ms`), a share with a share "
        "(`0.5 %`).",
    ),
    Rule("VF506", _ERROR, "not a percentile", "`p(95)` takes a number above 0 and up to 100."),
    Rule(
        "VF507", _WARNING, "nothing is judged",
        "No gate watches this flow: its run can't be red, whatever the target does.",
    ),
    Rule(
        "VF508", _WARNING, "a gate that can't be reached",
        "The load that the file writes ends before so many samples are there: the gate would be red, or inconclusive, "
        "in every run.",
    ),
    Rule(
        "VF509", _ERROR, "a figure compared with itself",
        "A gate can compare a figure with another one of its metric, as in `p(95) < 1.5 * p(95){page:1}`. The two must "
        "differ, by their labels or by the aggregate.",
    ),
    Rule(
        "VF510", _WARNING, "a gate that decides nothing",
        "No figure can break this gate, or none can make it hold: a share is from 0 % to 100 %, and neither a count "
        "nor a time is below zero.",
    ),
    # --- 6xx: while the run goes on
    Rule(
        "VF601", _ERROR, "unexpected status",
        "An answer came with a status that `expect` does not name (400 and above where there is no "
        "`expect`). The request counts as failed.",
    ),
    Rule(
        "VF602", _ERROR, "an expectation failed",
        "An answer came, and something in it is not as `expect` says; the message shows the value that was "
        "there. The request counts as failed.",
    ),
    Rule(
        "VF603", _ERROR, "an extraction found nothing",
        "An extraction without a `default` found nothing; the message shows how the body begins. The "
        "request counts as failed, for the steps after it would run without the value.",
    ),
    Rule(
        "VF604", _ERROR, "no answer",
        "A request got no answer, or not a whole one; the message says what the network or the parser said.",
    ),
    Rule(
        "VF605", _ERROR, "an expression failed",
        "An expression met data at run time that it can't work on: a field that is not there, a text where "
        "a number was meant. `??` gives a default for what may be missing.",
    ),
    Rule(
        "VF606", _ERROR, "a poll that came to nothing",
        "The answers of a `poll` were right, but none was as `until` says `within` its time; the message shows how the "
        "last one differed.",
    ),
    # --- 7xx: the inputs of a run
    Rule(
        "VF701", _ERROR, "missing environment value",
        "The files read an environment value that is not set and has no default. Give it in the environment "
        "or with `-e NAME=VALUE`, or write a default: `${env.NAME ?? 500}`. Only commands that send "
        "something ask for it; `lint` does not.",
    ),
    Rule(
        "VF702", _ERROR, "an input of the wrong kind",
        "A setting takes its value from the environment or from `vars`, and the value is not of the kind "
        "that the setting needs: a duration without a unit, a count that is no number.",
    ),
    Rule(
        "VF703", _ERROR, "a file that can't be read",
        "A file that a flow names is missing, can't be read, or lies outside the suite's folder.",
    ),
    Rule(
        "VF704", _ERROR, "a setting that is not known before the run",
        "How many VUs, how long, how large: such settings are decided before the run, so they can use "
        "constants, `env` and `vars`, but nothing that an answer or chance decides.",
    ),
    Rule(
        "VF705", _ERROR, "a request that can't be made",
        "A URL or a header is wrong whatever the run brings: no http or https URL, a path without a "
        "`base_url`, a header's value of several lines.",
    ),
    Rule(
        "VF706", _ERROR, "a secret that can't be masked",
        "A secret is blotted out wherever it stands. One of fewer than 4 characters, a short number or a word such as "
        "`true` stands in too much else. Choose a longer one, or take it out of `secrets`.",
    ),
)  # fmt: skip

CODES: dict[str, Rule] = {rule.code: rule for rule in _ROWS}
