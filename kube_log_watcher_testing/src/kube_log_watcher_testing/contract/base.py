"""What all rules work with: the agent and its folder, targets, and what the agent declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kube_log_watcher_core.agent import BaseAgent, FileAgent
from kube_log_watcher_core.models import LogFile, LogTarget
from kube_log_watcher_testing.contract import trees
from kube_log_watcher_testing.factories import make_container, make_spooled, make_target

MakeAgent = Callable[[Path], BaseAgent[Any]]
"""Makes an agent that keeps its shipper's configuration below a folder, and whatever it needs there.

It is called again with the same folder for what a restart brings: folders may be there already.
"""


class ContractBase:
    """The one fixture that an author gives, and what may be declared or replaced."""

    no_files: ClassVar[str] = ""
    """Why nothing of this agent is below the folder (it talks to a socket, say). It replaces `observe`."""
    no_disk: ClassVar[str] = ""
    """Why this is no `FileAgent`: then nobody can let its disk fail, count its steps or ask what it owns."""
    no_read_back: ClassVar[str] = ""
    """Why nothing can be read back as the shipper would read it."""
    no_check: ClassVar[str] = ""
    """Why `check` can't miss a folder: the agent has none."""
    no_spool: ClassVar[str] = ""
    """Why its shipper can't read segments by a glob: then `check` should refuse a node that has a spool."""
    no_account: ClassVar[str] = ""
    """Why the author can't write down, in place of the shipper, how far a file was read."""
    no_inodes: ClassVar[str] = ""
    """Why the shipper's account knows files by their paths alone: enough for segments, no path comes back."""

    no_uptake: ClassVar[str] = ""
    """Why nobody can have the shipper take up what was written: then no rule can tell when a log is ready."""

    @pytest.fixture
    def make_agent(self) -> MakeAgent:
        """Return what makes the agent: the one thing that every author has to say."""
        pytest.fail(f"{type(self).__name__} needs a fixture `make_agent`, which makes an agent for a folder")

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Return an empty folder, deep enough for a path that leads out of it to be noticed."""
        folder = tmp_path / "node" / "shipper" / "folder"
        folder.mkdir(parents=True)
        return folder

    # ------------------------------------------------------------- what an author may replace

    def target(
        self,
        number: int,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> LogTarget:
        """Make target number so-and-so. An agent that follows only some targets makes such ones."""
        container = make_container(number, pod=f"pod-{number}")
        given = {"application": f"app-{number}", "version": "v1"} if labels is None else labels
        return make_target(container, labels=given, annotations=annotations, labels_as_attributes=("*",))

    def observe(self, folder: Path) -> Mapping[str, object]:
        """Return all that the shipper has been told: what is in the folder."""
        return trees.contents(folder)

    def read_back(self, folder: Path) -> Mapping[str, object]:
        """Read the configuration as the shipper does: what it says of each target, by `name_of`."""
        raise NotReadBack

    def name_of(self, target: LogTarget) -> str:
        """Return by which name `read_back` knows a target.

        Unless replaced, that is what a shipper must be told to read: the path of its log, or where the spool
        keeps it the pattern of its segments.
        """
        return target.pattern if target.is_spooled else str(target.log_path)

    def account(self, folder: Path, file: LogFile, read_bytes: int) -> None:
        """Write down, in place of the shipper, how far it has read a file, where the folder's agent looks.

        For an agent that replaces `read_up_to`.
        """
        raise NoAccountGiven

    def take_up(self, agent: BaseAgent[Any], folder: Path) -> None:
        """Let the shipper take up what the agent has written, after a `sync`: nothing, unless replaced.

        For an agent that gates, and shows a log only when its shipper has acknowledged its metadata.
        """

    # ------------------------------------------------------------- for the rules

    def _targets(self, numbers: Iterable[int], *, version: str = "v1") -> list[LogTarget]:
        """Make ordinary targets; another version makes other targets of them."""
        return [
            self._spooled(
                number, self.target(number, labels={"application": f"app-{number}", "version": version})
            )
            for number in numbers
        ]

    def _spooled(self, number: int, target: LogTarget) -> LogTarget:
        """Return every other target as one that the spool keeps: none ever goes from the one to the other."""
        return make_spooled(target) if number % 2 and not self.no_spool else target

    def _fresh(
        self, make_agent: MakeAgent, folder: Path, targets: Sequence[LogTarget]
    ) -> Mapping[str, object]:
        """Return what an agent makes of targets that has never seen any others."""
        if not self.no_files:
            trees.empty(folder)
        make_agent(folder).sync(targets)
        return self.observe(folder)

    def _identities(self, folder: Path) -> Mapping[str, object]:
        """Return which files these are; nothing where there are none."""
        return {} if self.no_files else trees.identities(folder)

    def _file_agent(self, make_agent: MakeAgent, folder: Path) -> FileAgent[Any]:
        """Make an agent whose disk can be replaced; without one, skip as declared."""
        needs(self.no_disk)
        agent = make_agent(folder)
        if not isinstance(agent, FileAgent):
            pytest.fail(f"{type(agent).__name__} is no FileAgent: tell why, in `no_disk`")
        return agent


class NotReadBack(Exception):
    """An author has not said how the configuration is read back."""


class NoAccountGiven(Exception):
    """An author has not said how the shipper writes down what it has read."""


def needs(lacking: str) -> None:
    """Skip a rule for a declared reason."""
    if lacking:
        pytest.skip(f"declared: {lacking}")


def same(before: Mapping[str, object], after: Mapping[str, object], *, what: str) -> None:
    """Fail, with the names that differ, unless both are the same."""
    found = trees.difference(before, after)
    if found:
        pytest.fail(f"{what} ({found})")
