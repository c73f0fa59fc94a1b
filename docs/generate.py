"""The reference pages and the editors' schemas, from the tables that the reader, lint and the gates work with.

    python docs/generate.py            writes docs/reference/*.md, schema/*.json, the parser's tables
                                       and this repository's nightly workflow
    python docs/generate.py --check    says which of them are stale, and ends with 1 if one is

A page is a pure function of a table, so a test can compare the two.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from vezaflow.diagnostics import CODES
from vezaflow.keys import ITEM_FIELDS, OUTPUT, SCHEMAS, TABLES, Field, Kind, Table, schema_text
from vezaflow.metrics import AGGREGATES, LIGHTHOUSE, METRICS, MetricKind
from vezaflow.model import PART_FIELDS, TEMPLATE_FIELDS
from vezaflow.nights import acceptance_schema_text
from vezaflow.project import shipped_workflow
from vezaflow.reports import summary_schema_text
from vezaflow.syntax import FUNCTIONS, Function, Needs, grammar_tables
from vezaflow.units import Dimension

ROOT = Path(__file__).parent.parent
CASES = ROOT / "tests" / "cases"
EXAMPLES = ROOT / "docs" / "examples"  # one flow a table, by its name; the tests lint and run them
MOST_LINES = 12  # of an example that is shown whole
NOTE = "<!-- Made by docs/generate.py from vezaflow's own tables. Do not edit: change the table. -->\n"

CHAPTERS = (
    ("Suite and flow", ("suite", "flow", "guard", "preflight", "retry", "measure", "accept", "lint")),
    ("Reporting elsewhere", ("trace", "grafana", "notification")),
    ("The server's own figures", ("observe", "prometheus", "observed metric")),
    ("Profiles of the server", ("profile", "profile of an event")),
    ("Audited pages", ("audit", "page", "audits of a run")),
    ("Outputs", ("outputs", *(field.tables[0] for field in OUTPUT.fields))),
    ("Data and variables", ("data source", "computed value")),
    (
        "Load",
        (
            "constant-vus",
            "ramping-vus",
            "vu-stage",
            "per-vu-iterations",
            "shared-iterations",
            "constant-arrival-rate",
            "ramping-arrival-rate",
            "rate-stage",
            "externally-controlled",
        ),
    ),
    ("Connections", ("http", "request http", "tls")),
    ("Requests", ("request", "retrying", "wait", "auth", "basic", "body", "part", "upload", "part field")),
    ("Expected responses", ("expect", "header match", "json match", "body match")),
    ("Values from responses", ("extract",)),
    ("Fragments", ("include", "fragment", "input")),
    (
        "WebSockets",
        (
            "websocket",
            "repeated message",
            "reply",
            "close",
            "reconnect",
            "send",
            "message",
            "ack",
            "delivery",
            "receive",
            "received message",
            "expected message",
            "ping",
            "pong",
        ),
    ),
    ("Event streams", ("sse", "stream reconnect")),
    ("Steps", ()),  # all tables that no other chapter names
    ("Gates", ("gate",)),
)
SHOWN_IN = {  # the tables that are shown in another one's example
    **dict.fromkeys(("guard", "preflight", "retry", "accept", "lint", "grafana", "notification", "outputs"), "suite"),
    **dict.fromkeys(("event", "haproxy", "undo"), "suite"),
    **dict.fromkeys(("profile", "profile of an event"), "suite"),
    **dict.fromkeys(("observe", "prometheus", "observed metric"), "suite"),
    **dict.fromkeys((field.tables[0] for field in OUTPUT.fields), "suite"),
    **dict.fromkeys(("fragment", "input"), "parts/log-in"),
    **dict.fromkeys(("audit", "page"), "audit/pages"),
    "audits of a run": "suite",
    "trace": "suite",
    "vu-stage": "ramping-vus",
    "rate-stage": "ramping-arrival-rate",
    "branch": "choose",
    "basic": "auth",
    **dict.fromkeys(("repeated message", "reply", "close", "reconnect"), "websocket"),
    **dict.fromkeys(("message", "ack", "delivery"), "send"),
    **dict.fromkeys(("received message", "expected message"), "receive"),
    "pong": "ping",
    "stream reconnect": "sse",
}
ALSO = {"flow": ("pace",), "expect": ("certificate",)}  # further examples of a table
HUNDREDS = {
    "1": "Structure",
    "2": "Expressions, templates, units",
    "3": "Names and environment",
    "4": "Load, weights, the meaning of a flow",
    "5": "Gates",
    "6": "While the run goes on",
    "7": "The inputs of a run",
}
GIVEN = {
    Needs.NOTHING: "",
    Needs.RANDOM: "uses the VU's seeded random generator",
    Needs.CLOCK: "reads the clock",
    Needs.RESPONSE: "reads the response: only inside `expect`",
}


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def _table(headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    names = tuple(headings)
    return _row(*names) + "|---" * len(names) + "|\n" + "".join(_row(*row) for row in rows)


def _anchor(name: str) -> str:
    return "#" + name.lower().replace(" ", "-")


def _value(field: Field) -> str:
    """What may stand there, with links to the tables of mappings."""
    text = field.wanted
    if field.kind is Kind.CHOICE:
        text = ", ".join(f"`{choice}`" for choice in field.choices)
    links = [f"[{name}]({_anchor(name)})" for name in field.tables if name in TABLES]
    return f"{text}: {', '.join(links)}" if links else text


def _field(field: Field, left_out: str) -> tuple[str, ...]:
    example = f"`{field.key}: {field.example}`" if field.example else ""
    return f"`{field.key}`", _value(field), left_out, f"{field.doc} {example}".strip()


def _section(table: Table) -> str:
    left_out = "required" if len(table.one_of) == 1 else "exactly one of these"
    rows = [_field(field, left_out) for field in table.one_of]
    rows += [_field(field, "required" if field.required else field.default or "–") for field in table.fields]
    words = f"### {table.name}\n\n{table.doc}\n\n"
    words += _table(("key", "value", "default", "meaning"), rows)
    for keys in table.exclusive:
        words += f"\nAt most one of {', '.join(f'`{key}`' for key in keys)}.\n"
    return f"{words}\n{_shown(table.name)}\n"


def example_of(name: str) -> Path:
    """The file that shows how a table's keys are written."""
    return EXAMPLES / f"{SHOWN_IN.get(name, name).replace(' ', '-')}.yml"


