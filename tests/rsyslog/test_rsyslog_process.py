"""The agent and the real rsyslogd: each line with what its own pod's author wrote, and never without."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import LogFile, LogTarget, NodeContext
from kube_log_watcher_rsyslog import RsyslogAgent, RsyslogSettings
from kube_log_watcher_static import metadata_of, without_nul
from kube_log_watcher_testing import hostile
from rsyslog_support import Rsyslogd, needs_rsyslog
from segment_support import cri, target_in, write_segment
from support import wait_until

pytestmark = [needs_rsyslog, pytest.mark.timeout(120)]

MakeTarget = Callable[..., LogTarget]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (spool := tmp_path / "spool").mkdir()
    return spool


@pytest.fixture
def rsyslogd(tmp_path: Path, spool: Path) -> Iterator[Rsyslogd]:
    rsyslogd = Rsyslogd(tmp_path, spool=spool)
    yield rsyslogd
    rsyslogd.kill()


@pytest.fixture
def agent(rsyslogd: Rsyslogd, spool: Path) -> RsyslogAgent:
    settings = RsyslogSettings(folder=rsyslogd.folder, state_dir=rsyslogd.state_dir, config=rsyslogd.config)
    return RsyslogAgent(settings, NodeContext(has_spool=True, spool_dirs=(spool,)))


@pytest.fixture
def make(spool: Path) -> MakeTarget:
    return functools.partial(target_in, spool)


def show(agent: RsyslogAgent, *targets: LogTarget) -> None:
    """Have rsyslog load what is known of these logs."""
    wait_until(lambda: agent.sync(targets) is None, timeout=30)
    assert list(agent.ready(targets)) == list(targets)


def read(agent: RsyslogAgent, target: LogTarget, path: Path) -> int:
    progress = agent.read_up_to(target, LogFile(path, path.stat().st_ino))
    return 0 if progress is None else progress.read_bytes


def test_check_accepts_the_shipped_configuration(agent: RsyslogAgent) -> None:
    agent.check()


def test_a_line_is_shipped_with_its_pods_metadata(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget
) -> None:
    target = make(1, application="shop", version="v7")
    agent.sync([target])
    assert list(agent.ready([target])) == []
    rsyslogd.start()
    show(agent, target)
    write_segment(target, cri("one"), '{"log":"two\\n","stream":"stdout","time":"2026-11-25T03:00:00Z"}')
    wait_until(lambda: len(rsyslogd.shipped()) == 2)
    assert [record["kubernetes"] for record in rsyslogd.shipped()] == [metadata_of(target)] * 2
    assert rsyslogd.messages()[0] == cri("one")


def test_hostile_labels_stay_text(agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget) -> None:
    """As value and as name; a NUL is replaced, for rsyslog's texts end there."""
    texts = list(hostile.TEXTS)
    targets = [make(number, application=text) for number, text in enumerate(texts)]
    named = [make(number + 1000, **{text: "x"}) for number, text in enumerate(hostile.SHORT)]
    agent.sync([*targets, *named])
    rsyslogd.start()
    show(agent, *targets, *named)
    for target in (*targets, *named):
        write_segment(target, cri(target.id))
    wait_until(lambda: len(rsyslogd.shipped()) == len(targets) + len(named), timeout=60)
    found = {record["log"].split()[-1]: record["kubernetes"] for record in rsyslogd.shipped()}
    odd = {
        target.id: (found[target.id], expected)
        for target in (*targets, *named)
        if found[target.id] != (expected := without_nul(metadata_of(target)))
    }
    assert odd == {}


def test_a_label_that_changes_is_seen_without_a_restart(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget
) -> None:
    target, changed = make(1, version="1"), make(1, version="2")
    agent.sync([target])
    with rsyslogd:
        show(agent, target)
        write_segment(target, cri("one"))
        wait_until(lambda: rsyslogd.messages() == [cri("one")])
        show(agent, changed)
        write_segment(target, cri("two"))
        wait_until(lambda: len(rsyslogd.shipped()) == 2)
    assert [record["kubernetes"]["labels"]["version"] for record in rsyslogd.shipped()] == ["1", "2"]


