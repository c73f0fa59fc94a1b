"""A hook of MkDocs: links that leave docs/ point to the repository, so that pages read alike there and on the site.

The documentation of a release, which a workflow builds at its tag, points to the files of that release.
"""

import os
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """MkDocs' event: the text of a page, before it is rendered."""
    folder = Path(page.file.abs_src_path).parent
    docs = Path(config.docs_dir)
    commit = os.environ["GITHUB_REF_NAME"] if os.environ.get("GITHUB_REF_TYPE") == "tag" else "main"

    def replaced(link: re.Match[str]) -> str:
        target = (folder / link[1]).resolve()
        if "://" in link[1] or not target.exists() or (target.is_relative_to(docs) and target.is_file()):
            return link[0]
        kind = "tree" if target.is_dir() else "blob"
        return f"]({config.repo_url}/{kind}/{commit}/{target.relative_to(ROOT)}{link[2] or ''})"

    return _LINK.sub(replaced, markdown)
