"""Pages that Lighthouse audits, as written: which of them, on what, and when a run audits them."""

from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span

AUDIT_RUNS = 5  # how often a page is audited, if the file does not say


class FormFactor(Enum):
    """What the browser pretends to be."""

    MOBILE = "mobile"
    DESKTOP = "desktop"


class AuditMoment(Enum):
    """When a run audits pages."""

    BEFORE = "before"  # before the load
    DURING = "during"  # while the load goes on
    AFTER = "after"  # after the load


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """A run audits the pages of this file, named from the suite's folder."""

    moment: AuditMoment
    path: str
    span: Span  # of the path


@dataclass(frozen=True, slots=True)
class AuditedPage:
    """`redirects`: whether it may lead to another URL, which is then what is audited."""

    name: str
    redirects: bool
    span: Span  # of the name
