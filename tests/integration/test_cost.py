"""The measurements of what the watcher costs run to their end; how much it is, is not judged here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.cost.__main__ import main

LITTLE = {
    "latencies": 2,
    "burst": 3,
    "idle_seconds": 0.2,
    "passes": 1,
    "changes": 1,
    "starts": 1,
    "flat_changes": 100,
    "pod_events": 5,
    "syncs": 2,
    "quiet_seconds": 0.1,
    "settled_seconds": 0.1,
}


@pytest.mark.long
@pytest.mark.timeout(480)
@pytest.mark.parametrize("part", ["pass", "latency", "idle", "change", "start", "memory", "spool", "api"])
def test_each_part_measures_and_tells(part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All it gives is in the table and in the JSON file, each figure with its verdict."""
    little = [each for name, value in LITTLE.items() for each in ("--set", f"{name}={value}")]
    main(["--quick", "--sizes", "2,4", "--only", part, *little, "--json", str(tmp_path / "cost.json")])
    told, document = capsys.readouterr().out, json.loads((tmp_path / "cost.json").read_text())
    assert document["figures"]
    for figure in document["figures"]:
        assert figure["name"] in told
        assert figure["verdict"] in ("met", "missed", "")
    if part == "api":
        counts = {figure["name"]: figure["value"] for figure in document["figures"]}
        assert counts["start: list requests"] == 1
        assert counts["start and ever after: GET requests"] == 0
