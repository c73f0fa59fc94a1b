"""Pages audited by Lighthouse in a browser of its own: what it takes, how it is run, what came of it."""

from vezaflow.audit.auditor import Auditor, Visit
from vezaflow.audit.judging import judge_pages
from vezaflow.audit.record import AUDIT_SHAPE, AuditRecord, PageAudit, audit_from_json, audit_to_json
from vezaflow.audit.tools import PINNED, Tool, Tools, find_tools, require_tools

__all__ = [
    "AUDIT_SHAPE",
    "PINNED",
    "AuditRecord",
    "Auditor",
    "PageAudit",
    "Tool",
    "Tools",
    "Visit",
    "audit_from_json",
    "audit_to_json",
    "find_tools",
    "judge_pages",
    "require_tools",
]
