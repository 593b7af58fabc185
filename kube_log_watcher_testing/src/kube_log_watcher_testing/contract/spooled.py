"""Rules of the spool: a log's files are read by one pattern, and an account is of one very file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.models import LogFile, LogTarget
from kube_log_watcher_testing.contract.base import (
    ContractBase,
    MakeAgent,
    NoAccountGiven,
    NotReadBack,
    needs,
    same,
)
from kube_log_watcher_testing.factories import make_spooled

SIZE, READ = 100, 60
"""Bytes of a segment, and how many of them are read."""
FIRST = 1_795_577_286
"""The number of a log's first segment: the seconds since 1970 at which it was first kept."""


class SpoolRules(ContractBase):
    """Rules for targets that the spool keeps."""

    def test_a_spooled_target_is_told_by_its_pattern(self, make_agent: MakeAgent, folder: Path) -> None:
        """By its path, each of its files would be lost that is rotated before it was read to its end."""
        needs(self.no_spool)
        needs(self.no_read_back)
        plain, spooled = self.target(2), make_spooled(self.target(3))
        make_agent(folder).sync([plain, spooled])
        found = self._read(folder)
        for target in (plain, spooled):
            if self.name_of(target) not in found:
                pytest.fail(
                    f"{self.name_of(target)} is to be told to the shipper, and that is told: "
                    f"{', '.join(sorted(found))}; where `read_back` goes by something else, replace `name_of`"
                )

    def test_further_segments_change_nothing(
        self, make_agent: MakeAgent, folder: Path, tmp_path: Path
    ) -> None:
        """A rotation makes a file more, and no other target: nobody need tell the shipper of it."""
        needs(self.no_spool)
        target = make_spooled(self.target(1), _spool(tmp_path))
        agent = make_agent(folder)
        _segment(target, 0)
        agent.sync([target])
        told, files = self.observe(folder), self._identities(folder)
        for number in (1, 2):
            _segment(target, number)
            agent.sync([target])
            same(told, self.observe(folder), what="a further segment changed something")
            same(files, self._identities(folder), what="with a further segment all was written again")

    def test_what_was_read_is_said_of_that_very_file(
        self, make_agent: MakeAgent, folder: Path, tmp_path: Path
    ) -> None:
        """Inodes are used again within seconds: who says that it was read has a file removed that was not."""
        needs(self.no_spool)
        target = make_spooled(self.target(1), _spool(tmp_path))
        first, second = (_segment(target, number) for number in (0, 1))
        agent = make_agent(folder)
        agent.sync([target])
        if type(agent).read_up_to is BaseAgent.read_up_to:
            _is_not_claimed(agent, target, first, what="of a file of which it knows nothing")
            return
        needs(self.no_account)
        _is_not_claimed(agent, target, first, what="before the shipper has said anything")
        try:
            self.account(folder, first, READ)
        except NoAccountGiven:
            pytest.fail(
                "`read_up_to` is replaced: tell how the shipper writes down what it has read, in `account`, "
                "or declare `no_account`"
            )
        said = agent.read_up_to(target, first)
        if said is None or said.read_bytes != READ:
            pytest.fail(f"the shipper has read {READ} bytes by its account, and `read_up_to` says {said}")
        _is_not_claimed(agent, target, second, what="of a file of which the shipper has said nothing")
        other = LogFile(second.path, first.inode)
        _is_not_claimed(agent, target, other, what="of another file that has got the same inode")
        other = LogFile(first.path, second.inode)
        if not self.no_inodes:
            _is_not_claimed(agent, target, other, what="of another file that has the same path")
        elif (said := agent.read_up_to(target, other)) is None or said.read_bytes != READ:
            pytest.fail("declared, but it is not so: `no_inodes`")

    def _read(self, folder: Path) -> Mapping[str, object]:
        try:
            return self.read_back(folder)
        except NotReadBack:
            pytest.fail("tell how the shipper reads this: replace `read_back`, or declare `no_read_back`")


def _spool(root: Path) -> Path:
    spool = root / "spool"
    spool.mkdir()
    return spool


def _segment(target: LogTarget, number: int) -> LogFile:
    """Make a segment of a target, as the watcher names it."""
    pattern = Path(target.pattern)
    path = pattern.with_name(pattern.name.replace(".*.", f".{FIRST + number}."))
    path.parent.mkdir(exist_ok=True)
    path.write_text("x" * (SIZE - 1) + "\n")
    return LogFile(path, path.stat().st_ino)


def _is_not_claimed(agent: BaseAgent[Any], target: LogTarget, file: LogFile, *, what: str) -> None:
    """Fail where an agent says that something was read of a file."""
    said = agent.read_up_to(target, file)
    if said is not None and said.read_bytes > 0:
        pytest.fail(f"`read_up_to` says that {said.read_bytes} bytes were read {what}")
