"""The pages of the documentation, and the YAML in them."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "bench" / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SUITE = "base_url: http://127.0.0.1:8080\n"
FLOW = "steps: [{get: /}]\ngates: {http_req_failed: rate < 1 %}\n"


def blocks() -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}", found[1])
        for page in PAGES
        for text in [page.read_text(encoding="utf-8")]
        for found in FENCE.finditer(text)
    ]


def as_files(block: str) -> dict[str, str]:
    """The suite that the block is a part of."""
    keys = {line.split(":")[0] for line in block.splitlines() if line[:1].isalpha()}
    if "pages" in keys:
        return {"suite.yml": SUITE, "flow.yml": FLOW, "audit/pages.yml": block}
    if "steps" in keys:
        return {"suite.yml": SUITE, "flow.yml": block}
    if keys:
        return {"suite.yml": block, "flow.yml": FLOW}
    return {"suite.yml": SUITE, "flow.yml": "steps:\n" + textwrap.indent(block, "  ")}