def _shown(name: str) -> str:
    """The examples of a table, or where its example stands."""
    if name in SHOWN_IN:
        return f"See the example in {_link(example_of(name))}.\n"
    files = [example_of(each) for each in (name, *ALSO.get(name, ()))]
    shown = [path for path in files if path.exists()]  # a test says which is missing
    return "\n".join(f"{_link(path)}:\n\n```yml\n{path.read_text(encoding='utf-8')}```\n" for path in shown)


def _link(path: Path) -> str:
    return f"[{path.name}](../{path.relative_to(ROOT / 'docs')})"


def _contents(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}]({_anchor(name)})" for name in names)


def steps() -> str:
    """Every key of a suite, a flow, a step."""
    named = {name for _, names in CHAPTERS for name in names}
    rest = tuple(name for name in TABLES if name not in named)
    page = NOTE + "\n# Keys\n\nEvery key of a suite, of a flow and of a step. "
    page += "[language.md](../language.md) explains them. "
    page += "The examples are in [examples](../examples/suite.yml) and can be run.\n\n"
    page += "".join(f"- {title}: {_contents(names or rest)}\n" for title, names in CHAPTERS) + "\n"
    for title, names in CHAPTERS:
        page += f"## {title}\n\n"
        page += "".join(_section(TABLES[name]) for name in names or rest if name in TABLES)
        if title == "Requests":
            page += "The fields of `part` in the requests of an upload.\n\n"
            page += _table(("field", "meaning"), ((f"`part.{name}`", doc) for name, doc in PART_FIELDS.items()))
            page += "\n"
        if title == "Reporting elsewhere":
            page += "What the `json` of a notification can insert.\n\n"
            page += _table(
                ("field", "meaning"),
                (
                    (f"`{name}.{field}`", doc)
                    for name, fields in TEMPLATE_FIELDS.items()
                    for field, doc in fields.items()
                ),
            )
            page += "\n"
        if title == "Values from responses":
            page += "Fields of the items that these values find.\n\n"
            page += _table(
                ("value", "fields"),
                ((f"`{what}`", ", ".join(f"`{f}`" for f in fields)) for what, fields in ITEM_FIELDS.items()),
            )
            page += "\n"
    return page.rstrip("\n") + "\n"


def _function(function: Function) -> tuple[str, ...]:
    about = "; ".join(f"`{p.name}`: {p.doc}" for p in function.parameters if p.doc)
    example = f"`{function.example}`" + (f" is `{function.result}`" if function.result else "")
    remark = GIVEN[function.needs]
    words = [function.doc, f"({about})" if about else "", f"*{remark}*" if remark else ""]
    return f"`{function.signature}`", " ".join(word for word in words if word), example


def functions() -> str:
    """Every function that an expression can call."""
    page = NOTE + "\n# Functions\n\nWhat a `${…}` can call. "
    page += "`?` marks an optional argument, `…` any number of them.\n\n"
    return page + _table(("function", "result", "example"), (_function(f) for f in FUNCTIONS.values()))


BOUNDS = {
    Dimension.TIME: "a duration",
    Dimension.SIZE: "a size",
    Dimension.RATIO: "a percentage",
    Dimension.RATE: "a rate",
    None: "a number",
}


