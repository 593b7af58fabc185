"""Rules for what pod authors write: whatever it is, it stays a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from kube_log_watcher_core.models import LogTarget
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.contract import trees
from kube_log_watcher_testing.contract.base import ContractBase, MakeAgent, NotReadBack, needs, same
from kube_log_watcher_testing.factories import make_container, make_target

LABELS = ("application", "component", "version", "release", "environment", "team")
TAME = (1, 2, 3)
LONG = 1_000
"""Characters, above which a text is long."""


class UntrustedRules(ContractBase):
    """Rules that compare what the shipper reads with what it reads of harmless targets."""

    def test_hostile_labels_stay_data(self, make_agent: MakeAgent, folder: Path) -> None:
        """Each target is there, looks like a harmless one but for its values, and changes no other."""
        tame = self._tame()
        expected = self._synced(make_agent, folder, tame)
        shapes = {shape(expected.get(self.name_of(target))) for target in tame}
        if len(expected) < len(tame) or len(shapes) != 1:
            pytest.fail(f"`read_back` must give one entry for each target, all of one form: {expected}")
        nasty = self._with_hostile_labels()
        found = self._synced(make_agent, folder, [*tame, *nasty.values()])
        self._others_are_untouched(expected, found, tame)
        for text, target in nasty.items():
            entry = found.get(self.name_of(target))
            if entry is None:
                pytest.fail(f"a target is lost whose labels are {hostile.shown(text)!r}")
            if shape(entry) not in shapes:
                pytest.fail(f"labels {hostile.shown(text)!r} changed more than values: {str(entry)[:300]}")
        self._nobody_else_is_there(found, [*tame, *nasty.values()])

    def test_hostile_names_stay_data(self, make_agent: MakeAgent, folder: Path) -> None:
        """No cluster has pods of such names; a target that has may be left out, and harms no other."""
        tame = self._tame()
        expected = self._synced(make_agent, folder, tame)
        around = trees.contents(folder.parent.parent.parent).keys() - _below(folder)
        nasty = self._with_hostile_names()
        found = self._synced(make_agent, folder, [*tame, *nasty])
        self._others_are_untouched(expected, found, tame)
        self._nobody_else_is_there(found, [*tame, *nasty])
        stray = trees.contents(folder.parent.parent.parent).keys() - _below(folder) - around
        if stray:
            pytest.fail(f"a name led out of the folder: {', '.join(sorted(stray)[:5])}")

    # ------------------------------------------------------------- what is handed to the agent

    def _tame(self) -> list[LogTarget]:
        return [self._labelled(number, f"tame{number}") for number in TAME]

    def _labelled(self, number: int, text: str) -> LogTarget:
        # A text of 256 KiB is tried once: in six labels it would show nothing more, and take long.
        others = text if len(text) < LONG else "long"
        labels = {**dict.fromkeys(LABELS, others), "application": text}
        target = self.target(number, labels=labels, annotations={"example.org/note": text})
        return self._spooled(number, target)

    def _with_hostile_labels(self) -> dict[str, LogTarget]:
        """Make a target for each text. An empty label is as none at all: other rules have those."""
        texts = [text for text in hostile.TEXTS if text]
        return {text: self._labelled(number, text) for number, text in enumerate(texts, start=101)}

    def _with_hostile_names(self) -> list[LogTarget]:
        containers = [
            make_container(number, name=text, pod=text, namespace=text, image=text)
            for number, text in enumerate(filter(None, hostile.SHORT), start=101)
        ]
        return [make_target(container, labels=dict.fromkeys(LABELS, "tame")) for container in containers]

    # ------------------------------------------------------------- what came of it

    def _synced(
        self, make_agent: MakeAgent, folder: Path, targets: Sequence[LogTarget]
    ) -> Mapping[str, object]:
        needs(self.no_read_back)
        if not self.no_files:
            trees.empty(folder)
        make_agent(folder).sync(targets)
        try:
            return self.read_back(folder)
        except NotReadBack:
            pytest.fail("tell how the shipper reads this: replace `read_back`, or declare `no_read_back`")
        except Exception as error:  # noqa: BLE001 - a parser refuses in its own words
            pytest.fail(f"the shipper could not read this any more: {type(error).__name__}: {error}")

    def _others_are_untouched(
        self, expected: Mapping[str, object], found: Mapping[str, object], tame: Iterable[LogTarget]
    ) -> None:
        names = {self.name_of(target) for target in tame}
        after = {name: entry for name, entry in found.items() if name in names}
        same(expected, after, what="hostile targets changed what is said of others")

    def _nobody_else_is_there(self, found: Mapping[str, object], targets: Iterable[LogTarget]) -> None:
        unknown = found.keys() - {self.name_of(target) for target in targets}
        if unknown:
            pytest.fail(f"entries came up that stand for no target: {sorted(unknown)[:3]}")


def _below(folder: Path) -> set[str]:
    root = folder.parent.parent.parent
    return {str(path.relative_to(root)) for path in trees.paths_below(folder)}


def shape(value: object) -> object:
    """Return the form of a document: its keys and its types, without its values."""
    if isinstance(value, Mapping):
        return frozenset((key, shape(item)) for key, item in value.items())
    if isinstance(value, str | bytes):
        return type(value).__name__
    if isinstance(value, Sequence):
        return tuple(shape(item) for item in value)
    return type(value).__name__
