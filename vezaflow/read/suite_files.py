"""Paths → a Suite. All files are read and all their faults collected before anybody looks at the result.

A suite is one folder: `suite.yml` (or suite.yaml), and every other `*.yml` or `*.yaml` directly inside is a
flow. A path may be the folder, or flow files of it; those run with the suite.yml beside them; a fragment below
`parts/` stands for the whole suite that it belongs to. Texts of `overlay` stand in for files (an editor's buffer, a
bundle from another machine), existing or not.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vezaflow.diagnostics import Diagnostics, Edit, Source, Span, suggest
from vezaflow.model import Audit, Flow, Ignore, Suite
from vezaflow.read.audits import FOLDER as AUDITS
from vezaflow.read.audits import check_orders, read_audit
from vezaflow.read.data import DataFiles
from vezaflow.read.files import content, is_file
from vezaflow.read.flow import read_flow
from vezaflow.read.fragments import FOLDER, Fragments
from vezaflow.read.suite import bare_suite, suite_of
from vezaflow.read.suppressions import read_comments
from vezaflow.syntax import Node, decode, read_yaml

_SUITE_NAMES = ("suite.yml", "suite.yaml")
_ENDINGS = (".yml", ".yaml")
# `http_req_duration{step: segment}: …`: YAML ends the key at the first ": "
_SPACED_LABEL = re.compile(r"^[ \t]*(?P<key>[A-Za-z_]\w*\{[^}\n]{0,300}:[ \t][^}\n]{0,300}\})[ \t]*:", re.MULTILINE)


@dataclass(slots=True)
class _Files:
    """Which files belong together, and their texts."""

    diagnostics: Diagnostics
    overlay: Mapping[Path, str]
    sources: dict[str, Source] = field(default_factory=dict)
    ignores: list[Ignore] = field(default_factory=list)  # of all files' comments

    def exists(self, path: Path) -> bool:
        return path in self.overlay or is_file(path)

    def is_folder(self, path: Path) -> bool:
        return path.is_dir() or any(known.parent == path for known in self.overlay)

    def inside(self, folder: Path) -> list[Path]:
        """The YAML files directly in a folder, by name."""
        found = {path for path in self.overlay if path.parent == folder}
        if folder.is_dir():
            found.update(path for path in folder.iterdir() if path.is_file())
        return sorted(p for p in found if p.suffix in _ENDINGS and not p.name.startswith("."))

    def below(self, folder: Path) -> list[Path]:
        """The YAML files anywhere in a folder, by name."""
        found = {path for path in self.overlay if folder in path.parents}
        found.update(path for path in folder.rglob("*") if path.is_file())
        return sorted(p for p in found if p.suffix in _ENDINGS and not p.name.startswith("."))

    def node(self, path: Path) -> tuple[Source, Node | None] | None:
        """A file's text and tree; None if there is no text."""
        source = self._source(path)
        if source is None:
            return None
        self.sources[source.path] = source
        found = Diagnostics()
        node = read_yaml(source, found)
        if node is not None or not _spaced_labels(source, self.diagnostics):
            self.diagnostics.extend(found)
        if node is not None:
            self.ignores.extend(read_comments(source, node))
        return source, node

    def _source(self, path: Path) -> Source | None:
        if path in self.overlay:
            return Source(str(path), self.overlay[path])
        try:
            found = content(path)
        except OSError as error:
            self.diagnostics.error("VF132", None, f"{path} can't be read: {error.strerror or error}")
            return None
        return decode(str(path), found, self.diagnostics)


def read_suite(
    paths: Sequence[Path],
    diagnostics: Diagnostics,
    *,
    overlay: Mapping[Path, str] | None = None,
    included_only: bool = False,
) -> Suite | None:
    """The suite that the paths name, every fault of every file in `diagnostics`; None if there is none.

    `included_only`: no fragments that nothing includes, and no audits that the suite doesn't run; without it they are
    read, too, when all flows are there.

    With errors in `diagnostics` the suite is what could be read: fit for more checks, not for a run.
    """
    files = _Files(diagnostics, {Path(os.path.normpath(p)): text for p, text in (overlay or {}).items()})
    found = _flow_files([Path(os.path.normpath(path)) for path in paths], files)
    if found is None:
        return None
    root, suite_file, flow_files = found
    opened = files.node(suite_file) if suite_file else None
    fragments, data_sources = Fragments(root, files, diagnostics), DataFiles(root, files.overlay, diagnostics)
    flows = tuple(flow for path in flow_files if (flow := _flow(path, files, fragments, data_sources)) is not None)
    _distinct(flows, diagnostics)
    if opened is None or opened[1] is None:
        suite = bare_suite(root, flows, files.sources)
    else:
        suite = suite_of(opened[1], root, flows, files.sources, diagnostics)
        suite = replace(suite, setup=fragments.resolve(suite.setup), teardown=fragments.resolve(suite.teardown))
        suite = replace(suite, events=tuple(event.rebuilt(fragments.resolve) for event in suite.events))
        suite = replace(suite, data=data_sources.resolve(suite.data))
    whole = set(_flows_in(root, files)) <= set(flow_files)
    audit_paths = tuple(_audit_paths(root, files))
    check_orders(suite.audits, audit_paths, diagnostics)
    audits = _audits(root, {order.path for order in suite.audits} if included_only else None, files, fragments)
    if whole and not included_only:
        fragments.read_others(files.below(root / FOLDER))
    ignores = (*suite.ignores, *files.ignores)
    return replace(
        suite,
        ignores=ignores,
        fragments=fragments.all,
        whole=whole,
        audit_files=audits,
        unread=len(audits) < len(audit_paths),
    )


