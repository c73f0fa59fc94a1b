"""Files of audited pages below `audit/`, and which of them a suite's run audits.

Login and pages become a flow (see `Audit`), so that everything that is true of a flow's steps is true of them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from vezaflow.diagnostics import Diagnostics, Source, did_you_mean, suggest
from vezaflow.keys import AUDIT, AUDIT_ORDERS, PAGE, Kind
from vezaflow.model import (
    AUDIT_RUNS,
    Audit,
    AuditedPage,
    AuditMoment,
    AuditOrder,
    Executor,
    Flow,
    FormFactor,
    JsonBody,
    Load,
    Request,
    RequestDefaults,
    Step,
)
from vezaflow.read import scalars
from vezaflow.read.flow import read_variables
from vezaflow.read.gates import read_gates
from vezaflow.read.mappings import Row, first_key, open_mapping, pairs, sub_mapping
from vezaflow.read.steps import read_steps
from vezaflow.read.trees import tree, words
from vezaflow.syntax import Entry, Expression, Literal, Mapping, Node, Sequence

FOLDER = "audit"
MOST_RUNS = 100


def read_audit(node: Node, source: Source, path: str, diagnostics: Diagnostics) -> Audit | None:
    """The audit of a file; its name is the file's stem unless it gives one."""
    row = open_mapping(node, AUDIT, diagnostics)
    if row is None:
        return None
    named = row.node("audit")
    entries = tuple(_pages(row))
    pages = tuple(page for page, _ in entries)
    requests = tuple(request for _, request in entries)
    runs, form_factor = row.constant("runs"), row.constant("form_factor")
    if (written := row.node("runs")) is not None and isinstance(runs, int) and not 1 <= runs <= MOST_RUNS:
        diagnostics.error("VF120", written.span, f"'runs' must be a number from 1 to {MOST_RUNS}")
    flow = Flow(
        name=row.text("audit") or Path(path).stem,
        description=row.text("description"),
        load=Load(Executor.SHARED_ITERATIONS, row.span, vus=Literal(1, row.span), iterations=Literal(1, row.span)),
        vars=read_variables(row),
        defaults=RequestDefaults(),
        login=read_steps(row, "login"),
        steps=(*requests, *_storage(row, requests)),
        final=(),
        think=None,
        pace=None,
        gates=(),
        measure=None,
        source=source,
        span=named.span if named else first_key(row.mapping),
        base_url=row.expression("base_url"),
    )
    return Audit(
        path=path,
        pages=pages,
        flow=flow,
        runs=runs if isinstance(runs, int) else AUDIT_RUNS,
        form_factor=next((each for each in FormFactor if each.value == form_factor), FormFactor.MOBILE),
        timeout=row.expression("timeout"),
        gates=read_gates(row, "gates") if _short(row) else (),
    )


def _pages(row: Row) -> Iterator[tuple[AuditedPage, Request]]:
    entries = pairs(row.node("pages"), "'pages'", Kind.PAGES.value, row.diagnostics, example="{login: /login}")
    if (node := row.node("pages")) is not None and isinstance(node, Mapping) and not entries:
        row.diagnostics.error("VF121", node.span, "'pages' must not be empty", help="for instance `{login: /login}`")
    for entry in entries:
        url, redirects = _page(entry, row)
        if url is not None:
            yield AuditedPage(entry.key.text, redirects, entry.key.span), _get(entry, url)


def _page(entry: Entry, row: Row) -> tuple[Expression | None, bool]:
    """The page's URL, and whether it may lead to another."""
    if not isinstance(entry.value, Mapping):
        path = PAGE.field("path")
        assert path is not None
        return scalars.expression(entry.value, path, row.diagnostics), False
    inner = open_mapping(entry.value, PAGE, row.diagnostics)
    if inner is None:
        return None, False
    return inner.expression("path"), inner.constant("redirects") is True


def _get(entry: Entry, url: Expression, body: JsonBody | None = None) -> Request:
    return Request(
        method="GET",
        url=url,
        name=entry.key.text,
        named=True,
        query=(),
        body=body,
        options=RequestDefaults(),
        expect=None,
        extract=(),
        retry=None,
        span=entry.key.span,
        url_span=url.span,
    )


def _storage(row: Row, pages: tuple[Request, ...]) -> tuple[Step, ...]:
    """The request whose body is the local storage of the first page's origin."""
    node = row.node("local_storage")
    if node is None or not pages:
        return ()
    if not isinstance(node, Mapping):
        scalars.report_shape(node, "'local_storage'", "a mapping of names to values", row.diagnostics)
        return ()
    body = JsonBody(tree(node, row.diagnostics), node.span)
    return (_get(row.entries["local_storage"], pages[0].url, body),)


def _short(row: Row) -> bool:
    """Whether all gates are conditions: no audit can abort, and none has samples."""
    good = True
    for entry in pairs(row.node("gates"), "'gates'", Kind.PAGE_GATES.value, row.diagnostics):
        nodes = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
        for node in nodes:
            if isinstance(node, Mapping):
                what, wanted = f"'{entry.key.text}'", "a condition such as `score >= 90`"
                scalars.report_shape(node, what, wanted, row.diagnostics)
                good = False
    return good


def read_orders(suite: Row) -> tuple[AuditOrder, ...]:
    """Which files a run audits, and when."""
    row = sub_mapping(suite, "audit", AUDIT_ORDERS)
    if row is None:
        return ()
    return tuple(
        AuditOrder(moment, os.path.normpath(word.text).replace(os.sep, "/"), word.span)
        for moment in AuditMoment
        for word in words(row, moment.value)
    )


def check_orders(orders: tuple[AuditOrder, ...], known: tuple[str, ...], diagnostics: Diagnostics) -> None:
    """The orders of files that there are not, of all below `audit/`."""
    for order in orders:
        if order.path not in known:
            near = suggest(order.path, known)
            diagnostics.error(
                "VF408",
                order.span,
                f"no such file '{order.path}' of audited pages",
                label=did_you_mean(near),
                help="" if near else f"files of audited pages are in `{FOLDER}/`, such as `{FOLDER}/pages.yml`",
            )
