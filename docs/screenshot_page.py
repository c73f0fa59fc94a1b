"""docs/images/report.png and report-charts.png: the page of a real run in a browser, its top and its charts.

    python docs/screenshot_page.py       wants chromium; takes as long as the run, about a minute

The sandbox is given some latency and a few failures, so that there is something to see.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from vezaflow.sandbox import SandboxSettings, start

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
SIZE = "1120,780"
ONLY_CHARTS = "<style>.top, nav, .tiles, #gates, #flows { display: none !important } main { padding: 1rem }</style>"
TAKES = {"report.png": ("", []), "report-charts.png": (ONLY_CHARTS, ["--blink-settings=preferredColorScheme=0"])}
LOAD = ["--scale", "0.15", "--duration", "60s", "--no-history", "--quiet"]


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("this needs chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        start(SandboxSettings(latency=0.04, jitter=0.12, error_rate=0.002)) as sandbox,
    ):
        page = Path(folder) / "report.html"
        command = [sys.executable, "-m", "vezaflow", "run", "flows", *LOAD, "--html", str(page)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **sandbox.environment}, check=False)
        switches = ["--headless=new", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}/profile"]
        switches += [f"--window-size={SIZE}", "--virtual-time-budget=3000"]
        for name, (style, also) in TAKES.items():
            shown = Path(folder) / f"{name}.html"
            shown.write_text(page.read_text(encoding="utf-8").replace("</head>", f"{style}</head>"), encoding="utf-8")
            take = [*switches, *also, f"--screenshot={IMAGES / name}", shown.as_uri()]
            subprocess.run([chromium, *take], check=True, capture_output=True)


if __name__ == "__main__":
    main()
