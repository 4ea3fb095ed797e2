"""Pictures of all pages for the documentation: `python -m tests.screenshots` writes them to `docs/images/`.

The compliance reports are of real checks of the reference server, one of them with two faults; load reports and
comparisons are of the documents that the tests of the reports use, since they hold something of everything.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ViewportSize

from contract.findings import translated
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from reports.formats import html
from reports.shared.anchors import of_compliance_page
from reports.text.language import speaking
from tests.bundled import load_profile
from tests.reports import loads
from tests.reports.browser import CHROMIUM, DESK, PHONE, chromium, opened
from tests.reports.comparisons import compared
from tests.wsproof.command import ROOT, wsproof

IMAGES = ROOT / "docs" / "images"
FAULTS = ("text-trimmed", "pong-unsolicited-error")
CASE = "send-text-unchanged/leading-spaces"
TALL = ViewportSize(width=1280, height=1500)
BEAT = ("--set", "heartbeat.interval=1", "--set", "heartbeat.timeout=2")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as it is photographed; `fragment` is where it is opened."""

    name: str
    function: Callable[[Json], str]
    document: Json
    language: str = "en"
    dark: bool = False
    size: ViewportSize = field(default_factory=lambda: TALL)
    fragment: str = ""


def checked(folder: Path, *faults: str) -> Json:
    """The results of a check of the reference server."""
    profile = load_profile(None, {"heartbeat.interval": 1, "heartbeat.timeout": 2})
    with running(ServerSettings(profile=profile, port=0, faults=faults)) as server:
        wsproof("check", server.url, *BEAT, "--quiet", folder=folder)
    document: Json = json.loads((folder / "wsproof-report" / "results.json").read_text(encoding="utf-8"))
    return document


def pictures(folder: Path) -> list[Picture]:
    """All of them."""
    good, bad = checked(folder), checked(folder, *FAULTS)
    case = "#" + of_compliance_page(bad)[1][CASE]
    worse = compared(good, bad)
    return [
        Picture("report", html.compliance, bad),
        Picture("report-case", html.compliance, bad, fragment=case),
        Picture("report-dark", html.compliance, bad, dark=True, size=DESK),
        Picture("report-phone", html.compliance, bad, size=PHONE),
        Picture("report-passed", html.compliance, good, size=DESK),
        Picture("report-ja", html.compliance, bad, language="ja"),
        Picture("report-case-ja", html.compliance, bad, language="ja", fragment=case),
        Picture("load", html.load, loads.faulty()),
        Picture("load-dark", html.load, loads.full(), dark=True, size=DESK),
        Picture("load-phone", html.load, loads.full(), size=PHONE),
        Picture("load-ja", html.load, loads.full(), language="ja"),
        Picture("capacity", html.load, loads.capacity(), size=DESK, fragment="#capacity"),
        Picture("comparison", html.comparison, worse, size=DESK),
        Picture("matrix", html.comparison, compared(good, bad, bad), size=DESK),
        Picture("comparison-load", html.comparison, compared(loads.full(), loads.faulty()), size=DESK),
    ]


def take(browser: Browser, picture: Picture, folder: Path) -> None:
    """Write a page, open it, and photograph the window."""
    file = folder / f"{picture.name}.html"
    with speaking(picture.language):
        file.write_text(picture.function(dict(translated(picture.document))), encoding="utf-8")
    with opened(browser, file, dark=picture.dark, size=picture.size, fragment=picture.fragment) as one:
        target = IMAGES / f"{picture.name}.png"
        one.page.screenshot(path=target)
        took = one.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    page, image = file.stat().st_size / 1000, target.stat().st_size / 1000
    print(f"{target.relative_to(ROOT)}  {image:.0f} kB; the page {page:.0f} kB, opened in {took:.0f} ms")


def main() -> int:
    """Write all pictures."""
    if CHROMIUM is None:
        print("Chromium is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for picture in pictures(Path(folder)):
            take(browser, picture, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
