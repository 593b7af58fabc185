"""The table, the request to load it, rsyslog's answer, and what check says."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import AgentConfigError, File, Layout, LogTarget, NodeContext
from kube_log_watcher_core.settings import Sources, load
from kube_log_watcher_rsyslog import RsyslogAgent, RsyslogSettings
from kube_log_watcher_testing.contract.disks import CountingDisk
from kube_log_watcher_testing.factories import container_id, make_container, make_target

GOLDEN = Path(__file__).parent.parent / "data" / "rsyslog" / "table.json"
SPOOL = Path("/var/log/kube-log-watcher/spool")
FEW_STEPS = 12
"""On the disk for two files: open their folder, read and write each, and settle the folder."""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Counting(RsyslogAgent):
    made = 0

    def value(self, target: LogTarget) -> str:
        self.made += 1
        return super().value(target)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def agent(tmp_path: Path, clock: Clock) -> Counting:
    return make_agent(tmp_path, clock)


def make_agent(folder: Path, clock: Clock, **settings: Path) -> Counting:
    made = RsyslogSettings(folder=folder, annotations=("team",), **settings)
    return Counting(made, NodeContext(has_spool=True, spool_dirs=(SPOOL,)), clock=clock)


def spooled(number: int, **labels: str) -> LogTarget:
    container = attrs.evolve(make_container(number, layout=Layout.CRI), spool=SPOOL)
    target = make_target(
        container,
        labels={"application": "shop", "app.kubernetes.io/name": "shop", **labels},
        annotations={"team": "blue", "private": "x"},
    )
    return attrs.evolve(target, pattern=f"{SPOOL}/default_shop-1_uid-{number}/main-{target.id}.*.log")


def generation(folder: Path) -> str:
    """Return what stands in the table, and in the request to load it."""
    rows = json.loads((folder / "table.json").read_text())["table"]
    (found,) = [row["value"] for row in rows if row["index"] == "generation"]
    assert (folder / "control").read_text() == f"reload {found}\n"
    return str(found)


def answer(folder: Path) -> None:
    """Say, as rsyslog does, that the table is loaded."""
    with (folder / "ack").open("a") as ack:
        ack.write(f"{generation(folder)}\n")


def test_the_table_is_as_it_was_looked_at(tmp_path: Path, agent: RsyslogAgent) -> None:
    """A reviewer looks at tests/data/rsyslog: write it anew where it has to change."""
    agent.sync([spooled(1, version="1.10"), spooled(2, note='"${HOME}\n%msg%')])
    assert (tmp_path / "table.json").read_text() == GOLDEN.read_text()


def test_a_log_is_ready_when_rsyslog_has_loaded_its_row(tmp_path: Path, agent: RsyslogAgent) -> None:
    assert agent.sync([spooled(1)]) == 0.1
    assert list(agent.ready([spooled(1)])) == []
    answer(tmp_path)
    assert agent.sync([spooled(1)]) is None
    assert list(agent.ready([spooled(1)])) == [spooled(1)]


def test_an_answer_to_an_earlier_table_says_nothing_of_a_later_one(
    tmp_path: Path, agent: RsyslogAgent
) -> None:
    agent.sync([spooled(1)])
    answer(tmp_path)
    agent.sync([spooled(1)])
    assert agent.sync([spooled(1), spooled(2)]) == 0.1
    assert list(agent.ready([spooled(1), spooled(2)])) == [spooled(1)]


def test_what_was_answered_holds_in_the_watchers_next_life(
    tmp_path: Path, agent: RsyslogAgent, clock: Clock
) -> None:
    agent.sync([spooled(1)])
    answer(tmp_path)
    successor = make_agent(tmp_path, clock)
    assert successor.sync([spooled(1)]) is None
    assert list(successor.ready([spooled(1)])) == [spooled(1)]


def test_one_table_is_answered_for_before_the_next_is_written(
    tmp_path: Path, agent: RsyslogAgent, clock: Clock
) -> None:
    """Else an answer could be one to an earlier table with the same rows."""
    agent.sync([spooled(1)])
    answer(tmp_path)
    agent.sync([spooled(1)])
    agent.sync([spooled(1), spooled(2)])
    second = generation(tmp_path)
    assert agent.sync([spooled(1)]) == 0.1
    assert generation(tmp_path) == second
    answer(tmp_path)
    agent.sync([spooled(1)])
    assert generation(tmp_path) != second


def test_an_rsyslog_that_is_silent_keeps_no_table_from_being_written(
    tmp_path: Path, agent: RsyslogAgent, clock: Clock
) -> None:
    """And what it said of the same rows before something else was written says nothing any more."""
    agent.sync([spooled(1)])
    answer(tmp_path)
    agent.sync([spooled(1), spooled(2)])
    second = generation(tmp_path)
    clock.now += 2
    assert agent.sync([spooled(1)]) == 0.1
    assert generation(tmp_path) != second


def test_what_rsyslog_does_not_answer_is_asked_anew_in_another_file(
    tmp_path: Path, agent: RsyslogAgent, clock: Clock
) -> None:
    agent.sync([spooled(1)])
    asked, first = (tmp_path / "control").stat(), generation(tmp_path)
    clock.now += 5
    assert agent.sync([spooled(1)]) == 1.0
    assert (tmp_path / "control").stat().st_ino == asked.st_ino
    clock.now += 5
    agent.sync([spooled(1)])
    assert (tmp_path / "control").stat().st_mtime_ns > asked.st_mtime_ns
    assert generation(tmp_path) == first


def test_a_log_that_waits_for_an_answer_for_long_is_told_of(agent: RsyslogAgent, clock: Clock) -> None:
    agent.sync([spooled(1)])
    list(agent.ready([spooled(1)]))
    assert list(agent.objections()) == []
    clock.now += 10
    agent.sync([spooled(1)])
    (objection,) = agent.objections()
    assert objection.holds
    assert "rsyslog has not said" in objection.reason


def test_a_rehearsal_asks_rsyslog_nothing(tmp_path: Path, agent: RsyslogAgent) -> None:
    """``once --dry-run`` and ``explain`` write nothing, and leave its answers alone."""
    (tmp_path / "ack").write_text("0123456789abcdef\n" * 5000)
    agent.use_disk(CountingDisk())
    assert agent.sync([spooled(1)]) is None
    assert (tmp_path / "ack").stat().st_size == 85_000


def test_answers_are_emptied_when_they_have_become_many(tmp_path: Path, agent: RsyslogAgent) -> None:
    (tmp_path / "ack").write_text("0123456789abcdef\n" * 5000)
    agent.sync([spooled(1)])
    assert (tmp_path / "ack").read_text() == ""
    answer(tmp_path)
    assert agent.sync([spooled(1)]) is None


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to], ids=["link", "second name"])
def test_nothing_is_emptied_through_a_link(
    tmp_path: Path, clock: Clock, make: object, agent: RsyslogAgent
) -> None:
    (other := tmp_path / "other").write_text("x" * 100_000)
    assert callable(make)
    make(tmp_path / "ack", other)
    agent.sync([spooled(1)])
    assert other.stat().st_size == 100_000


@pytest.mark.parametrize("count", [110, 1000])
def test_a_change_costs_one_row_and_two_files(tmp_path: Path, agent: Counting, count: int) -> None:
    disk = CountingDisk()
    agent.use_disk(disk)
    targets = [spooled(number) for number in range(count)]
    agent.sync(targets)
    agent.made, disk.steps = 0, 0
    agent.sync([spooled(0, version="2"), *targets[1:]])
    assert agent.made == 1
    assert disk.steps <= FEW_STEPS


def test_explain_shows_the_row(agent: RsyslogAgent) -> None:
    agent.sync([spooled(1), spooled(2)])
    (item,) = agent.describe(spooled(2))
    assert isinstance(item, File)
    assert container_id(2) in item.content.decode()
    assert container_id(1) not in item.content.decode()


def test_nothing_is_needed_but_the_folder() -> None:
    settings = load(
        RsyslogSettings, Sources(environ={"WATCHER_RSYSLOG_FOLDER": "/x"}), section="rsyslog"
    ).unwrap()
    assert settings == RsyslogSettings(folder=Path("/x"))


def test_without_a_spool_it_refuses_to_work(tmp_path: Path) -> None:
    agent = RsyslogAgent(RsyslogSettings(folder=tmp_path), NodeContext())
    with pytest.raises(AgentConfigError, match="WATCHER_SPOOL_DIR"):
        agent.check()


def test_a_state_directory_that_is_not_mounted_is_told_with_the_remedy(tmp_path: Path, clock: Clock) -> None:
    agent = make_agent(tmp_path, clock, state_dir=tmp_path / "absent")
    with pytest.raises(AgentConfigError, match=r"absent can't be read: .*: mount what workDirectory names"):
        agent.check()


def test_the_shipped_configuration_names_the_folders_of_the_manual(tmp_path: Path, clock: Clock) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kube_log_watcher_rsyslog"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    config = tmp_path / "rsyslog.conf"
    config.write_text(done.stdout)
    with pytest.raises(AgentConfigError, match=f"names no {tmp_path}/table.json, no .*control, no .*ack:"):
        make_agent(tmp_path, clock, config=config).check()
    config.write_text(done.stdout.replace("/var/log/kube-log-watcher/rsyslog", str(tmp_path)))
    make_agent(tmp_path, clock, config=config).check()


def test_the_distribution_offers_the_agent_under_its_name() -> None:
    (found,) = entry_points(group="kube_log_watcher.agents", name="rsyslog")
    assert found.load() is RsyslogAgent
