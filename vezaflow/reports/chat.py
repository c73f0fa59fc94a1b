"""A verdict as a chat message: the facts that notifications insert, and the bodies for Slack, Mattermost and Matrix.

Law: what a run or a target said is text in the message, never its markup. Slack's limits are kept: a header of 150
characters, a section of 3,000.
"""

from collections.abc import Mapping
from html import escape
from typing import Any, assert_never

from vezaflow import units
from vezaflow.model import Chat
from vezaflow.plan import Facts
from vezaflow.reports import rows
from vezaflow.results import RunResult, headline

_HEADER, _SECTION = 150, 3000
_SIGNS = {"green": "✅", "red": "❌", "inconclusive": "⚠️", "accepted": "🏁"}
_MARKDOWN = r"\`*_{}[]()<>#|~"


def facts_of(result: RunResult, page: str = "") -> Facts:
    """What can be inserted of a run, all of it text. `page`: the CI job's."""
    row = rows.flow_rows(result)[-1]
    broken = (f"{verdict.gate.flow or rows.ALL}: {verdict.gate.text}: {verdict.shown}" for verdict in result.broken)
    seconds = round(result.duration) if result.duration >= 1 else result.duration
    return {
        "verdict": {
            "headline": headline(result.outcome, result.verdicts, result.concerns),
            "outcome": result.outcome.value,
            "broken": "\n".join(broken),
        },
        "run": {
            "id": result.run_id,
            "suite": result.suite,
            "url": page or next((link.url for link in result.links), ""),
            "target": result.base_url,
            "p95": rows.time(row.p95),
            "failed": rows.share(row.failed),
            "started": f"{result.started:%Y-%m-%d %H:%M:%S} UTC",
            "duration": units.duration(seconds),
        },
        "night": {"text": result.standing.night},
    }


def as_accepted(facts: Facts, why: str) -> Facts:
    """The facts of a run with which the suite is accepted, for those who want to hear of that."""
    return {**facts, "verdict": {**facts["verdict"], "outcome": "accepted", "headline": why}}


def chat_message(chat: Chat, facts: Facts) -> dict[str, Any]:
    """The body, as a JSON object, that a chat system's webhook takes."""
    match chat:
        case Chat.SLACK:
            return _slack(facts)
        case Chat.MATTERMOST:
            return {"text": _mattermost(facts)}
        case Chat.MATRIX:
            return {"text": _plain(facts), "html": _html(facts)}
        case never:
            assert_never(never)


def _title(facts: Facts) -> str:
    verdict = facts["verdict"]
    return f"{_SIGNS.get(verdict['outcome'], '')} {facts['run']['suite']}: {verdict['headline']}".strip()


def _details(run: Mapping[str, str]) -> list[str]:
    target = f" on {run['target']}" if run["target"] else ""
    figures = f"p95 {run['p95']}, failed {run['failed']}"
    return [figures, f"{run['started']}, {run['duration']}{target}, run {run['id']}"]


def _slack(facts: Facts) -> dict[str, Any]:
    """Block Kit; `text` is what notifications on a phone show."""
    title, broken, night = _title(facts), facts["verdict"]["broken"], facts["night"]["text"]
    figures, context = _details(facts["run"])
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _HEADER)}},
        *(_section(text) for text in (figures, broken, night) if text),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(_slack_text(context), _SECTION)}]},
    ]
    if url := facts["run"]["url"]:
        blocks.append(_section_of(f"<{_slack_text(url).replace('|', '%7C')}|Open the run>"))
    return {"text": _slack_text(title), "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return _section_of(_cut(_slack_text(text), _SECTION))


def _section_of(markup: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": markup}}


def _slack_text(text: str) -> str:
    """Slack's three control characters, escaped."""
    return escape(text, quote=False)


def _mattermost(facts: Facts) -> str:
    figures, context = _details(facts["run"])
    lines = [f"#### {_markdown(_title(facts))}", _markdown(figures)]
    lines += [f"- {_markdown(line)}" for line in facts["verdict"]["broken"].splitlines()]
    lines += [_markdown(line) for line in (facts["night"]["text"], context) if line]
    if url := facts["run"]["url"]:
        lines.append(f"[Open the run](<{url}>)")
    return "\n".join(lines)


def _markdown(text: str) -> str:
    return "".join(f"\\{sign}" if sign in _MARKDOWN else sign for sign in text)


def _plain(facts: Facts) -> str:
    broken, night, url = facts["verdict"]["broken"], facts["night"]["text"], facts["run"]["url"]
    figures, context = _details(facts["run"])
    return "\n".join(line for line in (_title(facts), figures, broken, night, context, url) if line)


def _html(facts: Facts) -> str:
    figures, context = _details(facts["run"])
    broken = "".join(f"<li>{escape(line)}</li>" for line in facts["verdict"]["broken"].splitlines())
    parts = [f"<h4>{escape(_title(facts))}</h4>", f"<p>{escape(figures)}</p>", f"<ul>{broken}</ul>" if broken else ""]
    parts += [f"<p>{escape(line)}</p>" for line in (facts["night"]["text"], context) if line]
    if url := facts["run"]["url"]:
        parts.append(f'<p><a href="{escape(url)}">Open the run</a></p>')
    return "".join(parts)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