def test_what_is_read_after_a_pod_asked_for_a_redaction_is_not_shipped(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget
) -> None:
    """A label of that name asks for nothing."""
    target, other = make(1), make(2, held="kubernetes-log-watcher")
    rules = json.dumps([{"container": target.container_name, "redaction-rules": [{"match_expression": "x"}]}])
    annotations = {"kubernetes-log-watcher/scalyr-redaction-rules": rules}
    asks = attrs.evolve(target, pod=attrs.evolve(target.pod, annotations=annotations))
    agent.sync([target, other])
    with rsyslogd:
        show(agent, target, other)
        path = write_segment(target, cri("one"))
        wait_until(lambda: rsyslogd.messages() == [cri("one")])
        wait_until(lambda: agent.sync([asks, other]) is None, timeout=30)
        write_segment(target, cri("two"))
        wait_until(lambda: read(agent, target, path) == path.stat().st_size)
        write_segment(other, cri("three"))
        wait_until(lambda: len(rsyslogd.shipped()) > 1)
    assert rsyslogd.messages() == [cri("one"), cri("three")]


def test_a_table_that_somebody_breaks_is_not_taken_up_and_is_written_anew(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget
) -> None:
    target = make(1, version="1")
    agent.sync([target])
    with rsyslogd:
        show(agent, target)
        (rsyslogd.folder / "table.json").write_text('{"version": 1')
        (rsyslogd.folder / "request").write_text("reload, by hand\n")
        (rsyslogd.folder / "request").rename(rsyslogd.folder / "control")
        wait_until(lambda: "could not be reloaded" in rsyslogd.said)
        write_segment(target, cri("one"))
        wait_until(lambda: rsyslogd.messages() == [cri("one")])
        show(agent, target)
        show(agent, target, make(2))
        write_segment(make(2), cri("two"))
        wait_until(lambda: len(rsyslogd.shipped()) == 2)
    assert all("error" not in record["kubernetes"] for record in rsyslogd.shipped())


def test_without_a_table_rsyslog_does_not_start(rsyslogd: Rsyslogd) -> None:
    """It would ship what the spool has without labels."""
    rsyslogd.start()
    wait_until(lambda: not rsyslogd.running)
    assert "could not be opened" in rsyslogd.said


def test_a_table_without_rows_that_it_was_started_with_is_replaced(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget
) -> None:
    """Somebody has put an empty one there while the watcher was away."""
    target = make(1)
    (rsyslogd.folder / "table.json").write_text('{"version":1,"nomatch":"","type":"string","table":[]}')
    with rsyslogd:
        wait_until((rsyslogd.folder / "ack").exists)
        assert (rsyslogd.folder / "ack").read_text() == "none\n"
        show(agent, target)


@pytest.mark.parametrize("count", [110, 1000])
def test_many_logs_are_taken_up_and_shipped(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget, count: int
) -> None:
    targets = [make(number, application="shop", note="x" * 300) for number in range(count)]
    agent.sync(targets)
    with rsyslogd:
        show(agent, *targets)
        for target in targets:
            write_segment(target, cri(target.id))
        wait_until(lambda: len(rsyslogd.shipped()) == count, timeout=60)
    assert {record["log"].split()[-1] for record in rsyslogd.shipped()} == {
        record["kubernetes"]["container_id"] for record in rsyslogd.shipped()
    }


def test_many_changes_leave_files_bounded_and_are_all_answered(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget
) -> None:
    ack = rsyslogd.folder / "ack"
    agent.sync([])
    with rsyslogd:
        for version in range(40):
            show(agent, make(1, version=str(version)))
            if version == 20:
                with ack.open("a") as answers:
                    answers.write("x" * 70_000 + "\n")
    assert ack.stat().st_size < 1000
    assert sorted(path.name for path in rsyslogd.folder.iterdir()) == ["ack", "control", "table.json"]
    assert (rsyslogd.folder / "control").stat().st_size < 100


