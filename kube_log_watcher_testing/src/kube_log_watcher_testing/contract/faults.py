"""Rules of the disk: what a fault costs, and what a change costs."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core.agent import FileAgent
from kube_log_watcher_core.files.items import TEMPORARY_SUFFIX
from kube_log_watcher_core.models import LogTarget
from kube_log_watcher_testing.contract.base import ContractBase, MakeAgent, same
from kube_log_watcher_testing.contract.disks import CountingDisk, FailingDisk

FEW_TARGETS, MANY_TARGETS = 10, 1000


class FaultRules(ContractBase):
    """Rules for agents whose disk can be replaced."""

    def test_a_failed_write_keeps_the_old_files(self, make_agent: MakeAgent, folder: Path) -> None:
        """At whichever step the disk fails, every file is the old or the new one, and the fault is told.

        What bears a container's id may go when that container is no target any more, or has what is new.
        """
        self._file_agent(make_agent, folder)
        old = self._targets((1, 2))
        new = [*self._targets((2,), version="v2"), *self._targets((3,))]
        wanted = self._fresh(make_agent, folder, new)
        before = self._fresh(make_agent, folder, old)
        ids = [target.id for target in old]
        for step in itertools.count(1):
            make_agent(folder).sync(old)
            agent, disk = self._file_agent(make_agent, folder), FailingDisk(step)
            agent.use_disk(disk)
            told = _fails(agent, new)
            if not disk.failed:
                break
            if not told:
                pytest.fail(f"the disk failed at step {step}, {disk.failed}, and `sync` did not raise")
            self._nothing_is_lost(before, self.observe(folder), wanted, disk, ids=ids)
            agent.sync(new)
            same(wanted, self.observe(folder), what=f"not made right after a fault at step {step}")
        if step == 1:
            pytest.fail("the agent does not use the disk that it was given: derive `sync` from FileAgent's")

    def _nothing_is_lost(
        self,
        before: Mapping[str, object],
        after: Mapping[str, object],
        wanted: Mapping[str, object],
        disk: FailingDisk,
        *,
        ids: Collection[str],
    ) -> None:
        def is_over(name: str) -> bool:
            about = [each for each in ids if each in name]
            new = [each for each in wanted if any(one in each for one in about)]
            return bool(about) and all(after.get(each) == wanted[each] for each in new)

        putting = disk.failed in disk.PUTTING
        gone = {
            name for name in before.keys() - after.keys() if name in wanted or (putting and not is_over(name))
        }
        broken = {
            name
            for name, content in after.items()
            if content not in [known[name] for known in (before, wanted) if name in known]
        }
        temporary = {name for name in after if name.endswith(TEMPORARY_SUFFIX)}
        for names, what in (
            (gone, "gone"),
            (temporary, "temporary files left"),
            (broken, "neither old nor new"),
        ):
            if names:
                pytest.fail(f"{what} after a failed {disk.failed}: {', '.join(sorted(names)[:5])}")

    def test_the_cost_of_a_change_stays_flat(self, make_agent: MakeAgent, folder: Path) -> None:
        """One change among 1,000 targets takes no more steps on the disk than one among 10."""
        few, many = (self._steps(make_agent, folder, count) for count in (FEW_TARGETS, MANY_TARGETS))
        # A factor for what depends on which target it is, far below the hundredfold number of targets.
        if many > 2 * few:
            pytest.fail(
                f"one change takes {few} steps on the disk among {FEW_TARGETS} targets, "
                f"{many} among {MANY_TARGETS}"
            )

    def _steps(self, make_agent: MakeAgent, folder: Path, count: int) -> int:
        """Return the steps of a sync with a target changed, one gone and one new."""
        agent, disk = self._file_agent(make_agent, folder), CountingDisk()
        agent.use_disk(disk)
        targets = self._targets(range(1, count + 1))
        agent.sync(targets)
        if not disk.steps:
            pytest.fail("the agent does not use the disk that it was given: derive `sync` from FileAgent's")
        begun = disk.steps
        changed = [*self._targets((2,), version="v2"), *targets[2:], *self._targets((count + 1,))]
        agent.sync(changed)
        return disk.steps - begun


def _fails(agent: FileAgent[Any], targets: Sequence[LogTarget]) -> bool:
    try:
        agent.sync(targets)
    except Exception:  # noqa: BLE001 - an agent may raise anything
        return True
    return False
