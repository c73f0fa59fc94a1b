"""docs/images/run.svg: a real run in a real terminal, its progress half-way and its end.

    python docs/screenshot.py            wants tmux; takes as long as the run, about half a minute

tmux plays the terminal (the live display redraws in place), rich draws what it held. The SVG names no font to
fetch: it uses the reader's own.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parent.parent
IMAGE = ROOT / "docs" / "images" / "run.svg"
WIDTH, HEIGHT = 100, 60
COMMAND = "vezaflow run flows --sandbox --scale 0.5 --duration 20s"
HALF_WAY = " 12 s of 20 s"
DONE = "ended-with-"
FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
FAMILY = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
THEME = TerminalTheme(
    (22, 24, 29),
    (214, 217, 224),
    [(40, 44, 52), (240, 98, 98), (126, 200, 120), (229, 192, 108), (104, 160, 240), (198, 140, 230),
     (92, 190, 200), (214, 217, 224)],
    [(110, 116, 128), (250, 120, 120), (150, 220, 145), (245, 212, 135), (130, 182, 255), (218, 165, 245),
     (120, 212, 220), (255, 255, 255)],
)  # fmt: skip


class Pane:
    """One tmux server of our own with one pane; it ends with the block."""

    def __init__(self, folder: Path) -> None:
        self._tmux = ["tmux", "-S", str(folder / "socket"), "-f", "/dev/null"]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        command = f"cd {ROOT}; PATH={shlex.quote(path)}; export PATH; {COMMAND}; echo {DONE}$?; exec sleep 600"
        size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
        subprocess.run([*self._tmux, "new-session", "-d", *size, "sh", "-c", command], check=True)

    def lines(self, *, history: bool = False) -> list[str]:
        """What the pane shows, colours included."""
        start = ["-S", "-"] if history else []
        shown = subprocess.run(
            [*self._tmux, "capture-pane", "-e", "-p", *start], check=True, capture_output=True, text=True
        )
        return shown.stdout.rstrip().splitlines()

    def wait(self, word: str, patience: float) -> list[str]:
        """The lines as soon as they hold `word`."""
        until = time.monotonic() + patience
        while True:
            lines = self.lines(history=True)
            if any(word in line for line in lines):
                return lines
            if time.monotonic() > until or any(DONE in line for line in lines):
                raise SystemExit("\n".join(["the run went another way:", *lines]))
            time.sleep(0.2)

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)


def record() -> tuple[list[str], list[str]]:
    """The lines on the terminal half-way through the run, and at its end."""
    with tempfile.TemporaryDirectory() as folder:
        pane = Pane(Path(folder))
        try:
            progress = pane.wait(HALF_WAY, 60)
            end = pane.wait(f"{DONE}0", 120)
            return progress, [line for line in end if DONE not in line]
        finally:
            pane.close()


def draw(lines: list[str]) -> str:
    """The lines as an SVG."""
    console = Console(width=WIDTH, record=True, file=StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    picture = console.export_svg(title="vezaflow", theme=THEME)
    return FONT.sub("", picture).replace("Fira Code, monospace", FAMILY)


def main() -> None:
    if shutil.which("tmux") is None:
        raise SystemExit("this needs tmux")
    progress, end = record()
    dim = "\x1b[2m{}\x1b[0m".format
    lines = [f"\x1b[1m$ {COMMAND}\x1b[0m", "", *progress, "", dim("… and when it is over:"), "", *end]
    IMAGE.parent.mkdir(exist_ok=True)
    IMAGE.write_text(draw(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
