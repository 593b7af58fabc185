"""Rules of the folder: an agent shares it with others, and keeps to what it has declared as its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from kube_log_watcher_core.agent import BaseAgent, FileAgent
from kube_log_watcher_core.errors import AgentConfigError
from kube_log_watcher_core.files import Owned
from kube_log_watcher_core.files.items import TEMPORARY_SUFFIX
from kube_log_watcher_testing.contract import trees
from kube_log_watcher_testing.contract.base import ContractBase, MakeAgent, needs, same
from kube_log_watcher_testing.contract.syncing import ALL, FEW

FOREIGN = ("vendor.conf", "README.txt", ".keep", "0000", "two words", "list.json~", "main.log", "x.tmp")
NEAR: tuple[Callable[[str], str], ...] = (
    lambda name: f"{name}.bak",
    lambda name: f"x-{name}",
    lambda name: f".{name}.swp",
    str.upper,
)
"""What people and editors make of a name: it is no longer the agent's."""


class FolderRules(ContractBase):
    """Rules for agents that keep files."""

    def test_foreign_files_survive(self, make_agent: MakeAgent, folder: Path) -> None:
        """Whatever is not declared as the agent's own: the vendor's files, a person's, an editor's."""
        needs(self.no_files)
        agent = make_agent(folder)
        agent.sync(self._targets(ALL))
        foreign = _put_foreign_files(folder, agent)
        if not foreign:
            pytest.fail("`owned` takes every name for the agent's own: nobody could keep a file beside")
        before = {str(path): (trees.identity(path), trees.content(path)) for path in foreign}
        agent.sync(self._targets(ALL))
        agent.sync(self._targets(FEW, version="v2"))
        agent.sync([])
        successor = make_agent(folder)
        successor.prepare()
        successor.sync(self._targets(FEW))
        successor.sync([])
        left = [path for path in foreign if path.is_symlink() or path.exists()]
        after = {str(path): (trees.identity(path), trees.content(path)) for path in left}
        same(before, after, what="files that are not the agent's own were touched")

    def test_nothing_is_written_but_what_is_owned(self, make_agent: MakeAgent, folder: Path) -> None:
        """Neither beside the declared names nor outside of the folder."""
        needs(self.no_files)
        agent = self._file_agent(make_agent, folder)
        around = _around(folder)
        before = set(trees.contents(folder))
        agent.prepare()
        agent.sync(self._targets(ALL))
        same(around, _around(folder), what="something was written outside of the folder")
        owned = list(agent.owned())
        written = [path for path in trees.paths_below(folder) if str(path.relative_to(folder)) not in before]
        stray = sorted(str(path.relative_to(folder)) for path in written if not _is_declared(path, owned))
        if stray:
            pytest.fail(f"written, and not covered by `owned`: {', '.join(stray[:5])}")

    def test_the_same_list_puts_right_what_is_damaged(self, make_agent: MakeAgent, folder: Path) -> None:
        """A person, a tool, a full disk: with every full pass the same list comes again, for that."""
        needs(self.no_files)
        agent = make_agent(folder)
        before = set(trees.paths_below(folder))
        agent.sync(self._targets(ALL))
        told = self.observe(folder)
        own = [path for path in trees.paths_below(folder) if path not in before and not path.is_dir()]
        for number, path in enumerate(own):
            if number % 2 or path.is_symlink():
                path.unlink()
            else:
                path.write_text("damaged\n")
        agent.sync(self._targets(ALL))
        same(told, self.observe(folder), what="the same targets did not put right what was damaged")

    def test_no_temporary_file_is_left(self, make_agent: MakeAgent, folder: Path) -> None:
        """After many changes there are as many files as after one."""
        needs(self.no_files)
        once = self._fresh(make_agent, folder, self._targets(ALL))
        agent = make_agent(folder)
        for version in ("v2", "v3", "v4", "v1"):
            agent.sync(self._targets(ALL, version=version))
        after = trees.contents(folder)
        left = {name for name in after if name.endswith(TEMPORARY_SUFFIX)} | (after.keys() - once.keys())
        if left:
            pytest.fail(f"left behind by changes: {', '.join(sorted(left)[:5])}")

    def test_check_reports_a_missing_folder(self, make_agent: MakeAgent, folder: Path) -> None:
        """With its name, so that whoever forgot to mount it knows what to do."""
        needs(self.no_check)
        agent = make_agent(folder)
        for missing in _folders_of(agent, folder):
            aside = missing.with_name(f"{missing.name}-aside")
            missing.rename(aside)
            try:
                self._refuses(agent, missing)
            finally:
                aside.rename(missing)

    def _refuses(self, agent: BaseAgent[object], missing: Path) -> None:
        try:
            agent.check()
        except AgentConfigError as error:
            if str(missing) not in str(error):
                pytest.fail(f"`check` does not name the folder {missing} that is missing: {error}")
        else:
            pytest.fail(f"`check` passes without the folder {missing}")


def _folders_of(agent: BaseAgent[object], folder: Path) -> list[Path]:
    if isinstance(agent, FileAgent):
        return sorted({owned.folder for owned in agent.owned()})
    return [folder]


def _is_declared(path: Path, owned: Iterable[Owned]) -> bool:
    """Whether a name is declared, or a folder that leads to declared ones."""
    if path.is_dir() and not path.is_symlink():
        return any(len(each.pattern) > 1 and path.is_relative_to(each.folder) for each in owned)
    return any(each.matches(path) and each.links == path.is_symlink() for each in owned)


def _put_foreign_files(folder: Path, agent: BaseAgent[object]) -> list[Path]:
    """Put files that are not the agent's beside those that are; none when every name is the agent's."""
    owned = list(agent.owned()) if isinstance(agent, FileAgent) else []
    own = [path for path in trees.paths_below(folder) if path.is_symlink() or path.is_file()]
    places = sorted({folder, *(path.parent for path in own), *(each.folder for each in owned)})
    names = [*FOREIGN, *(change(path.name) for path in own for change in NEAR)]
    made = list(_put(places, dict.fromkeys(names), owned))
    return [*made, *_put_link_and_folder(folder, owned)] if made else []


def _put(places: Iterable[Path], names: Iterable[str], owned: Iterable[Owned]) -> Iterator[Path]:
    for place in places:
        for name in names:
            path = place / name
            if len(name) < 200 and not path.exists() and not _is_own_file(path, owned):
                path.write_text("not the agent's\n")
                yield path


def _is_own_file(path: Path, owned: Iterable[Owned]) -> bool:
    return any(not each.links and each.matches(path) for each in owned)


def _put_link_and_folder(folder: Path, owned: Iterable[Owned]) -> Iterator[Path]:
    inner, link = folder / "vendor.d" / "vendor.conf", folder / "vendor-link"
    inner.parent.mkdir()
    for path in (inner, link):
        if not any(each.matches(path) for each in owned):
            if path is link:
                path.symlink_to(inner)
            else:
                path.write_text("not the agent's\n")
            yield path


def _around(folder: Path) -> Mapping[str, object]:
    """Read what lies outside of the folder, as far up as the test's own."""
    root = folder.parent.parent.parent
    return {
        name: found
        for name, found in trees.contents(root).items()
        if not (root / name).is_relative_to(folder)
    }
