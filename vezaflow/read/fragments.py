"""Fragments: files of steps below `parts/`, read once each however many steps include them.

What stands in a fragment means what it means there: it sees its inputs and what its own steps set, nothing of who
includes it; only its outputs go back. Includes may nest, never in a circle, and all of a suite's together stay within
MOST_STEPS.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from vezaflow.diagnostics import Diagnostics, Related, Source, did_you_mean, suggest
from vezaflow.keys import FRAGMENT
from vezaflow.model import Fragment, Include, Step, all_steps, own_steps
from vezaflow.read.include import check_outputs, given_values, read_inputs
from vezaflow.read.mappings import open_mapping
from vezaflow.read.steps import read_steps
from vezaflow.read.trees import words
from vezaflow.syntax import Node

FOLDER = "parts"
MOST_STEPS = 100_000  # of all includes together, each counted where it stands


class Files(Protocol):
    """How texts are come by."""

    def exists(self, path: Path) -> bool: ...

    def node(self, path: Path) -> tuple[Source, Node | None] | None: ...


@dataclass(slots=True)
class Fragments:
    """The fragments of one suite; `resolve` fills them in where steps include them."""

    root: Path
    files: Files
    diagnostics: Diagnostics
    _read: dict[str, Fragment | None] = field(default_factory=dict)
    _steps: int = 0
    _full: bool = False

    @property
    def all(self) -> tuple[Fragment, ...]:
        return tuple(fragment for fragment in self._read.values() if fragment is not None)

    def resolve(self, steps: tuple[Step, ...], chain: tuple[Include, ...] = ()) -> tuple[Step, ...]:
        """The same steps with their fragments; `chain` leads to the file that they stand in."""
        return tuple(self._step(step, chain) for step in steps)

    def _step(self, step: Step, chain: tuple[Include, ...]) -> Step:
        if isinstance(step, Include):
            return self._include(step, chain)
        return step.rebuilt(lambda steps: self.resolve(steps, chain))

    def _include(self, step: Include, chain: tuple[Include, ...]) -> Include:
        path = os.path.normpath(step.path).replace(os.sep, "/")
        if self._full or not step.path or not self._may_be_read(path, step):
            return step
        if path in (outer.path for outer in chain):
            self._circle(replace(step, path=path), chain)
            return step
        step = replace(step, path=path)
        if path not in self._read:
            self._read[path] = self._open(path, (*chain, step))
        fragment = self._read[path]
        if fragment is None or not self._within_bounds(step, fragment):
            return step
        check_outputs(step, fragment, self.diagnostics)
        return replace(step, values=given_values(step, fragment, self.diagnostics), fragment=fragment)

    def _may_be_read(self, path: str, step: Include) -> bool:
        whole = self.root / path
        if not path.startswith(f"{FOLDER}/") or not _is_inside(whole, self.root / FOLDER):
            self.diagnostics.error(
                "VF407",
                step.path_span,
                f"'{step.path}' is not in the suite's folder '{FOLDER}'",
                help=f"put fragments into `{FOLDER}/`; files there are not read as flows",
            )
        elif not self.files.exists(whole):
            near = suggest(path, _beside(self.root, path))
            self.diagnostics.error(
                "VF408",
                step.path_span,
                f"no such file '{path}' in the suite's folder",
                label=did_you_mean(near),
            )
        else:
            return True
        return False

    def read_others(self, paths: Iterable[Path]) -> None:
        """Read the fragments among these files that no flow includes, and say of those that nothing does."""
        inside = (path for path in paths if _is_inside(path, self.root / FOLDER))
        others = sorted({path.relative_to(self.root).as_posix() for path in inside} - self._read.keys())
        for path in others:
            if path not in self._read:
                self._read[path] = self._open(path, ())
        included = {step.path for path in others for step in self._includes_of(path)}
        for path in others:
            fragment = self._read[path]
            if path not in included and fragment is not None and fragment.steps:
                self.diagnostics.warning(
                    "VF434",
                    fragment.steps[0].span,
                    f"unused fragment '{path}'",
                    help=f"`include: {path}` in a flow runs its steps; remove the file if it is not needed",
                )

    def _includes_of(self, path: str) -> Iterator[Include]:
        fragment = self._read[path]
        return (step for step in own_steps(fragment.steps if fragment else ()) if isinstance(step, Include))

    def _open(self, path: str, chain: tuple[Include, ...]) -> Fragment | None:
        whole = self.root / path
        self.diagnostics.within(str(whole), _places(chain))
        opened = self.files.node(whole)
        if opened is None or opened[1] is None:
            return None
        source, node = opened
        row = open_mapping(node, FRAGMENT, self.diagnostics) if node is not None else None
        if row is None:
            return None
        steps = self.resolve(read_steps(row, "steps"), chain)
        outputs = words(row, "outputs")
        return Fragment(
            path=path,
            source=source,
            chain=_places(chain),
            inputs=read_inputs(row),
            outputs=tuple((output.text, output.span) for output in outputs),
            steps=steps,
            size=sum(1 for _ in all_steps(steps)),
        )

    def _within_bounds(self, step: Include, fragment: Fragment) -> bool:
        if self._full:
            return False
        self._steps += fragment.size
        self._full = self._steps > MOST_STEPS
        if not self._full:
            return True
        self.diagnostics.error(
            "VF141",
            step.path_span,
            f"the includes of this suite expand to more than {MOST_STEPS:,} steps",
            help="use a loop around one include instead of many includes",
        )
        return False

    def _circle(self, step: Include, chain: tuple[Include, ...]) -> None:
        self.diagnostics.error(
            "VF138",
            step.path_span,
            f"'{step.path}' includes itself",
            label="this include closes the circle",
            help="a fragment can't include itself, directly or indirectly; to repeat steps use `while` or `repeat`",
            related=_places(chain),
        )


def _places(chain: tuple[Include, ...]) -> Related:
    """Where each file of a chain is included, the nearest first."""
    return tuple((step.path_span, "included here") for step in reversed(chain))


def _is_inside(path: Path, folder: Path) -> bool:
    whole = str(path)
    return "\0" not in whole and os.path.realpath(whole).startswith(os.path.realpath(folder) + os.sep)


def _beside(root: Path, path: str) -> list[str]:
    folder = PurePosixPath(path).parent
    try:
        return [str(folder / name) for name in os.listdir(root / folder)]
    except OSError:
        return []
