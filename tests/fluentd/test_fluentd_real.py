"""The real Fluentd with the shipped configuration: labels are text, and nothing of a line is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from daemon_support import Stage
from fluentd_process import NEEDS_FLUENTD, Fluentd
from kube_log_watcher_core import Layout, LogTarget, NodeContext
from kube_log_watcher_fluentd import FluentdAgent, FluentdSettings
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.factories import make_container, make_target
from support import wait_until

pytestmark = NEEDS_FLUENTD

SECONDS = 60.0


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (spool := tmp_path / "spool").mkdir()
    return spool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "metadata").mkdir()
    return folder


def make_agent(folder: Path) -> FluentdAgent:
    return FluentdAgent(FluentdSettings(folder=folder, annotations=("note",)), NodeContext(has_spool=True))


def labelled(number: int, text: str) -> LogTarget:
    container = attrs.evolve(make_container(number), spool=Path("/spool"))
    return make_target(container, labels={"application": text, text: text}, annotations={"note": text})


def segment(spool: Path, target: LogTarget, *lines: str) -> Path:
    pod = spool / f"default_shop-1_{target.pod.uid}"
    pod.mkdir(exist_ok=True)
    path = pod / f"main-{target.id}.1764040000.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_each_hostile_label_is_text_in_the_records(tmp_path: Path, spool: Path, folder: Path) -> None:
    targets = [labelled(number, text) for number, text in enumerate(hostile.TEXTS)]
    make_agent(folder).sync(targets)
    for target in targets:
        segment(spool, target, f"2026-11-25T03:17:33.5Z stdout F {target.id}")
    with Fluentd(tmp_path / "fluentd", spool=spool, folder=folder) as fluentd:
        wait_until(
            lambda: len(fluentd.records()) == len(targets), timeout=SECONDS, what="a record for each log"
        )
        told = {record["log"]: record["kubernetes"] for record in fluentd.records()}
    for target in targets:
        written = json.loads((folder / f"{target.id}.json").read_text())
        assert told[target.id] == _as_ruby_tells(written)


def _as_ruby_tells(document: object) -> object:
    """Give a document as it comes out of Ruby, which has no lone surrogates."""
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode()
    found: object = json.loads(text)
    return found


def test_lines_of_both_layouts_keep_text_stream_and_time(tmp_path: Path, spool: Path, folder: Path) -> None:
    target = labelled(1, "shop")
    make_agent(folder).sync([target])
    segment(
        spool,
        target,
        "2026-11-25T03:17:33.523332211Z stdout F one",
        "2026-11-25T04:17:34.5+01:00 stderr P {part",
        r'{"log":"two \"quoted\"\n","stream":"stderr","time":"2026-11-25T03:17:35.25Z"}',
        r'{"log":"\"time\":\"x\"}\n","stream":"stdout","attrs":{"a":"b"},"time":"2026-11-25T03:17:36.123456789Z"}',
        "neither",
    )
    with Fluentd(tmp_path / "fluentd", spool=spool, folder=folder) as fluentd:
        wait_until(lambda: len(fluentd.records()) == 5, timeout=SECONDS, what="five records")
        *known, unknown = fluentd.records()
    assert [(each["shipped_time"], each["stream"], each["log"]) for each in known] == [
        ("2026-11-25T03:17:33.523332211Z", "stdout", "one"),
        ("2026-11-25T03:17:34.500000000Z", "stderr", "{part"),
        ("2026-11-25T03:17:35.250000000Z", "stderr", 'two "quoted"'),
        ("2026-11-25T03:17:36.123456789Z", "stdout", '"time":"x"}'),
    ]
    assert known[1]["logtag"] == "P"
    assert unknown["unmatched_line"] == "neither"
    assert unknown["kubernetes"]["application"] == "shop"


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path, folder: Path) -> Iterator[Stage]:
    for name in ("node", "node/spool", "state", "fluentd"):
        (tmp_path / name).mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_FLUENTD_FOLDER": folder,
        "WATCHER_FLUENTD_POS_FILE": tmp_path / "fluentd" / "klw.pos",
        "WATCHER_SPOOL_DIR": tmp_path / "node" / "spool",
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_STRICT_LABELS": "",
    }
    with Stage(tmp_path, request.param, agents=("fluentd",), interval=1, environ=environ) as stage:
        stage.start()
        yield stage


def test_a_pods_lines_are_shipped_with_its_labels_and_its_segments_go_when_they_are_read(
    stage: Stage, tmp_path: Path, folder: Path
) -> None:
    spool = tmp_path / "node" / "spool"
    with Fluentd(tmp_path / "fluentd", spool=spool, folder=folder) as fluentd:
        made = stage.run("shop-1", labels={"application": "shop", "version": "1"})
        hidden = stage.run("cart-1", annotations={"kubernetes-log-watcher/exclude": "true"})
        stage.node.write(hidden, "hidden")
        stage.node.write(made, "one", "two")
        stage.node.rotate(made)
        stage.node.write(made, "three")
        wait_until(lambda: _texts(fluentd) == ["one", "two", "three"], timeout=SECONDS, what="three lines")
        stage.api.relabel("default", "shop-1", version="2")
        metadata = folder / f"{made.id}.json"
        wait_until(lambda: json.loads(metadata.read_text())["version"] == "2", what="the new label")
        fluentd.stop()
        stage.node.write(made, "four")
        stage.end(made)
        fluentd.start()
        wait_until(lambda: "four" in _texts(fluentd), timeout=SECONDS, what="what came while it was down")
        wait_until(lambda: not list(spool.glob("*/*.log")), timeout=SECONDS, what="the segments' end")
        wait_until(lambda: not list(folder.iterdir()), timeout=SECONDS, what="the metadata's end")
        assert _texts(fluentd) == ["one", "two", "three", "four"]
        assert [record["kubernetes"]["version"] for record in fluentd.records()] == ["1", "1", "1", "2"]


REDACTION = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "a"}]'}
EXCLUSION = {"kubernetes-log-watcher/exclude": "true"}


@pytest.mark.parametrize("annotations", [REDACTION, EXCLUSION], ids=["redaction", "exclusion"])
def test_what_a_pod_forbids_while_its_log_is_read_is_not_shipped_from_then_on(
    stage: Stage, tmp_path: Path, folder: Path, annotations: Mapping[str, str]
) -> None:
    with Fluentd(tmp_path / "fluentd", spool=tmp_path / "node" / "spool", folder=folder) as fluentd:
        made = stage.run("shop-1")
        stage.node.write(made, "before")
        wait_until(lambda: _texts(fluentd) == ["before"], timeout=SECONDS, what="the first line")
        stage.show(made, annotations=annotations)

        def is_silent() -> bool:
            """Whether lines of two seconds are shipped no more: its looks are one and two seconds apart."""
            stage.node.write(made, "after")
            shipped = len(_texts(fluentd))
            for _ in range(20):
                time.sleep(0.1)
                stage.node.write(made, "after")
            return len(_texts(fluentd)) == shipped

        wait_until(is_silent, timeout=SECONDS, what="silence")
        stage.node.write(made, "secret")
        other = stage.run("cart-1")
        stage.node.write(other, "last")
        wait_until(lambda: "last" in _texts(fluentd), timeout=SECONDS, what="another pod's line")
        assert "secret" not in _texts(fluentd)


def _texts(fluentd: Fluentd) -> list[str]:
    return [record["log"] for record in fluentd.records()]
