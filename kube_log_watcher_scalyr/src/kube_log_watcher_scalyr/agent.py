"""The agent: keeps ``agent.json`` and the friendly links in step with the targets."""

from __future__ import annotations

import functools
import glob
import grp
import json
import logging
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core import (
    AgentConfigError,
    File,
    FileAgent,
    Item,
    Link,
    LogFile,
    LogTarget,
    NodeContext,
    Objection,
    Owned,
    Pacing,
    Progress,
)
from kube_log_watcher_scalyr import journald, links, render, sampling
from kube_log_watcher_scalyr.annotations import read_annotations
from kube_log_watcher_scalyr.checkpoints import Checkpoints
from kube_log_watcher_scalyr.decoding import Decoding
from kube_log_watcher_scalyr.expressions import Expressions, NotYetError
from kube_log_watcher_scalyr.plain import open_unlinked
from kube_log_watcher_scalyr.pod_settings import ALL
from kube_log_watcher_scalyr.settings import ScalyrSettings
from kube_log_watcher_scalyr.verification import verify, verify_log

PREFIX = "kubernetes-log-watcher/"

logger = logging.getLogger(__name__)

_NO_GROUP = 2**32 - 1
"""For chown(2): leave the group as it is."""

LONGEST_READ = 8 * 1024 * 1024
"""Bytes of a configuration found at the start that are read: as objects they take many times as much."""
_END_BYTES = 4096


@attrs.frozen
class _Rendered:
    """What one target comes to: kept until the target itself is another one."""

    text: str
    """Its entry in ``agent.json``, read back and compared."""
    link: Link
    refused: tuple[Objection, ...]
    held: bool
    """Whether the log must not be shipped, and therefore stands in no file."""