def test_how_far_it_has_read_is_told_by_its_notes(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget
) -> None:
    target = make(1)
    path = write_segment(target, *(cri(str(number)) for number in range(250)))
    file = LogFile(path, path.stat().st_ino)

    def read() -> int:
        progress = agent.read_up_to(target, file)
        return -1 if progress is None else progress.read_bytes

    agent.sync([target])
    assert read() == 0
    with rsyslogd:
        wait_until(lambda: read() == path.stat().st_size)
        assert len(rsyslogd.shipped()) == 250
    progress = agent.read_up_to(target, attrs.evolve(file, path=path.with_name("other.log")))
    assert progress is not None
    assert progress.read_bytes == 0


def test_a_line_that_has_no_end_yet_counts_as_read_when_it_is_handed_on(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget
) -> None:
    """A CRI runtime writes a long line in parts: only the last of them makes it a message."""
    target = make(1)
    path = write_segment(target, cri("one"), cri("two").replace(" F ", " P "))
    whole = len(cri("one")) + 1
    file = LogFile(path, path.stat().st_ino)

    def read() -> int:
        progress = agent.read_up_to(target, file)
        return -1 if progress is None else progress.read_bytes

    agent.sync([target])
    with rsyslogd:
        wait_until(lambda: read() == whole)
        assert rsyslogd.messages() == [cri("one")]
        wait_until(lambda: read() == path.stat().st_size, timeout=30)
        assert len(rsyslogd.shipped()) == 2


def test_without_an_output_rsyslog_does_not_start(agent: RsyslogAgent, rsyslogd: Rsyslogd) -> None:
    """It would read all logs, and drop them."""
    agent.sync([])
    rsyslogd.config.with_name("output.conf").unlink()
    rsyslogd.start()
    wait_until(lambda: not rsyslogd.running)
    assert "output.conf" in rsyslogd.said


RECEIVER = """\
import sys, time
print("OK", flush=True)
with open(sys.argv[1], "a") as taken:
    for line in sys.stdin:
        time.sleep(0.001)
        print(line, end="", file=taken, flush=True)
        print("OK", flush=True)
"""
SLOW_OUTPUT = """\
module(load="omprog")
ruleset(name="klw_output") {{
  action(type="omprog" binary="{python} -SE {program} {taken}" confirmMessages="on" template="klw_json")
}}
"""


def test_a_kill_loses_nothing_of_what_a_slow_receiver_has_not_taken(
    agent: RsyslogAgent, rsyslogd: Rsyslogd, make: MakeTarget, tmp_path: Path
) -> None:
    """What it has noted as read has been taken: a segment may go."""
    (program := tmp_path / "receiver.py").write_text(RECEIVER)
    output = SLOW_OUTPUT.format(python=sys.executable, program=program, taken=rsyslogd.output)
    rsyslogd.config.with_name("output.conf").write_text(output)
    target = make(1)
    path = write_segment(target, *(cri(f"{number:04}") for number in range(2000)))
    file = LogFile(path, path.stat().st_ino)
    agent.sync([target])
    for enough in (200, 700):
        rsyslogd.start()
        wait_until(lambda: len(rsyslogd.messages()) >= enough)  # noqa: B023
        rsyslogd.kill()
        progress = agent.read_up_to(target, file)
        assert progress is not None
        assert progress.read_bytes <= len(set(rsyslogd.messages())) * len(cri("0000\n"))
    rsyslogd.start()
    wait_until(lambda: len(set(rsyslogd.messages())) == 2000)
    # Again come those since the last note, ten lines ago at the most, and what was taken after the kill.
    assert len(rsyslogd.messages()) <= 2000 + 2 * 50
