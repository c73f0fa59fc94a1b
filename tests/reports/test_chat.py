"""Verdicts as chat messages: what the systems' own rules ask for, and text that stays text."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from sample_run import GREEN, RED, run

from vezaflow.model import TEMPLATE_FIELDS, Chat
from vezaflow.reports import chat_message, facts_of
from vezaflow.results import Link, RunResult, Standing

NASTY = "<@U1> & <script>alert(1)</script> `*_[x](http://evil.example)|"
PAGE = "https://git.example.org/veza/load/actions/runs/42"


def sent(chat: Chat, result: RunResult, page: str = PAGE, night: str = "") -> dict[str, Any]:
    """The body as its receiver reads it."""
    placed = replace(result, standing=Standing(night))
    found: dict[str, Any] = json.loads(orjson.dumps(chat_message(chat, facts_of(placed, page))))
    return found


def test_the_facts_are_those_that_the_reference_lists() -> None:
    facts = facts_of(run(RED))
    assert {name: set(fields) for name, fields in facts.items()} == {
        name: set(fields) for name, fields in TEMPLATE_FIELDS.items()
    }
    assert all(type(value) is str for fields in facts.values() for value in fields.values())


def test_the_facts_of_a_red_run() -> None:
    facts = facts_of(run(RED))
    assert facts["verdict"]["outcome"] == "red"
    assert facts["verdict"]["headline"].startswith("RED: ")
    broken = facts["verdict"]["broken"].splitlines()
    assert [line.partition(": ")[0] for line in broken] == ["all", "browse"]
    assert {**facts["run"], "p95": "", "failed": ""} == {
        "id": "20261124T023000Z-abc123",
        "suite": "veza-capacity",
        "url": "",
        "target": "https://staging.veza.fr",
        "p95": "",
        "failed": "",
        "started": "2026-11-24 02:30:00 UTC",
        "duration": "10 s",
    }


def test_the_url_is_the_ci_job_else_the_dashboard_else_nothing() -> None:
    linked = replace(run(GREEN), links=(Link("Grafana dashboard", "http://127.0.0.1:3000/d/k6"),))
    assert facts_of(linked, PAGE)["run"]["url"] == PAGE
    assert facts_of(linked)["run"]["url"] == "http://127.0.0.1:3000/d/k6"
    assert facts_of(run(GREEN))["run"]["url"] == ""


def test_slack_gets_blocks_within_its_limits() -> None:
    body = sent(Chat.SLACK, replace(run(RED), suite=NASTY * 10, base_url=NASTY * 100), night="night 2 of 3")
    kinds = [block["type"] for block in body["blocks"]]
    assert kinds == ["header", "section", "section", "section", "context", "section"]
    assert len(body["blocks"][0]["text"]["text"]) <= 150
    texts = [block["text"] for block in body["blocks"][1:] if "text" in block]
    texts += body["blocks"][4]["elements"]
    assert all(text["type"] == "mrkdwn" and 0 < len(text["text"]) <= 3000 for text in texts)
    *own, link = (text["text"] for text in texts[:4])
    assert link == f"<{PAGE}|Open the run>"
    assert not any("<" in text or ">" in text for text in [*own, body["text"], texts[-1]["text"]])


def test_mattermost_gets_markdown_in_which_nothing_of_the_run_is_markup() -> None:
    text = sent(Chat.MATTERMOST, replace(run(RED), suite=NASTY))["text"]
    assert text.startswith("#### ❌ \\<@U1\\> & \\<script\\>")
    assert "[x](" not in text
    assert text.endswith(f"[Open the run](<{PAGE}>)")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_matrix_gets_text_and_html_in_which_nothing_of_the_run_is_markup() -> None:
    body = sent(Chat.MATRIX, replace(run(RED), suite=NASTY), night="night 2 of 3")
    assert set(body) == {"text", "html"}
    page = Tags()
    page.feed(body["html"])
    assert page.found == ["h4", "p", "ul", "li", "li", "p", "p", "p", "a"]
    assert NASTY in page.text
    assert NASTY in body["text"]
    assert "night 2 of 3" in body["text"]


@pytest.mark.parametrize("chat", Chat)
def test_a_green_run_without_a_page_has_no_empty_parts(chat: Chat) -> None:
    body = sent(chat, run(GREEN), page="")
    assert "Open the run" not in json.dumps(body)
    assert "\n\n" not in body["text"]
