"""The shipped transform, compiled and run by Vector's own language, with a row in place of the table."""

from __future__ import annotations

import csv
import importlib.resources
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from vrl_python import VRLRuntime

from kube_log_watcher_core import NodeContext
from kube_log_watcher_static import metadata_of
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.factories import make_container, make_target
from kube_log_watcher_vector import VectorAgent, VectorSettings

CONFIGURATION = (importlib.resources.files("kube_log_watcher_vector") / "static" / "vector.yaml").read_text()
LOOK_UP = 'get_enrichment_table_record("klw", {"container_id": name.id})'
ID = "ab" * 32
FILE = f"/var/log/kube-log-watcher/spool/default_shop-1_4f6c/main-{ID}.1764040000.log"
CRI, DOCKER = "2026-11-25T03:17:33.523332211Z", "2026-11-25T03:17:35.25Z"


def program() -> str:
    """Give the transform, which finds its row in the event: the language alone knows of no tables."""
    text: str = yaml.safe_load(CONFIGURATION)["transforms"]["klw_labelled"]["source"]
    assert text.count(LOOK_UP) == 1
    return text.replace(LOOK_UP, 'parse_json(string(.row) ?? "")')


def transformed(message: str, row: Mapping[str, str] | None = None) -> dict[str, Any]:
    event = {"file": FILE, "message": message, "row": json.dumps(row or {})}
    found: dict[str, Any] = VRLRuntime.run(program(), event, "UTC").processed_event
    del found["row"]
    return found


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"{CRI} stdout F one", ("stdout", "one", "2026-11-25 03:17:33.523332211 UTC")),
        ("2026-11-25T04:17:34.5+01:00 stderr P {part", ("stderr", "{part", "2026-11-25 03:17:34.500 UTC")),
        (
            json.dumps({"log": "two\nlines\n", "stream": "stderr", "time": DOCKER}),
            ("stderr", "two\nlines", "2026-11-25 03:17:35.250 UTC"),
        ),
    ],
    ids=["CRI", "CRI, a part", "Docker"],
)
def test_lines_of_both_layouts_keep_text_stream_and_time(line: str, told: tuple[str, str, str]) -> None:
    event = transformed(line)
    assert (event["stream"], event["message"], event["timestamp"]) == told


@pytest.mark.parametrize("line", ["neither", "[1]", "{}", "", "\0", '{"log": 1}'], ids=ascii)
def test_a_line_of_neither_is_shipped_as_well(line: str) -> None:
    assert "message" in transformed(line)


def test_each_hostile_label_is_text_in_the_events(tmp_path: Path) -> None:
    container = attrs.evolve(make_container(), spool=Path("/spool"))
    targets = {
        f"{number:064x}": make_target(attrs.evolve(container, id=f"{number:064x}"), labels={text: text})
        for number, text in enumerate(hostile.TEXTS)
    }
    VectorAgent(VectorSettings(folder=tmp_path), NodeContext(has_spool=True)).sync(list(targets.values()))
    with open(tmp_path / "kube-log-watcher.csv", newline="", encoding="utf-8") as file:
        rows = {row["container_id"]: row for row in csv.DictReader(file, strict=True)}
    for identity, target in targets.items():
        event = transformed(f"{CRI} stdout F one", rows[identity])
        assert event["kubernetes"] == _as_rust_tells(metadata_of(target))


def _as_rust_tells(document: Mapping[str, Any]) -> Any:
    """Give a document as it comes out of Rust, which has no lone surrogates."""
    return json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))


def test_a_log_that_asks_for_redaction_is_not_shipped() -> None:
    row = {"container_id": ID, "metadata": json.dumps({"pod_name": "shop-1", "held": "an annotation"})}
    with pytest.raises(Exception, match="abort"):
        transformed(f"{CRI} stdout F secret", row)


def test_without_a_row_an_event_has_no_metadata() -> None:
    assert "kubernetes" not in transformed(f"{CRI} stdout F one")