class ScalyrAgent(FileAgent[ScalyrSettings]):
    """Writes the Scalyr agent's configuration."""

    settings_class = ScalyrSettings
    annotations = tuple(setting.name for setting in ALL)

    def __init__(self, settings: ScalyrSettings, node: NodeContext) -> None:
        super().__init__(settings, node)
        self._decoding = Decoding.of(settings.parse_lines_json)
        self._server = render.server_attributes(node)
        self._members = render.head(settings, node, journald.journal_path(settings))
        self._head = {name: render.as_text(value) for name, value in self._members.items()}
        self._checkpoints = None if settings.data_path is None else Checkpoints(settings.data_path)
        self._sampling, odd = sampling.read_entries(settings.sampling_rules)
        self._expressions = Expressions()
        self._waiting: dict[LogTarget, int] = {}
        """Logs whose rules are not checked yet, and for how many syncs."""
        self._verified = False
        self._objections: tuple[Objection, ...] = ()
        for reason in dict.fromkeys(odd):
            logger.warning("scalyr %s", reason)

    def render(self, targets: Sequence[LogTarget]) -> Iterable[Item]:
        """Return ``agent.json`` and a friendly link for each target."""
        rendered = self._rendered(targets)
        refused = [
            one for target in targets if (each := rendered[target]) is not None for one in each.refused
        ]
        late = [
            Objection(
                target,
                "rules",
                "to check them takes long, and others' changes go first",
                remedy="nothing: they are checked in the next seconds",
                holds=True,
                until="they are checked",
            )
            for target in self._waiting
        ]
        self._objections = (*refused, *late)
        shipped = [one for target in targets if (one := rendered[target]) is not None and not one.held]
        return [*(one.link for one in shipped), self._file(shipped)]

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        """Write what differs, and come again soon where rules wait to be checked."""
        super().sync(targets)
        return 0.0 if self._waiting else None

    def objections(self) -> Sequence[Objection]:
        """Return what pods ask for in vain, and the logs that are held for it."""
        return self._objections

    @property
    def pacing(self) -> Pacing:
        """How long the Scalyr agent needs: a change stops all copying, and opens all files anew, by path."""
        return Pacing(self.settings.write_interval, self.settings.hold_seconds)

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far a file is read, by the Scalyr agent's checkpoints."""
        if self._checkpoints is None:
            return None
        if not target.is_spooled:
            return self._checkpoints.progress(self._path(target))
        return self._checkpoints.progress(file.path, inode=file.inode) or self._checkpoints.unread()

    def owned(self) -> Iterable[Owned]:
        """Return the configuration file, and all links that can be one of ours."""
        config = self.settings.config_path
        return (Owned(config.parent, re.escape(config.name)), links.owned_links(self.settings.dest_path))

    def prepare(self) -> None:
        """Write a configuration without logs where none can be read: the Scalyr agent does not start without.

        One that is there keeps its logs until the first complete sync.
        """
        if not _holds_object(self.settings.config_path):
            self.write([self._file([])])
            logger.info("wrote %s without logs, for the Scalyr agent to start", self.settings.config_path)

    def check(self) -> None:
        """Look whether folders, group and journal settings are such that this can work."""
        super().check()
        if self.settings.config_path.is_dir():
            raise AgentConfigError(
                f"WATCHER_SCALYR_CONFIG_PATH={self.settings.config_path}: this is a folder, name a file in it"
            )
        _ = self._group
        if self.settings.journald:
            journald.check_journald(self.settings)
        if self.settings.data_path is not None and not self.settings.data_path.is_dir():
            raise AgentConfigError(
                f"WATCHER_SCALYR_DATA_PATH={self.settings.data_path}: this is no folder, "
                "mount the Scalyr agent's data folder there"
            )

    def _path(self, target: LogTarget) -> Path:
        """Return the path by which the Scalyr agent knows a log that the spool does not keep."""
        if self.settings.linked_paths:
            return links.link(self.settings.dest_path, target).path
        return target.log_path

    def _rendered(self, targets: Sequence[LogTarget]) -> Mapping[LogTarget, _Rendered | None]:
        """Return what each target comes to; None: there is no time left to check its rules in this sync.

        Who asks for little has his turn first, or who has waited for long.
        """
        asked = dict(zip(targets, self.each(targets, _asked), strict=True))
        in_turn = sorted(targets, key=lambda target: asked[target] * 0.5 ** self._waiting.get(target, 0))
        self._expressions.begin_sync()
        rendered = dict(zip(in_turn, self.each(in_turn, self._render), strict=True))
        late = [target for target, found in rendered.items() if found is None]
        self._waiting = {target: self._waiting.get(target, 0) + 1 for target in late}
        return rendered

    def _render(self, target: LogTarget) -> _Rendered | None:
        try:
            wishes = read_annotations(
                target,
                self._expressions,
                sampling=sampling.rules_for(self._sampling, target),
                hold=self.settings.bad_redaction == "hold",
            )
        except NotYetError:
            return None
        linked = self.settings.linked_paths and not target.is_spooled
        pattern = glob.escape(str(self._path(target))) if linked else target.pattern
        entry = render.entry(target, pattern, wishes=wishes, decoding=self._decoding, server=self._server)
        text = render.as_text(entry)
        if not wishes.held:
            verify_log(text, entry)
        return _Rendered(
            text=text,
            link=links.link(self.settings.dest_path, target),
            refused=wishes.refused,
            held=wishes.held,
        )

    def _file(self, shipped: Sequence[_Rendered]) -> File:
        if not self._verified:
            verify(render.document(self._head, ()), self._members, [])
            self._verified = True
        content = render.document(self._head, (rendered.text for rendered in shipped))
        return File(
            path=self.settings.config_path,
            content=content,
            mode=0o600 if self.settings.config_group is None else 0o640,
            group=self._group,
        )

    @functools.cached_property
    def _group(self) -> int | None:
        name = self.settings.config_group
        if name is None:
            return None
        if name.isdecimal() and len(name) <= 10 and int(name) < _NO_GROUP:
            return int(name)
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError:
            raise AgentConfigError(
                f"WATCHER_SCALYR_CONFIG_GROUP={name}: there is no such group here, give its number"
            ) from None


def _asked(target: LogTarget) -> int:
    """Return how many characters its pod asks for."""
    return sum(len(text) for name, text in target.annotations.items() if name.startswith(PREFIX))


def _holds_object(path: Path) -> bool:
    """Whether a regular file holds a JSON object. Of a long one only its two ends are looked at.

    Links and FIFOs that somebody put there are neither trusted nor waited for.
    """
    try:
        with open(path, "rb", opener=open_unlinked) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return False
            if status.st_size <= LONGEST_READ:
                return isinstance(json.loads(file.read(LONGEST_READ)), dict)
            begins = file.read(_END_BYTES).lstrip().startswith(b"{")
            file.seek(-_END_BYTES, os.SEEK_END)
            return begins and file.read(_END_BYTES).rstrip().endswith(b"}")
    except (OSError, ValueError, RecursionError):
        return False
