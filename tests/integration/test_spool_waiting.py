"""What waits for its pod when the watcher goes is shipped by the next one, whatever went meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon_support import SHOP, Stage, with_spool
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with with_spool(tmp_path, request.param) as made:
        made.start()
        other = made.run("shop-2")  # an API that shows no pod at all is not believed for a while
        made.watcher.wait_for(lambda: len(shown(made, other)) == 1, what="another pod's log")
        yield made


def shown(stage: Stage, made: FakeContainer) -> list[str]:
    return [path.read_text() for path in stage.segments(made)]


def waiting(stage: Stage, *, files: int = 2) -> FakeContainer:
    """Let a container run of whose pod the API says nothing, and wait until all of its files are kept."""
    made = stage.node.add(pod="shop-1", namespace="default", container="main")
    stage.node.write(made, "a line of file 1")
    stage.watcher.wait_for(lambda: len(stage.kept()) == 1, what="the first file")
    for number in range(2, files + 1):
        stage.node.rotate(made)
        stage.node.write(made, f"a line of file {number}")
        stage.watcher.wait_for(lambda: len(stage.kept()) == number, what="a further file")  # noqa: B023
    return made


def without_state(stage: Stage) -> None:
    for path in (stage.root / "state").iterdir():
        path.unlink()


@pytest.mark.parametrize("end", [lambda stage: stage.watcher.kill(), lambda stage: stage.watcher.stop()])
@pytest.mark.parametrize("has_state", [True, False], ids=["state", "no-state"])
def test_what_went_while_the_watcher_was_down_is_shown_when_its_pod_is_learned(
    stage: Stage, end: Callable[[Stage], object], *, has_state: bool
) -> None:
    made = waiting(stage)
    end(stage)
    stage.node.remove(made)
    if not has_state:
        without_state(stage)
    stage.start()
    assert shown(stage, made) == []
    stage.show(made)
    stage.watcher.wait_for(lambda: len(shown(stage, made)) == 2, what="both files")
    assert [f"file {number}" in text for number, text in enumerate(shown(stage, made), 1)] == [True, True]
    stage.watcher.wait_for(lambda: stage.entry(made), what="its entry")
    assert stage.entry(made)["attributes"]["application"] == SHOP["application"]
    assert list((stage.root / "node" / "spool" / ".waiting").iterdir()) == []


def test_a_pod_that_the_api_shows_at_the_start_gets_what_was_kept_for_it(stage: Stage) -> None:
    made = waiting(stage)
    stage.watcher.kill()
    stage.node.remove(made)
    stage.show(made)
    stage.start()
    stage.watcher.wait_for(lambda: len(shown(stage, made)) == 2, what="both files")


def test_a_pod_that_only_the_state_file_knows_has_what_came_while_the_watcher_was_down(stage: Stage) -> None:
    first = stage.run("shop-1")
    stage.node.write(first, "a line")
    state = stage.root / "state" / "state.json"
    stage.watcher.wait_for(lambda: state.exists() and first.id in state.read_text(), what="its record")
    stage.watcher.kill()
    stage.api.delete("default", "shop-1")
    second = stage.node.add(pod="shop-1", namespace="default", container="second", uid=first.uid)
    stage.node.write(second, "a line of file 1")
    stage.start()
    stage.watcher.wait_for(lambda: len(shown(stage, second)) == 1, what="the second one's file")
    stage.watcher.wait_for(lambda: stage.entry(second), what="its entry")
    assert stage.entry(second)["attributes"]["application"] == SHOP["application"]


def test_what_waits_for_a_pod_that_never_shows_is_dropped_after_its_time_and_told(stage: Stage) -> None:
    made = waiting(stage)
    size = sum(path.stat().st_size for path in stage.kept())
    stage.watcher.kill()
    stage.node.remove(made)
    stage.watcher.environ |= {"WATCHER_SPOOL_SECONDS": "1", "WATCHER_GATE_SECONDS": "1"}
    stage.start()
    stage.watcher.wait_for_log(f"has not shown: 2 files with {size} bytes")
    stage.watcher.wait_for(lambda: stage.kept() == [], what="the end of the wait")
    assert list((stage.root / "node" / "spool" / ".waiting").iterdir()) == []


def test_what_waits_in_a_folder_that_is_named_later_is_known_again(stage: Stage) -> None:
    """The spool was switched off, and the settings file switches it on again."""
    made = waiting(stage)
    stage.watcher.kill()
    stage.node.remove(made)
    config = stage.root / "settings.yaml"
    spool = stage.watcher.environ.pop("WATCHER_SPOOL_DIR")
    stage.watcher.environ["WATCHER_CONFIG"] = config
    config.write_text("{}\n")
    stage.start()
    config.write_text(f"spool_dir: {spool}\n")
    stage.watcher.wait_for_log("new settings are in use")
    stage.show(made)
    stage.watcher.wait_for(lambda: len(shown(stage, made)) == 2, what="both files")


def test_while_a_container_lives_its_files_wait_for_its_pod_however_long_it_takes(stage: Stage) -> None:
    stage.watcher.environ |= {"WATCHER_SPOOL_SECONDS": "1", "WATCHER_GATE_SECONDS": "1"}
    stage.restart()
    made = waiting(stage)
    for path in made.log.parent.glob(f"{made.log.name}.*"):
        path.unlink()
    gone = stage.node.add(pod="shop-4")
    stage.watcher.wait_for(lambda: len(stage.kept()) == 3, what="another file that waits")
    stage.node.remove(gone)
    stage.watcher.wait_for_log("has not shown: 1 files")  # the time of both is over by now
    assert len(stage.kept()) == 2
    stage.show(made)
    stage.watcher.wait_for(lambda: len(shown(stage, made)) == 2, what="all that has waited")
    assert "file 1" in shown(stage, made)[0]


def test_what_waits_keeps_within_the_bounds_and_the_file_that_is_written_to_stays(stage: Stage) -> None:
    stage.watcher.environ["WATCHER_SPOOL_MAX_BYTES"] = "1500"
    stage.restart()
    made = waiting(stage, files=1)
    for number in (2, 3):
        stage.node.write(made, "x" * 1000)
        stage.node.rotate(made)
        stage.watcher.wait_for(lambda: len(stage.kept()) == number, what="a further file")  # noqa: B023
    for path in made.log.parent.glob(f"{made.log.name}.*"):
        path.unlink()
    stage.watcher.wait_for_log("the spool is full: segment")
    stage.watcher.wait_for(lambda: len(stage.kept()) == 2, what="what is within the bound")
    stage.show(made)
    stage.watcher.wait_for(lambda: len(shown(stage, made)) == 2, what="what is left")
    assert ["file 1" in text for text in shown(stage, made)] == [False, False]
    assert stage.segments(made)[-1].stat().st_ino == made.log.stat().st_ino


def test_a_record_that_the_disk_could_not_have_shown_is_not_believed(stage: Stage) -> None:
    made = waiting(stage)
    stage.watcher.kill()
    stage.node.remove(made)
    (record,) = (stage.root / "node" / "spool" / ".waiting").glob("*.json")
    document = json.loads(record.read_text())
    document["log_path"] = "/etc/passwd"
    record.write_text(json.dumps(document))
    stage.start()
    stage.watcher.wait_for_log("is not believed")
    stage.show(made)
    other = stage.run("shop-3")
    stage.watcher.wait_for(lambda: stage.entry(other), what="another one's entry")
    assert shown(stage, made) == []
    assert len(stage.kept()) == 2
