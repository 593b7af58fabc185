"""The agent for Fluent Bit: a log is shown when its own pod's file stands, and names go from pod to pod."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import pytest

from fluentbit_support import spooled
from kube_log_watcher_core import AgentConfigError, AgentError, File, LogFile, LogTarget, NodeContext
from kube_log_watcher_fluentbit import FluentBitAgent, FluentBitSettings
from kube_log_watcher_fluentbit.agent import LOOK_SECONDS, PATIENCE_SECONDS
from kube_log_watcher_testing.contract.disks import CountingDisk, FailingDisk

ASKS = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "x"}]'}
OLD, NEW = spooled(1, uid="uid-b", created=100.0), spooled(2, uid="uid-a", created=100.0)
"""Two pods of one name, which came in one second: the second is the older one by its uid."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "metadata").mkdir()
    return tmp_path / "metadata"


def agent_of(
    folder: Path, *, clock: Callable[[], float] = time.monotonic, **settings: Path
) -> FluentBitAgent:
    node = NodeContext(has_spool=True, spool_dirs=(Path("/spool"),))
    return FluentBitAgent(FluentBitSettings(folder=folder, **settings), node, clock=clock)  # type: ignore[arg-type]


def shown(agent: FluentBitAgent, *targets: LogTarget) -> Sequence[LogTarget]:
    """Sync, and give what the shipper may see then."""
    agent.sync(targets)
    return list(agent.ready(targets))


def uids(folder: Path) -> list[str]:
    return [json.loads(path.read_text())["metadata"]["uid"] for path in sorted(folder.iterdir())]


def test_a_pod_that_takes_a_name_waits_for_its_predecessors_last_segment(folder: Path) -> None:
    agent = agent_of(folder)
    assert shown(agent, OLD) == [OLD]
    assert shown(agent, OLD, NEW) == [OLD]
    assert uids(folder) == ["uid-b"]
    assert shown(agent, NEW) == [NEW]
    assert uids(folder) == ["uid-a"]


def test_a_pod_that_waits_long_for_its_name_is_told_with_the_remedy(folder: Path) -> None:
    now = 0.0
    agent = agent_of(folder, clock=lambda: now)
    assert shown(agent, OLD) == [OLD]
    assert agent.sync([OLD, NEW]) == PATIENCE_SECONDS
    assert list(agent.ready([OLD, NEW])) == [OLD]
    assert list(agent.objections()) == []
    now += PATIENCE_SECONDS
    (objection,) = agent.objections()
    assert objection.target == NEW
    assert objection.holds
    assert "default_shop-1.meta" in objection.reason
    assert shown(agent, NEW) == [NEW]
    assert list(agent.objections()) == []


def test_after_a_restart_it_still_waits_for_the_folder_says_who_has_the_name(folder: Path) -> None:
    assert shown(agent_of(folder), OLD) == [OLD]
    successor = agent_of(folder)
    assert shown(successor, NEW, OLD) == [OLD]
    assert uids(folder) == ["uid-b"]
    assert shown(successor, NEW) == [NEW]


def test_a_lost_state_lets_no_pod_take_a_name_while_there_are_segments_of_another(
    folder: Path, tmp_path: Path
) -> None:
    """Nobody follows the old pod any more, and Fluent Bit reads on in what the spool still shows."""
    spool = tmp_path / "spool"
    assert shown(agent_of(folder), OLD) == [OLD]
    (spool / "default_shop-1_uid-b").mkdir(parents=True)
    segment = spool / "default_shop-1_uid-b" / f"main-{OLD.id}.0000000001.log"
    segment.touch()
    new, other = spooled(2, uid="uid-a", spool=spool), spooled(3, pod="shop-2", spool=spool)
    successor = agent_of(folder)
    assert successor.sync([new, other]) is not None
    assert list(successor.ready([new, other])) == [other]
    assert uids(folder) == ["uid-b", "uid-3"]
    segment.unlink()
    assert successor.sync([new, other]) is None
    assert list(successor.ready([new, other])) == [new, other]
    assert uids(folder) == ["uid-a", "uid-3"]


def test_a_lost_state_keeps_no_pod_waiting_for_its_own_segments(folder: Path, tmp_path: Path) -> None:
    mine = spooled(1, uid="uid-b", spool=tmp_path / "spool")
    (tmp_path / "spool" / "default_shop-1_uid-b").mkdir(parents=True)
    (tmp_path / "spool" / "default_shop-1_uid-b" / f"main-{mine.id}.0000000001.log").touch()
    assert shown(agent_of(folder), mine) == [mine]


