"""Rules of the gate: a shipper that finds logs by itself sees none before it can know whose it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.models import LogTarget
from kube_log_watcher_testing.contract import trees
from kube_log_watcher_testing.contract.base import ContractBase, MakeAgent, needs
from kube_log_watcher_testing.contract.disks import FailingDisk
from kube_log_watcher_testing.factories import make_spooled

OLD, NEW, OTHER = 1, 3, 5
"""Numbers of targets."""


class GateRules(ContractBase):
    """Rules for agents that gate segments; of others there is nothing to say."""

    def test_only_what_was_handed_is_ready(self, make_agent: MakeAgent, folder: Path) -> None:
        """What went is not ready any more: its segments are gone, and what was written about it is too."""
        agent = self._gating(make_agent, folder)
        if agent is None:
            return
        for numbers in ((OLD, NEW, OTHER), (OLD, OTHER), ()):
            targets = self._kept(numbers)
            strange = _keys(self._synced_and_ready(agent, folder, targets)) - _keys(targets)
            if strange:
                pytest.fail(f"`ready` names what was not handed: {', '.join(sorted(strange)[:3])}")

    def test_nothing_is_ready_before_its_metadata_stand(self, make_agent: MakeAgent, folder: Path) -> None:
        """At whichever step the disk fails: else a shipper ships lines without their labels, or another's."""
        needs(self.no_read_back)
        if self._gating(make_agent, folder) is None:
            return
        before, changed = self._kept((OLD,)), self._kept((OLD,), version="v2")
        after = [*changed, *self._kept((NEW,))]
        own = self._entries(make_agent, folder, [*before, *after])
        for step in itertools.count(1):
            trees.empty(folder)
            agent, disk = self._file_agent(make_agent, folder), FailingDisk(step)
            agent.sync(before)
            agent.use_disk(disk)
            _try(agent, after)
            self._own_stands(folder, list(agent.ready(after)), own, when=f"after a failed {disk.failed}")
            if not disk.failed:
                break

    def test_all_becomes_ready_and_stays_so(self, make_agent: MakeAgent, folder: Path) -> None:
        """A log that is never ready is never shipped; one that was is not taken from sight by a label."""
        agent = self._gating(make_agent, folder)
        if agent is None:
            return
        first = self._kept((OLD, OTHER))
        self._is_ready(self._synced_and_ready(agent, folder, first), first, when="after a sync")
        more = [*self._kept((OLD, OTHER), version="v2"), *self._kept((NEW,))]
        agent.sync(more)
        self._is_ready(agent.ready(more), first, when="any more, when labels changed and another one came")

    def test_what_comes_again_waits_for_its_metadata_again(self, make_agent: MakeAgent, folder: Path) -> None:
        """Whoever remembers for ever what was ready lets a shipper read what nobody has written about."""
        needs(self.no_read_back)
        if self._gating(make_agent, folder) is None:
            return
        target = self._kept((OLD,))
        own = self._entries(make_agent, folder, target)
        trees.empty(folder)
        agent, disk = self._file_agent(make_agent, folder), FailingDisk(1)
        self._synced_and_ready(agent, folder, target)
        agent.sync([])
        agent.ready([])
        agent.use_disk(disk)
        _try(agent, target)
        self._own_stands(folder, list(agent.ready(target)), own, when="when it came again")

    def test_a_name_that_is_taken_over_is_ready_when_its_own_metadata_stand(
        self, make_agent: MakeAgent, folder: Path
    ) -> None:
        """A StatefulSet's next pod comes while the last one's log is being read; also after a restart."""
        needs(self.no_read_back)
        if self._gating(make_agent, folder) is None:
            return
        old, new = self._kept((OLD,))[0], self._successor()
        own = self._entries(make_agent, folder, [old, new])
        trees.empty(folder)
        agent = make_agent(folder)
        self._is_ready(self._synced_and_ready(agent, folder, [old]), [old], when="after a sync")
        for each in (agent, make_agent(folder)):
            ready = self._synced_and_ready(each, folder, [old, new])
            self._own_stands(folder, ready, own, when="while its predecessor's log is read")
            self._is_ready(ready, [old], when="any more, when another pod took its name")
        self._is_ready(
            self._synced_and_ready(agent, folder, [new]), [new], when="when its predecessor had gone"
        )
        self._own_stands(folder, [new], own, when="when its predecessor had gone")

    # ------------------------------------------------------------- steps

    def _gating(self, make_agent: MakeAgent, folder: Path) -> BaseAgent[Any] | None:
        """Make an agent; None for one that shows logs by its configuration."""
        needs(self.no_spool)
        agent = make_agent(folder)
        return agent if agent.gates else None

    def _kept(self, numbers: Iterable[int], *, version: str = "v1") -> list[LogTarget]:
        """Make targets that the spool keeps."""
        return [make_spooled(target) for target in self._targets(numbers, version=version)]

    def _successor(self) -> LogTarget:
        """Make a target of a new pod under the name of an old one."""
        old, new = self.target(OLD), self.target(NEW)
        container = attrs.evolve(
            new.container, pod_name=old.pod_name, namespace=old.namespace, name=old.container_name
        )
        pod = attrs.evolve(new.pod, name=old.pod_name, namespace=old.namespace, created=2e9)
        return make_spooled(attrs.evolve(new, container=container, pod=pod))

    def _synced_and_ready(
        self, agent: BaseAgent[Any], folder: Path, targets: Sequence[LogTarget]
    ) -> list[LogTarget]:
        agent.sync(targets)
        self.take_up(agent, folder)
        agent.sync(targets)
        return list(agent.ready(targets))

    def _entries(
        self, make_agent: MakeAgent, folder: Path, targets: Iterable[LogTarget]
    ) -> Mapping[str, Sequence[object]]:
        """Return by key what stands about each target when there is no other."""
        own: dict[str, list[object]] = {}
        for target in targets:
            self._fresh(make_agent, folder, [target])
            own.setdefault(target.container.key, []).append(self._found(folder).get(self.name_of(target)))
        return own

    def _found(self, folder: Path) -> Mapping[str, object]:
        try:
            return self.read_back(folder)
        except Exception:  # noqa: BLE001 - where nothing was written a parser refuses in its own words
            return {}

    def _own_stands(
        self, folder: Path, ready: Iterable[LogTarget], own: Mapping[str, Sequence[object]], *, when: str
    ) -> None:
        found = self._found(folder)
        for target in ready:
            stands = found.get(self.name_of(target))
            if stands is None or stands not in own[target.container.key]:
                pytest.fail(
                    f"{self.name_of(target)} is ready {when}, and what stands of it is {str(stands)[:200]}"
                )

    def _is_ready(self, ready: Iterable[LogTarget], expected: Iterable[LogTarget], *, when: str) -> None:
        lacking = _keys(expected) - _keys(ready)
        if lacking and not self.no_uptake:
            pytest.fail(f"not ready {when}: {', '.join(sorted(lacking)[:3])}; see `take_up`")


def _keys(targets: Iterable[LogTarget]) -> set[str]:
    return {target.container.key for target in targets}


def _try(agent: BaseAgent[Any], targets: Sequence[LogTarget]) -> None:
    """Sync on a disk that may fail: other rules judge whether that is told."""
    try:
        agent.sync(targets)
    except Exception:  # noqa: BLE001 - an agent may raise anything
        return
