"""The agent and the real syslog-ng: each line with what its own pod's author wrote, and never without."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import LogFile, LogTarget, NodeContext
from kube_log_watcher_static import metadata_of
from kube_log_watcher_syslogng import SyslogngAgent, SyslogngSettings
from kube_log_watcher_testing import hostile
from segment_support import cri, target_in, write_segment
from support import wait_until
from syslogng_support import Syslogng, needs_syslogng

pytestmark = [needs_syslogng, pytest.mark.timeout(120)]

MakeTarget = Callable[..., LogTarget]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (spool := tmp_path / "spool").mkdir()
    return spool


@pytest.fixture
def syslogng(tmp_path: Path, spool: Path) -> Iterator[Syslogng]:
    syslogng = Syslogng(tmp_path, spool=spool)
    yield syslogng
    syslogng.kill()


@pytest.fixture
def agent(syslogng: Syslogng, spool: Path) -> SyslogngAgent:
    settings = SyslogngSettings(
        folder=syslogng.folder,
        persist_file=syslogng.persist_file,
        config=syslogng.config,
    )
    return SyslogngAgent(settings, NodeContext(has_spool=True, spool_dirs=(spool,)))


@pytest.fixture
def make(spool: Path) -> MakeTarget:
    return functools.partial(target_in, spool)


def show(agent: SyslogngAgent, *targets: LogTarget) -> None:
    """Have syslog-ng load what is known of these logs."""
    wait_until(lambda: agent.sync(targets) is None, timeout=30)
    assert list(agent.ready(targets)) == list(targets)


def answers(syslogng: Syslogng) -> int:
    """Return how often syslog-ng has said which table it has: once a second."""
    return (syslogng.folder / "ack").read_text().count("\n")


def read(agent: SyslogngAgent, target: LogTarget, path: Path) -> int:
    return agent.read_up_to(target, LogFile(path, path.stat().st_ino)).read_bytes


def test_check_accepts_the_shipped_configuration(agent: SyslogngAgent) -> None:
    agent.check()


def test_a_line_is_shipped_with_its_pods_metadata(
    agent: SyslogngAgent, syslogng: Syslogng, make: MakeTarget
) -> None:
    target = make(1, application="shop", **{"app.kubernetes.io/name": "shop"})
    agent.sync([target])
    assert list(agent.ready([target])) == []
    with syslogng:
        show(agent, target)
        docker = '{"log":"two\\n","stream":"stdout","time":"2026-11-25T03:00:00Z"}'
        path = write_segment(target, cri('o"n\\e\t\N{SNOWMAN}'), docker)
        wait_until(lambda: len(syslogng.shipped()) == 2)
    assert [record["kubernetes"] for record in syslogng.shipped()] == [metadata_of(target)] * 2
    assert syslogng.messages() == [cri('o"n\\e\t\N{SNOWMAN}'), docker]
    assert syslogng.shipped()[0]["filename"] == str(path)


def test_hostile_labels_stay_text(agent: SyslogngAgent, syslogng: Syslogng, make: MakeTarget) -> None:
    """As value and as name: nothing is expanded, and no row changes another."""
    targets = [make(number, application=text) for number, text in enumerate(hostile.TEXTS)]
    targets += [make(number + 1000, **{text: "x"}) for number, text in enumerate(hostile.SHORT)]
    agent.sync(targets)
    with syslogng:
        show(agent, *targets)
        for target in targets:
            write_segment(target, cri(target.id))
        wait_until(lambda: len(syslogng.shipped()) == len(targets), timeout=60)
    found = {record["log"].split()[-1]: record["kubernetes"] for record in syslogng.shipped()}
    odd = {
        target.id: (found[target.id], expected)
        for target in targets
        if found[target.id] != (expected := metadata_of(target))
    }
    assert odd == {}


def test_a_label_that_changes_is_seen_without_a_restart(
    agent: SyslogngAgent, syslogng: Syslogng, make: MakeTarget
) -> None:
    target, changed = make(1, version="1"), make(1, version="2")
    agent.sync([target])
    with syslogng:
        show(agent, target)
        write_segment(target, cri("one"))
        wait_until(lambda: syslogng.messages() == [cri("one")])
        show(agent, changed)
        write_segment(target, cri("two"))
        wait_until(lambda: len(syslogng.shipped()) == 2)
    assert [record["kubernetes"]["labels"]["version"] for record in syslogng.shipped()] == ["1", "2"]


def test_what_is_read_after_a_pod_asked_for_a_redaction_is_not_shipped(
    agent: SyslogngAgent, syslogng: Syslogng, make: MakeTarget
) -> None:
    """A label of that name asks for nothing."""
    target, other = make(1), make(2, held="kubernetes-log-watcher")
    rules = json.dumps([{"container": target.container_name, "redaction-rules": [{"match_expression": "x"}]}])
    annotations = {"kubernetes-log-watcher/scalyr-redaction-rules": rules}
    asks = attrs.evolve(target, pod=attrs.evolve(target.pod, annotations=annotations))
    agent.sync([target, other])
    with syslogng:
        show(agent, target, other)
        path = write_segment(target, cri("one"))
        wait_until(lambda: syslogng.messages() == [cri("one")])
        wait_until(lambda: agent.sync([asks, other]) is None, timeout=30)
        write_segment(target, cri("two"))
        wait_until(lambda: read(agent, target, path) == path.stat().st_size)
        write_segment(other, cri("three"))
        wait_until(lambda: len(syslogng.shipped()) > 1)
    assert syslogng.messages() == [cri("one"), cri("three")]


def test_a_table_that_somebody_breaks_is_not_taken_up_and_is_written_anew(
    agent: SyslogngAgent, syslogng: Syslogng, make: MakeTarget
) -> None:
    target, other = make(1), make(2)
    agent.sync([target])
    with syslogng:
        show(agent, target)
        (syslogng.folder / "table.xml").write_text("<patterndb")
        before = answers(syslogng)
        wait_until(lambda: answers(syslogng) > before + 6)  # it has looked at it meanwhile
        write_segment(target, cri("one"))
        wait_until(lambda: len(syslogng.shipped()) == 1)
        show(agent, target)
        show(agent, target, other)
        write_segment(other, cri("two"))
        wait_until(lambda: len(syslogng.shipped()) == 2)
    assert [record["kubernetes"]["pod_id"] for record in syslogng.shipped()] == ["uid-1", "uid-2"]


def test_without_a_table_it_does_not_start(syslogng: Syslogng) -> None:
    """It would ship what the spool has without labels."""
    syslogng.start()
    wait_until(lambda: not syslogng.running)
    assert "present.conf" in syslogng.said


def test_without_an_output_it_does_not_start(agent: SyslogngAgent, syslogng: Syslogng) -> None:
    agent.sync([])
    syslogng.config.with_name("output.conf").unlink()
    syslogng.start()
    wait_until(lambda: not syslogng.running)
    assert "output.conf" in syslogng.said


@pytest.mark.parametrize("count", [110, 1000])
def test_many_logs_are_taken_up_and_shipped(
    agent: SyslogngAgent, syslogng: Syslogng, make: MakeTarget, count: int
) -> None:
    targets = [make(number, application="shop", note="x" * 300) for number in range(count)]
    agent.sync(targets)
    with syslogng:
        show(agent, *targets)
        paths = [write_segment(target, cri(target.id)) for target in targets]
        wait_until(lambda: len(syslogng.shipped()) == count, timeout=60)
        wait_until(lambda: read(agent, targets[-1], paths[-1]) == paths[-1].stat().st_size)
    records = syslogng.shipped()
    found = {(record["log"].split()[-1], record["kubernetes"]["container_id"]) for record in records}
    assert found == {(target.id, target.id) for target in targets}


def test_how_far_it_has_read_is_told_by_its_persist_file(
    agent: SyslogngAgent, syslogng: Syslogng, make: MakeTarget
) -> None:
    target = make(1)
    path = write_segment(target, *(cri(str(number)) for number in range(250)))
    agent.sync([target])
    assert read(agent, target, path) == 0
    with syslogng:
        wait_until(lambda: read(agent, target, path) == path.stat().st_size)
        assert len(syslogng.shipped()) == 250
        file = LogFile(path.with_name("other.log"), path.stat().st_ino)
        assert agent.read_up_to(target, file).read_bytes == 0
        syslogng.kill()
        syslogng.start()
        write_segment(target, cri("one more"))
        wait_until(lambda: len(syslogng.shipped()) == 251)


def test_a_line_without_an_end_is_not_said_to_be_read(
    agent: SyslogngAgent, syslogng: Syslogng, make: MakeTarget
) -> None:
    target = make(1)
    path = write_segment(target, cri("one"))
    whole = path.stat().st_size
    with path.open("a") as log:
        log.write(cri("tw"))
    agent.sync([target])
    with syslogng:
        wait_until(lambda: read(agent, target, path) == whole)
        write_segment(target, "o")
        wait_until(lambda: syslogng.messages() == [cri("one"), cri("two")])
        wait_until(lambda: read(agent, target, path) == path.stat().st_size)
