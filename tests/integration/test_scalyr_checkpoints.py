"""What the real Scalyr agent's checkpoints say, and how a drain goes by them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kube_log_watcher_core import LogFile, LogTarget
from kube_log_watcher_core.models import Departed
from kube_log_watcher_core.reconcile import AgentDrain, DrainRules
from kube_log_watcher_scalyr import ScalyrAgent
from scalyr_process import NEEDS_AGENT, docker_lines, running_agent
from scalyr_receiver import Receiver
from scalyr_support import a_target, an_agent, written
from support import wait_until

pytestmark = [pytest.mark.scalyr, pytest.mark.long, NEEDS_AGENT]

RULES = DrainRules(seconds=300, max_seconds=900)
QUICK = {"SCALYR_MAX_REQUEST_SPACING_INTERVAL": "0.3", "SCALYR_FULL_CHECKPOINT_INTERVAL_IN_SECONDS": "1"}


class Gone:
    """A container whose log is deleted while the agent has yet to read its last lines."""

    def __init__(self, folder: Path) -> None:
        log = folder / "logs" / "pod[1]*" / "0.log"
        log.parent.mkdir(parents=True)
        log.write_text(docker_lines(*(f"line {number}" for number in range(100))))
        self.target: LogTarget = a_target(1, log_path=log)
        data = folder / "config" / "scalyr-agent" / "data"
        self.agent: ScalyrAgent = an_agent(folder, data_path=data, config_check_interval=0.2)
        self.drain = AgentDrain("scalyr", self.agent, clock=time.monotonic)
        self._departed: list[Departed] = []

    def go(self, *last: str) -> None:
        """Write the last lines, and delete the log."""
        with self.target.log_path.open("a") as log:
            log.write(docker_lines(*last))
        size = self.target.log_path.stat().st_size
        self.target.log_path.unlink()
        self._departed = [Departed(self.target, since=time.time(), size=size, began=time.monotonic())]

    def sync(self) -> bool:
        """Do what the worker does; tell whether the log is still configured."""
        self.agent.sync(self.drain.still_to_read(self._departed, RULES))
        return bool(written(self.agent)["logs"])


def test_a_gone_log_stays_while_it_is_unread_and_leaves_as_soon_as_it_is_read(tmp_path: Path) -> None:
    gone = Gone(tmp_path)
    gone.agent.sync([gone.target])
    with Receiver() as receiver, running_agent(gone.agent.settings.config_path, receiver, QUICK):
        wait_until(lambda: len(receiver.messages(application="shop")) == 100, timeout=40, what="100 lines")
        receiver.keep_out()
        gone.go("last 1", "last 2")
        wait_until(lambda: receiver.waiting, what="a request that waits")
        assert gone.sync()
        progress = gone.agent.read_up_to(gone.target, LogFile(gone.target.log_path))
        assert progress is not None
        assert not progress.closed
        receiver.let_in()
        wait_until(lambda: not gone.sync(), timeout=40, what="the end of the drain")
        assert receiver.messages(application="shop")[100:] == [
            line.rstrip("\n") for line in docker_lines("last 1", "last 2").splitlines()
        ]


def test_the_checkpoint_of_a_log_that_is_there_tells_the_offset(tmp_path: Path) -> None:
    """Under the path itself, also where agent.json has a pattern for it."""
    gone = Gone(tmp_path)
    gone.agent.sync([gone.target])
    size = gone.target.log_path.stat().st_size
    before = time.time()

    def is_read() -> bool:
        progress = gone.agent.read_up_to(gone.target, LogFile(gone.target.log_path))
        return progress is not None and progress.read_bytes == size and not progress.pending

    with Receiver() as receiver, running_agent(gone.agent.settings.config_path, receiver, QUICK):
        wait_until(is_read, timeout=40, what="a checkpoint at the end")
        progress = gone.agent.read_up_to(gone.target, LogFile(gone.target.log_path))
        assert progress is not None
        assert before - 1 <= progress.at <= time.time()


def test_after_a_rotation_the_offset_is_that_of_the_new_file(tmp_path: Path) -> None:
    gone = Gone(tmp_path)
    gone.agent.sync([gone.target])
    log = gone.target.log_path

    def progress_is(*, read_bytes: int, pending: bool) -> bool:
        progress = gone.agent.read_up_to(gone.target, LogFile(gone.target.log_path))
        return progress is not None and (progress.read_bytes, progress.pending) == (read_bytes, pending)

    with Receiver() as receiver, running_agent(gone.agent.settings.config_path, receiver, QUICK):
        wait_until(lambda: len(receiver.messages(application="shop")) == 100, timeout=40, what="100 lines")
        receiver.keep_out()
        with log.open("a") as file:
            file.write(docker_lines("before the rotation"))
        wait_until(lambda: receiver.waiting, what="a request that waits")
        log.rename(log.with_name("0.log.20240102-030405"))
        log.write_text(docker_lines("after the rotation"))
        receiver.let_in()
        size = log.stat().st_size
        wait_until(lambda: progress_is(read_bytes=size, pending=False), timeout=40, what="the new file's end")
    assert len(receiver.messages(application="shop")) == 102


def test_a_change_of_the_configuration_loses_what_is_unread_of_a_deleted_log(tmp_path: Path) -> None:
    """The Scalyr agent's own loss: it opens all logs anew then, and this one is not there any more.

    So keeping the entry is not all: while a gone log is unread, nothing else should change either.
    """
    gone = Gone(tmp_path)
    other = a_target(2, labels={"application": "other"}, log_path=tmp_path / "logs" / "other.log")
    other.log_path.write_text(docker_lines("other 1"))
    gone.agent.sync([gone.target])
    with Receiver() as receiver, running_agent(gone.agent.settings.config_path, receiver, QUICK) as folder:
        wait_until(lambda: len(receiver.messages(application="shop")) == 100, timeout=40, what="100 lines")
        receiver.keep_out()
        with gone.target.log_path.open("a") as log:
            log.write(docker_lines("in a request"))
        wait_until(lambda: receiver.waiting, what="a request that waits")
        gone.go("not in it")
        gone.agent.sync([gone.target, other])
        agent_log = folder / "log" / "agent.log"
        wait_until(
            lambda: "New configuration file seen" in agent_log.read_text(), timeout=30, what="a reload"
        )
        receiver.let_in()
        wait_until(lambda: receiver.messages(application="other"), timeout=40, what="the other log")
    arrived = "".join(receiver.messages(application="shop"))
    assert "in a request" in arrived
    assert "not in it" not in arrived