def _audit_paths(root: Path, files: _Files) -> list[str]:
    """The files of audited pages, from the suite's folder; a folder with a suite.yml is a suite of its own."""
    folder = root / AUDITS
    return [] if _is_suite(folder, files) else [path.relative_to(root).as_posix() for path in files.below(folder)]


def _is_suite(folder: Path, files: _Files) -> bool:
    return any(files.exists(folder / name) for name in _SUITE_NAMES)


def _audits(root: Path, wanted: set[str] | None, files: _Files, fragments: Fragments) -> tuple[Audit, ...]:
    """The audits below the suite's folder; `wanted`: no others."""
    found = []
    for path in _audit_paths(root, files):
        opened = files.node(root / path) if wanted is None or path in wanted else None
        if opened is None or opened[1] is None:
            continue
        audit = read_audit(opened[1], opened[0], path, files.diagnostics)
        if audit is not None:
            flow = replace(audit.flow, login=fragments.resolve(audit.flow.login))
            found.append(replace(audit, flow=flow))
    return tuple(found)


def _meant(path: Path) -> str:
    """What lies beside a path that does not exist, and is nearly called so."""
    try:
        near = suggest(path.name, os.listdir(path.parent))
    except OSError:
        return ""
    return f"did you mean {path.parent / near}?" if near else ""


def _flow_files(paths: Sequence[Path], files: _Files) -> tuple[Path, Path | None, list[Path]] | None:
    """The suite's folder, its suite file, and the flows asked for."""
    folders: dict[Path, None] = {}
    flows: dict[Path, None] = {}
    for path in (_suite_of(path, files) for path in paths):
        whole = files.is_folder(path) or path.name in _SUITE_NAMES
        folder = path if files.is_folder(path) else path.parent
        if not files.is_folder(path) and not files.exists(path):
            if os.path.exists(path):  # as in `is_file`
                files.diagnostics.error("VF132", None, f"{path} is neither a file nor a folder")
            else:
                files.diagnostics.error("VF132", None, f"{path} does not exist", help=_meant(path))
            continue
        folders[folder] = None
        flows.update(dict.fromkeys(_flows_in(folder, files) if whole else [path]))
    if not folders:
        if not paths:
            files.diagnostics.error("VF132", None, "no flow files")
        return None
    root, *others = folders
    if others:
        files.diagnostics.error(
            "VF131",
            None,
            f"{root} and {others[0]} are different suites",
            help="run one suite after the other",
        )
        return None
    if not flows and not _audit_paths(root, files):
        files.diagnostics.error(
            "VF132",
            None,
            f"{root} contains no flows",
            help="a flow is a *.yml file directly in the suite's folder",
        )
    return root, _suite_file(root, files), list(flows)


def _suite_of(path: Path, files: _Files) -> Path:
    """The suite's folder, if the path is of one of its fragments or audits; else the path."""
    above = path.parent.parts
    if FOLDER in above and path.suffix in _ENDINGS:
        return Path(*above[: above.index(FOLDER)])
    for folder in (path, *path.parents):
        if folder.name == AUDITS and _is_suite(folder.parent, files) and not _is_suite(folder, files):
            return folder.parent
    return path


def _flows_in(folder: Path, files: _Files) -> list[Path]:
    return [path for path in files.inside(folder) if path.name not in _SUITE_NAMES]


def _suite_file(folder: Path, files: _Files) -> Path | None:
    there = [folder / name for name in _SUITE_NAMES if files.exists(folder / name)]
    if len(there) > 1:
        files.diagnostics.error("VF131", None, f"both {there[0]} and {there[1]} exist", help="remove one of them")
    return there[0] if there else None


def _flow(path: Path, files: _Files, fragments: Fragments, data_sources: DataFiles) -> Flow | None:
    opened = files.node(path)
    if opened is None or opened[1] is None:
        return None
    source, node = opened
    assert node is not None
    flow = read_flow(node, source, path.stem, files.diagnostics)
    if flow is None:
        return None
    login, steps, final = (fragments.resolve(each) for each in (flow.login, flow.steps, flow.final))
    return replace(flow, login=login, steps=steps, final=final, data=data_sources.resolve(flow.data))


def _distinct(flows: tuple[Flow, ...], diagnostics: Diagnostics) -> None:
    first: dict[str, Flow] = {}
    for flow in flows:
        other = first.setdefault(flow.name, flow)
        if other is not flow:
            diagnostics.error(
                "VF130",
                flow.span,
                f"two flows are named '{flow.name}'",
                label="the second",
                help="rename one of them",
                related=((other.span, "the first"),),
            )


def _spaced_labels(source: Source, diagnostics: Diagnostics) -> bool:
    """Whether a gate's label has the blank that makes YAML end the key there."""
    found = False
    for match in _SPACED_LABEL.finditer(source.text):
        found = True
        span, right = Span(source, *match.span("key")), re.sub(r":[ \t]+", ":", match["key"])
        diagnostics.error(
            "VF129",
            span,
            "space after the colon in a gate's label",
            label="YAML ends the key at `: `",
            help=f"write `{right}`",
            fix=Edit(span, right),
        )
    return found
