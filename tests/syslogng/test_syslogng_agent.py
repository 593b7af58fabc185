"""The table, syslog-ng's answer, and what check says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import AgentConfigError, File, Layout, LogFile, LogTarget, NodeContext
from kube_log_watcher_core.settings import Sources, load
from kube_log_watcher_static import UnsafeRow
from kube_log_watcher_syslogng import SyslogngAgent, SyslogngSettings
from kube_log_watcher_syslogng.agent import PATTERN_DATABASE
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.contract.disks import CountingDisk
from kube_log_watcher_testing.factories import container_id, make_container, make_target
from persist_file import written

GOLDEN = Path(__file__).parent.parent / "data" / "syslogng" / "table.xml"
SPOOL = Path("/var/log/kube-log-watcher/spool")
LOG = LogFile(SPOOL / "a.log", 7)
FEW_STEPS = 12
"""On the disk for two files: open their folder, read and write each, and settle the folder."""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Counting(SyslogngAgent):
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
    given = {"persist_file": folder / "syslog-ng.persist", **settings}
    made = SyslogngSettings(folder=folder, annotations=("team",), **given)
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
    """Return what the table on the disk says of itself."""
    table = (folder / "table.xml").read_text()
    found = re.search(r"<pattern>generation</pattern>.*?>([0-9a-f]{16})</value>", table)
    assert found is not None
    return found[1]


def answer(folder: Path, *, said: str | None = None) -> None:
    """Say, as syslog-ng does each second, which table there is: the one on the disk, unless told."""
    with (folder / "ack").open("a") as answers:
        answers.write(f"{said or generation(folder)}\n")
    changed = (folder / "table.xml").stat().st_mtime_ns + 1
    os.utime(folder / "ack", ns=(changed, changed))


def test_the_table_is_as_it_was_looked_at(tmp_path: Path, agent: SyslogngAgent) -> None:
    """A reviewer looks at tests/data/syslogng: write it anew where it has to change."""
    agent.sync([spooled(1, version="1.10"), spooled(2, note='"${HOME}\n$(env X) $$ <&>')])
    assert (tmp_path / "table.xml").read_text() == GOLDEN.read_text()


@pytest.mark.parametrize("text", [text for text in hostile.SHORT if "$" in text], ids=hostile.shown)
def test_what_templates_expand_is_written_so_that_it_is_not(text: str) -> None:
    row = PATTERN_DATABASE.row("key", text)
    assert "$" not in row.replace("$$", "")


@pytest.mark.parametrize("text", ["a\rb", "a\0b", "\x1b", "\ufffe"], ids=hostile.shown)
def test_a_value_that_xml_would_change_is_not_written(text: str) -> None:
    with pytest.raises(UnsafeRow):
        PATTERN_DATABASE.row("key", text)


@pytest.mark.parametrize("key", ["@ANYSTRING@", "a@b"])
def test_a_key_that_would_match_others_is_not_written(key: str) -> None:
    with pytest.raises(UnsafeRow):
        PATTERN_DATABASE.row(key, "value")


def test_a_log_is_ready_when_syslogng_has_loaded_its_rule(tmp_path: Path, agent: SyslogngAgent) -> None:
    assert agent.sync([spooled(1)]) == 0.5
    assert list(agent.ready([spooled(1)])) == []
    answer(tmp_path)
    assert agent.sync([spooled(1)]) is None
    assert list(agent.ready([spooled(1)])) == [spooled(1)]


@pytest.mark.parametrize("other", ["none", "0123456789abcdef"])
def test_an_answer_about_another_table_shows_nothing(
    tmp_path: Path, agent: SyslogngAgent, other: str
) -> None:
    agent.sync([spooled(1)])
    answer(tmp_path, said=other)
    assert agent.sync([spooled(1)]) == 0.5
    assert list(agent.ready([spooled(1)])) == []


def test_what_was_said_before_the_same_rows_were_written_again_says_nothing(
    tmp_path: Path, agent: SyslogngAgent
) -> None:
    """Another table may be on its way meanwhile."""
    agent.sync([spooled(1)])
    answer(tmp_path)
    agent.sync([spooled(1)])
    for targets in ([spooled(1), spooled(2)], [spooled(1)]):
        assert agent.sync(targets) == 0.5
    assert agent.sync([spooled(1)]) == 0.5
    answer(tmp_path)
    assert agent.sync([spooled(1)]) is None


def test_an_answer_about_an_earlier_table_shows_what_has_been_in_it_since(
    tmp_path: Path, agent: SyslogngAgent
) -> None:
    """On a busy node there is another table each time before syslog-ng has looked."""
    agent.sync([spooled(1)])
    earlier = generation(tmp_path)
    agent.sync([spooled(1), spooled(2)])
    answer(tmp_path, said=earlier)
    assert agent.sync([spooled(1), spooled(2)]) == 0.5
    assert list(agent.ready([spooled(1), spooled(2)])) == [spooled(1)]


def test_what_was_answered_holds_in_the_watchers_next_life(
    tmp_path: Path, agent: SyslogngAgent, clock: Clock
) -> None:
    agent.sync([spooled(1)])
    answer(tmp_path)
    successor = make_agent(tmp_path, clock)
    assert successor.sync([spooled(1)]) is None
    assert list(successor.ready([spooled(1)])) == [spooled(1)]


def test_two_tables_are_apart_for_syslogng_tells_them_by_the_second(agent: SyslogngAgent) -> None:
    assert agent.pacing.pause_seconds == 1.0


def test_a_log_that_waits_for_an_answer_for_long_is_told_of(agent: SyslogngAgent, clock: Clock) -> None:
    agent.sync([spooled(1)])
    assert list(agent.ready([spooled(1)])) == []
    assert list(agent.objections()) == []
    clock.now += 10
    (objection,) = agent.objections()
    assert objection.holds
    assert "syslog-ng has not said" in objection.reason


def test_answers_are_emptied_when_they_have_become_many(tmp_path: Path, agent: SyslogngAgent) -> None:
    agent.sync([])
    (tmp_path / "ack").write_text("0123456789abcdef\n" * 5000)
    agent.sync([])
    assert (tmp_path / "ack").read_text() == ""


def test_a_rehearsal_leaves_syslogngs_answers_alone(tmp_path: Path, agent: SyslogngAgent) -> None:
    """``once --dry-run`` and ``explain`` write nothing."""
    (tmp_path / "ack").write_text("0123456789abcdef\n" * 5000)
    agent.use_disk(CountingDisk())
    assert agent.sync([spooled(1)]) is None
    assert (tmp_path / "ack").stat().st_size == 85_000


def test_when_syslogng_has_just_begun_nothing_is_said_to_be_read(tmp_path: Path, clock: Clock) -> None:
    """It ends by a fault of its own where a file goes that it has found and not opened yet."""
    (persist := tmp_path / "syslog-ng.persist").write_bytes(written({LOG: 50}))
    agent = make_agent(tmp_path, clock)
    assert agent.read_up_to(spooled(1), LOG).read_bytes == 0
    clock.now += 2
    assert agent.read_up_to(spooled(1), LOG).read_bytes == 50
    (tmp_path / "new").write_bytes(written({LOG: 50}))
    (tmp_path / "new").rename(persist)
    assert agent.read_up_to(spooled(1), LOG).read_bytes == 0
    clock.now += 2
    assert agent.read_up_to(spooled(1), LOG).read_bytes == 50


@pytest.mark.parametrize("count", [110, 1000])
def test_a_change_costs_one_row_and_two_files(agent: Counting, count: int) -> None:
    disk = CountingDisk()
    agent.use_disk(disk)
    targets = [spooled(number) for number in range(count)]
    agent.sync(targets)
    agent.made, disk.steps = 0, 0
    agent.sync([spooled(0, version="2"), *targets[1:]])
    assert agent.made == 1
    assert disk.steps <= FEW_STEPS


def test_explain_shows_the_row(agent: SyslogngAgent) -> None:
    agent.sync([spooled(1), spooled(2)])
    (item,) = agent.describe(spooled(2))
    assert isinstance(item, File)
    assert container_id(2) in item.content.decode()
    assert container_id(1) not in item.content.decode()


def test_nothing_is_needed_but_the_folder() -> None:
    settings = load(
        SyslogngSettings, Sources(environ={"WATCHER_SYSLOGNG_FOLDER": "/x"}), section="syslogng"
    ).unwrap()
    assert settings == SyslogngSettings(folder=Path("/x"))


def test_without_a_spool_it_refuses_to_work(tmp_path: Path) -> None:
    agent = SyslogngAgent(SyslogngSettings(folder=tmp_path), NodeContext())
    with pytest.raises(AgentConfigError, match="WATCHER_SPOOL_DIR"):
        agent.check()


def test_a_folder_of_syslogng_that_is_not_mounted_is_told_with_the_remedy(
    tmp_path: Path, clock: Clock
) -> None:
    agent = make_agent(tmp_path, clock, persist_file=tmp_path / "absent" / "file")
    with pytest.raises(AgentConfigError, match="absent is no folder: mount the one in which syslog-ng"):
        agent.check()


def test_the_shipped_configuration_names_the_folders_of_the_manual(tmp_path: Path, clock: Clock) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kube_log_watcher_syslogng"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    config = tmp_path / "syslog-ng.conf"
    config.write_text(done.stdout)
    with pytest.raises(AgentConfigError, match=f"names no {tmp_path}/table.xml, no .*present.conf, no .*ack"):
        make_agent(tmp_path, clock, config=config).check()
    config.write_text(done.stdout.replace("/var/log/kube-log-watcher/syslogng", str(tmp_path)))
    make_agent(tmp_path, clock, config=config).check()


def test_the_distribution_offers_the_agent_under_its_name() -> None:
    (found,) = entry_points(group="kube_log_watcher.agents", name="syslogng")
    assert found.load() is SyslogngAgent
