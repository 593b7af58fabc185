"""The names of events are what alerts are built on: all that the code has are documented, and the reverse."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_event_has_a_documented_name_and_every_name_an_event() -> None:
    sources = "".join(
        path.read_text() for folder in ROOT.glob("kube_log_watcher_*/src") for path in folder.rglob("*.py")
    )
    used = set(re.findall(r'"event": "([a-z-]+)"', sources)) | set(
        re.findall(r'fields_of\(\s*"([a-z-]+)"', sources)
    )
    section = (
        (ROOT / "docs/how-to/operate.rst").read_text().split("``event`` that stays:")[1].split(".\n\n")[0]
    )
    documented = set(re.findall(r"``([a-z-]+)``", section)) - {"reason"}
    assert used == documented
