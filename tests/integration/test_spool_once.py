"""``once`` with a spool: what it shows a shipper is what the next watcher goes on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import run_cli
from daemon_support import Stage, with_spool
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with with_spool(tmp_path, request.param) as made:
        yield made


def once(stage: Stage, *options: str) -> str:
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    done = run_cli("once", *options, environ={**environ, "HOME": str(stage.root)})
    assert "Traceback" not in done.stderr
    return done.stdout


def shown(stage: Stage, made: FakeContainer) -> list[str]:
    return [path.read_text() for path in stage.segments(made)]


def in_spool(stage: Stage) -> list[Path]:
    return sorted(path for path in (stage.root / "node" / "spool").rglob("*") if path.is_file())


def pattern_of(stage: Stage, made: FakeContainer) -> str:
    folder = f"{made.namespace}_{made.pod}_{made.uid}"
    return f"{stage.root}/node/spool/{folder}/{made.name}-{made.id}.*.log"


def test_it_keeps_logs_tells_their_patterns_and_the_next_watcher_goes_on(stage: Stage) -> None:
    made, unwanted = stage.run("shop-1"), stage.run("debug", labels={"application": "debug"})
    stage.node.write(made, "a line of file 1")
    told = once(stage)
    assert f"default/shop-1/main: {pattern_of(stage, made)}" in told
    assert stage.entry(made)["path"] == pattern_of(stage, made)
    assert shown(stage, unwanted) == []
    stage.node.rotate(made)
    stage.node.write(made, "a line of file 2")
    once(stage)
    stage.node.rotate(made)
    stage.node.write(made, "a line of file 3")
    stage.start()
    stage.watcher.wait_for(lambda: len(shown(stage, made)) == 3, what="the third file")
    assert [f"file {number}" in text for number, text in enumerate(shown(stage, made), 1)] == [True] * 3
    assert stage.entry(made)["path"] == pattern_of(stage, made)
    stage.watcher.wait_for(
        lambda: all(path.suffix != ".kept" for path in in_spool(stage)), what="the end of what is unwanted"
    )


def test_a_dry_run_tells_the_pattern_and_keeps_nothing(stage: Stage) -> None:
    made = stage.run("shop-1")
    told = once(stage, "--dry-run")
    assert pattern_of(stage, made) in told
    assert in_spool(stage) == []


def test_what_waits_for_its_pod_is_kept_for_the_next_watcher(stage: Stage) -> None:
    stage.run("shop-2")
    made = stage.node.add(pod="shop-1", namespace="default", container="main")
    stage.node.write(made, "a line of file 1")
    once(stage)
    stage.node.remove(made)
    assert shown(stage, made) == []
    stage.show(made)
    stage.start()
    stage.watcher.wait_for(lambda: len(shown(stage, made)) == 1, what="what was kept")


def test_a_spool_that_a_watcher_has_is_left_to_it(stage: Stage) -> None:
    stage.start()
    made = stage.run("shop-1")
    stage.watcher.wait_for(lambda: len(shown(stage, made)) == 1, what="the first file")
    before = in_spool(stage)
    assert "another watcher is at work" in once(stage)
    assert in_spool(stage) == before