@pytest.mark.parametrize("left", ["", "{", "[]", '{"metadata": {"uid": 7}}', "[" * 100_000], ids=str)
def test_a_file_that_tells_no_pod_is_no_obstacle_to_a_start(folder: Path, left: str) -> None:
    (folder / "default_shop-1.meta").write_text(left)
    assert shown(agent_of(folder), NEW, OLD) == [NEW]


def test_all_logs_of_the_pod_that_has_the_name_are_shown(folder: Path) -> None:
    side = spooled(3, name="side", uid="uid-b", created=100.0)
    assert shown(agent_of(folder), OLD, side) == [OLD, side]


def test_nothing_is_shown_whose_own_file_could_not_be_written(folder: Path) -> None:
    agent, other = agent_of(folder), spooled(3, pod="shop-2")
    assert shown(agent, OLD, other) == [OLD, other]
    for step in range(1, 30):
        disk = FailingDisk(step)
        agent.use_disk(disk)
        try:
            agent.sync([NEW, other])
        except AgentError:
            assert disk.failed
            stands = "uid-a" in uids(folder)
            assert stands or list(agent.ready([NEW, other])) == [other]
        if not disk.failed:
            break
    assert list(agent.ready([NEW, other])) == [NEW, other]


def test_a_label_that_changes_takes_nothing_from_sight_though_its_file_can_not_be_written(
    folder: Path,
) -> None:
    agent, changed = agent_of(folder), spooled(1, uid="uid-b", created=100.0, labels={"version": "2"})
    assert shown(agent, OLD) == [OLD]
    agent.use_disk(FailingDisk(1))
    with pytest.raises(AgentError):
        agent.sync([changed])
    assert list(agent.ready([changed])) == [changed]


def test_a_log_that_is_not_in_the_spool_has_no_file_and_no_name(folder: Path) -> None:
    bypath = spooled(1, uid="uid-b", spool=None)
    assert shown(agent_of(folder), bypath, NEW) == [NEW]
    assert uids(folder) == ["uid-a"]


def test_names_too_long_or_strange_for_the_filter_are_not_shown(folder: Path) -> None:
    strange = attrs.evolve(OLD, container=attrs.evolve(OLD.container, pod_name="SHOP"))
    assert shown(agent_of(folder), strange) == []
    assert list(folder.iterdir()) == []


def test_a_log_to_redact_is_held_and_keeps_no_name_from_the_next_pod(folder: Path, tmp_path: Path) -> None:
    held = spooled(1, uid="uid-b", created=100.0, annotations=ASKS, spool=tmp_path / "spool")
    agent = agent_of(folder)
    assert shown(agent, held) == []
    assert shown(agent, held, NEW) == [NEW]
    assert uids(folder) == ["uid-a"]


def test_a_log_that_was_shown_before_its_pod_asked_for_redaction_is_excluded_until_it_has_gone(
    folder: Path, tmp_path: Path
) -> None:
    """Else the next pod of the name would have its lines, and unredacted."""
    spool = tmp_path / "spool"
    held = spooled(1, uid="uid-b", created=50.0, annotations=ASKS, spool=spool)
    segment = spool / "default_shop-1_uid-b" / f"main-{held.id}.0000000001.log"
    segment.parent.mkdir(parents=True)
    segment.touch()
    agent = agent_of(folder)
    assert shown(agent, held, NEW) == []
    document = json.loads((folder / "default_shop-1.meta").read_text())
    assert document["metadata"]["annotations"]["fluentbit.io/exclude-main"] == "true"
    segment.unlink()
    assert shown(agent, held, NEW) == [NEW]


def test_a_value_that_is_left_out_is_told_to_its_author(folder: Path) -> None:
    given = {"kubernetes-log-watcher/fluentbit-multiline": "cobol", "fluentbit.io/parser": "json"}
    agent, asking = agent_of(folder), spooled(1, annotations=given)
    assert shown(agent, asking, spooled(2, pod="shop-2")) == [asking, spooled(2, pod="shop-2")]
    (objection,) = agent.objections()
    assert objection.annotation == "kubernetes-log-watcher/fluentbit-multiline"
    assert "one of go, java, python, ruby" in objection.reason
    assert not objection.holds


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "0.log").touch()
    return tmp_path / "0.log"