def _metrics(kind: MetricKind) -> Iterator[tuple[str, ...]]:
    gates = gates_shown()
    for metric in METRICS.values():
        if metric.kind is kind:
            labels = ", ".join(f"`{label}`" for label in metric.labels)
            yield f"`{metric.name}`", metric.doc, BOUNDS[metric.dimension], labels, f"`{gates.get(metric.name, '')}`"


def gates_shown() -> dict[str, str]:
    """A gate on each metric, from the example that has one on all of them."""
    lines = (EXAMPLES / "metrics.yml").read_text(encoding="utf-8").partition("\ngates:\n")[2].splitlines()
    written = [(line.strip(' "').partition(":")[0].partition("{")[0], line.strip()) for line in lines]
    return dict(reversed(written))  # of several the first


def metrics() -> str:
    """Every metric that a gate can name."""
    page = NOTE + "\n# Metrics\n\n"
    page += "What a gate can name: k6's names with k6's meanings, and a few more. "
    page += "[figures.md](../figures.md) says how they are measured; "
    page += "a suite names the server's own in [`observe`](../observing.md), and its profiles in "
    page += "[`profile`](../profiles.md). "
    page += "The gates stand together in [metrics.yml](../examples/metrics.yml). "
    page += "All metrics but `vus`, `vus_max` and `recovery_time` also have the label `during`: the name of an "
    page += "[event](../events.md), or `none`.\n\n"
    for kind in MetricKind:
        aggregates = ", ".join(f"`{name}(95)`" if name == "p" else f"`{name}`" for name in AGGREGATES[kind])
        page += f"## {kind.value.capitalize()}s\n\nAggregates: {aggregates}.\n\n"
        page += _table(("metric", "what it is", "measured in", "labels", "a gate"), _metrics(kind)) + "\n"
    page += "## Audited pages\n\nWhat the gates of an [audit](../audits.md) can name, with the label `page`.\n\n"
    rows = (
        (f"`{metric.name}`", metric.doc, f"`{metric.aggregate}`", BOUNDS[metric.dimension])
        for metric in LIGHTHOUSE.values()
    )
    page += _table(("metric", "what it is", "aggregate", "measured in"), rows)
    return page.rstrip("\n") + "\n"


def _messages(case: Path) -> Iterator[str]:
    """The messages of a case, one by one."""
    text = case.read_text(encoding="utf-8")
    return (piece.strip("\n") for piece in text.split("\n\n") if piece.startswith(("error[", "warning[")))


def _example(code: str) -> str:
    """The smallest case of tests/cases that shows a code: the file, if one sees it at a glance, and the message."""
    shown = [
        (case.with_suffix(".yml"), message)
        for case in sorted(CASES.glob("*/*.txt"))
        for message in _messages(case)
        if f"[{code}]" in message.partition("\n")[0]
    ]
    if not shown:
        return ""
    file, message = min(shown, key=lambda pair: (pair[0].is_file() and pair[0].stat().st_size) or 10_000)
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    plain = text.replace("\n", "").isprintable() and 0 < text.count("\n") <= MOST_LINES
    return (f"```yml\n{text}```\n\n" if plain else "") + f"```text\n{message}\n```\n"


def codes() -> str:
    """Every code that a message can carry, with an example that the tests hold lint to."""
    page = NOTE + "\n# Codes\n\nWhat the code of a message means. A code never changes its meaning.\n\n"
    page += _table(
        ("code", "what it says", ""),
        ((f"[{rule.code}]({_anchor(rule.code)})", rule.title, rule.severity.value) for rule in CODES.values()),
    )
    hundred = ""
    for code, rule in CODES.items():
        if code[2] != hundred:
            hundred = code[2]
            page += f"\n## {HUNDREDS[hundred]}\n"
        page += f"\n### {code}\n\n**{rule.title}** ({rule.severity.value}). {rule.doc}\n"
        example = _example(code)
        page += f"\n{example}" if example else ""
    return page


PAGES: dict[str, Callable[[], str]] = {
    ".github/workflows/loadtest.yml": shipped_workflow,
    "docs/reference/steps.md": steps,
    "docs/reference/functions.md": functions,
    "docs/reference/metrics.md": metrics,
    "docs/reference/codes.md": codes,
    **{f"schema/{name}.json": partial(schema_text, name) for name in SCHEMAS},
    "schema/summary.json": summary_schema_text,
    "schema/acceptance.json": acceptance_schema_text,
    "vezaflow/syntax/grammar.json": grammar_tables,
}


def stale() -> list[str]:
    """The pages that are not what the tables say."""
    return [
        name
        for name, make in PAGES.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != make()
    ]


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        for name in stale():
            sys.stderr.write(f"{name} is stale: run `python docs/generate.py`\n")
        return 1 if stale() else 0
    for name, make in PAGES.items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
