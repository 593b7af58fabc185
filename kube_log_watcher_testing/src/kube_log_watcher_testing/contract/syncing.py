"""Rules of `sync`: only the latest targets count, whatever happened before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.agent import FileAgent
from kube_log_watcher_core.errors import AgentConfigError
from kube_log_watcher_core.files.disk import temporary_name
from kube_log_watcher_testing.contract import trees
from kube_log_watcher_testing.contract.base import ContractBase, MakeAgent, same

FEW = (2, 4, 7)
ALL = tuple(range(1, 9))


class SyncRules(ContractBase):
    """Rules that need nothing but `sync`."""

    def test_a_target_is_told_to_the_shipper(self, make_agent: MakeAgent, folder: Path) -> None:
        """Whoever writes nothing keeps to every other rule."""
        none = self._fresh(make_agent, folder, [])
        if not trees.difference(none, self._fresh(make_agent, folder, self._targets(FEW))):
            pytest.fail("targets make no difference: either nothing is written, or not where `observe` looks")

    def test_an_unchanged_list_changes_nothing(self, make_agent: MakeAgent, folder: Path) -> None:
        """Down to the inode and the time of change; also after a full pass, and after a restart."""
        agent, targets = make_agent(folder), self._targets(ALL)
        agent.sync(targets)
        told, files = self.observe(folder), self._identities(folder)
        agent.sync(self._targets(ALL))
        self._is_unchanged(folder, told, files, what="the same targets changed something")
        agent.sync(targets)
        self._is_unchanged(folder, told, files, what="the same targets for the third time changed something")
        successor = make_agent(folder)
        successor.prepare()
        successor.sync(targets)
        self._is_unchanged(folder, told, files, what="a restart with the same targets changed something")

    def _is_unchanged(
        self, folder: Path, told: Mapping[str, object], files: Mapping[str, object], *, what: str
    ) -> None:
        same(told, self.observe(folder), what=what)
        same(files, self._identities(folder), what=f"{what}: it was written again")

    def test_the_order_of_targets_does_not_matter(self, make_agent: MakeAgent, folder: Path) -> None:
        """The list is sorted by id, and ids are random: an order means nothing."""
        ordered = self._targets(ALL)
        others = [ordered[::-1], [*ordered[3:], *ordered[:3]]]
        told = self._fresh(make_agent, folder, ordered)
        for targets in others:
            after = self._fresh(make_agent, folder, targets)
            same(told, after, what="another order of the same targets changed something")

    def test_a_removed_target_leaves_nothing(self, make_agent: MakeAgent, folder: Path) -> None:
        """What is left is what would be there if it had never come: no file, no folder, no entry."""
        none = self._fresh(make_agent, folder, [])
        few = self._fresh(make_agent, folder, self._targets(FEW))
        agent = make_agent(folder)
        agent.sync(self._targets(ALL))
        agent.sync(self._targets(FEW))
        same(few, self.observe(folder), what="targets that went have left something")
        agent.sync([])
        same(none, self.observe(folder), what="the last targets have left something")

    def test_a_changed_target_is_as_if_it_had_always_been_so(
        self, make_agent: MakeAgent, folder: Path
    ) -> None:
        """A label that changed, or a container that came again, leaves nothing of what was before."""
        changed = self._fresh(make_agent, folder, self._targets(ALL, version="v2"))
        self._fresh(make_agent, folder, [])
        agent = make_agent(folder)
        agent.sync(self._targets(ALL))
        agent.sync(self._targets(ALL, version="v2"))
        same(changed, self.observe(folder), what="a changed label has left something of what was before")

    def test_a_restart_cleans_up_after_a_predecessor(self, make_agent: MakeAgent, folder: Path) -> None:
        """A predecessor may have been killed at any time, in the middle of a file too."""
        few = self._fresh(make_agent, folder, self._targets(FEW))
        predecessor = make_agent(folder)
        predecessor.sync(self._targets(ALL))
        if isinstance(predecessor, FileAgent):
            _leave_temporary_files(folder)
        make_agent(folder).sync(self._targets(FEW))
        same(few, self.observe(folder), what="something of a predecessor's is left, or was not told anew")

    def test_starting_and_stopping_remove_nothing(self, make_agent: MakeAgent, folder: Path) -> None:
        """Before the first targets are known, and after the last, the shipper works on."""
        told = self._fresh(make_agent, folder, self._targets(ALL))
        agent = make_agent(folder)
        agent.prepare()
        same(told, self.observe(folder), what="`prepare` changed what a predecessor had told")
        agent.sync(self._targets(ALL))
        agent.close()
        same(told, self.observe(folder), what="`close` changed what was told")

    def test_a_pod_that_comes_again_under_its_name_does_no_harm(
        self, make_agent: MakeAgent, folder: Path
    ) -> None:
        """A StatefulSet uses names again: its new pod starts while the old one's log is still being read."""
        old, other = self._targets((1, 2))
        container = attrs.evolve(
            self.target(3).container,
            pod_name=old.pod_name,
            namespace=old.namespace,
            name=old.container_name,
        )
        pod = attrs.evolve(self.target(3).pod, name=old.pod_name, namespace=old.namespace, created=2e9)
        new = attrs.evolve(self.target(3), container=container, pod=pod)
        expected = self._fresh(make_agent, folder, [other, new])
        agent = make_agent(folder)
        agent.sync([old, other])
        agent.sync([old, other, new])
        agent.sync([other, new])
        same(expected, self.observe(folder), what="the old pod has left something, or the new one lacks it")

    def test_what_is_declared_to_be_lacking_is_lacking(self, make_agent: MakeAgent, folder: Path) -> None:
        """A declaration that is not true would hide a rule."""
        agent = make_agent(folder)
        agent.sync(self._targets(FEW))
        own = type(self).read_back is not ContractBase.read_back
        untrue = {
            "no_files": bool(self.no_files) and any(path.is_file() for path in trees.paths_below(folder)),
            "no_disk": bool(self.no_disk) and isinstance(agent, FileAgent),
            "no_read_back": bool(self.no_read_back) and own,
            "no_account": bool(self.no_account) and type(self).account is not ContractBase.account,
            "no_check": bool(self.no_check) and isinstance(agent, FileAgent) and bool(list(agent.owned())),
        }
        wrong = [name for name, is_untrue in untrue.items() if is_untrue]
        if wrong:
            pytest.fail(f"declared, but it is not so: {', '.join(wrong)}")
        if self.no_files and type(self).observe is ContractBase.observe:
            pytest.fail("`no_files` is declared: `observe` must tell what the shipper has been told")

    def test_check_passes_where_the_agent_works(self, make_agent: MakeAgent, folder: Path) -> None:
        """It looks, and changes nothing."""
        agent = make_agent(folder)
        before = dict(self.observe(folder)), dict(self._identities(folder))
        try:
            agent.check()
        except AgentConfigError as error:
            pytest.fail(f"`check` refuses the folder that `make_agent` has prepared: {error}")
        same(before[0], self.observe(folder), what="`check` changed something")
        same(before[1], self._identities(folder), what="`check` wrote something again")


def _leave_temporary_files(folder: Path) -> None:
    """Leave what a process leaves that is killed between writing a file and renaming it."""
    for path in [path for path in trees.paths_below(folder) if path.is_file() and not path.is_symlink()]:
        path.with_name(temporary_name(path.name)).write_bytes(b"half of a fi")