def living(target: LogTarget, log: Path) -> LogTarget:
    """Return a target whose log is on the node."""
    return attrs.evolve(target, container=attrs.evolve(target.container, log_path=log))


def excluded(folder: Path) -> set[str]:
    """Give the containers of the only pod that Fluent Bit must drop."""
    (file,) = folder.iterdir()
    told = json.loads(file.read_text())["metadata"]["annotations"]
    return {name.partition("-")[2] for name, value in told.items() if value == "true"}


def test_what_is_excluded_while_its_log_lives_on_is_dropped_until_that_has_gone(
    folder: Path, log: Path
) -> None:
    """Fluent Bit has the file open, and reads on in what the spool shows no more."""
    agent = agent_of(folder)
    assert shown(agent, living(OLD, log)) == [living(OLD, log)]
    assert excluded(folder) == set()
    for each in (agent, agent, agent_of(folder)):
        assert shown(each) == []
        assert excluded(folder) == {"main"}
    log.unlink()
    assert shown(agent) == []
    assert list(folder.iterdir()) == []


def test_of_a_pod_only_the_container_is_dropped_that_was_excluded_and_only_as_long(
    folder: Path, log: Path
) -> None:
    agent, side = agent_of(folder), spooled(3, name="side", uid="uid-b", created=100.0)
    main = living(OLD, log)
    assert shown(agent, main, side) == [main, side]
    assert shown(agent, side) == [side]
    assert excluded(folder) == {"main"}
    assert shown(agent, main, side) == [main, side]
    assert excluded(folder) == set()


def test_nobody_takes_the_name_of_a_pod_whose_excluded_log_lives_on(folder: Path, log: Path) -> None:
    agent = agent_of(folder)
    shown(agent, living(OLD, log))
    assert shown(agent, NEW) == []
    assert agent.sync([NEW]) == LOOK_SECONDS
    assert uids(folder) == ["uid-b"]
    log.unlink()
    assert shown(agent, NEW) == [NEW]


def test_explain_shows_the_file_of_the_very_pod(folder: Path) -> None:
    agent = agent_of(folder)
    shown(agent, OLD)
    shown(agent, OLD, NEW)
    (item,) = agent.describe(OLD)
    assert isinstance(item, File)
    assert item.path.name == "default_shop-1.meta"
    assert agent.describe(NEW) == []


def test_without_a_database_nobody_knows_how_far_fluent_bit_is(folder: Path) -> None:
    assert agent_of(folder).read_up_to(OLD, LogFile(Path("/spool/x.log"), 7)) is None


def test_what_a_named_database_does_not_tell_is_unread_and_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder.parent / "tail.db").write_text("no database" * 100)
    agent = agent_of(folder, database=folder.parent / "tail.db")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            progress = agent.read_up_to(OLD, LogFile(Path("/spool/x.log"), 7))
            assert progress is not None
            assert progress.read_bytes == 0
    (record,) = caplog.records
    assert "tail.db" in record.getMessage()
    agent.close()


def test_check_wants_the_databases_folder(folder: Path) -> None:
    agent_of(folder, database=folder / "tail.db").check()
    with pytest.raises(AgentConfigError, match="mount the one in which Fluent Bit keeps"):
        agent_of(folder, database=folder / "missing" / "tail.db").check()


def test_check_wants_a_configuration_that_names_spool_folder_and_database(folder: Path) -> None:
    config, database = folder.parent / "fluent-bit.yaml", folder.parent / "tail.db"
    config.write_text(f"path: /spool/*/*.log\nkube_meta_preload_cache_dir: {folder}\ndb: {database}\n")
    agent_of(folder, config=config, database=database).check()
    config.write_text(f"path: /var/log/containers/*.log\nkube_meta_preload_cache_dir: {folder}\n")
    with pytest.raises(AgentConfigError, match=f"names no /spool, no {database}:"):
        agent_of(folder, config=config, database=database).check()


@pytest.mark.parametrize("count", [110, 1000])
def test_a_change_writes_one_file_among_many(folder: Path, count: int) -> None:
    agent, disk = agent_of(folder), CountingDisk()
    agent.use_disk(disk)
    targets = [spooled(number, pod=f"shop-{number}") for number in range(1, count + 1)]
    assert len(shown(agent, *targets)) == count
    begun = disk.steps
    changed = spooled(1, pod="shop-1", labels={"version": "2"})
    assert len(shown(agent, changed, *targets[1:])) == count
    assert disk.steps - begun <= 6
