"""The agent: a pattern database with a rule for each container, and syslog-ng's word that it has it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

import attrs

from kube_log_watcher_core import File, LogFile, LogTarget, NodeContext, Owned, Pacing, Progress
from kube_log_watcher_static import (
    AcknowledgedTableAgent,
    Answers,
    TableFormat,
    check_configuration,
    generation_of,
    metadata_of,
    to_json,
)
from kube_log_watcher_syslogng.positions import PersistFile
from kube_log_watcher_syslogng.settings import SyslogngSettings

TABLE_NAME: Final = "table.xml"
PRESENT_NAME: Final = "present.conf"
ANSWERS_NAME: Final = "ack"
MESSAGE: Final = "line"
"""What every rule matches: the configuration has the database asked about this word, by container id."""

GENERATION: Final = "generation"
"""The key of the rules that name the table itself; all others are container ids."""

LOOK_SECONDS = 0.5
"""How soon to look for an answer: syslog-ng looks at the table every five seconds, and answers every one."""
PAUSE_SECONDS = 1.0
"""Least time between two tables: syslog-ng knows them by inode and time of change, in seconds."""
MOST_TABLES = 32
"""That are remembered: syslog-ng may say that it has an earlier one than the latest."""
SETTLE_SECONDS = 2.0
"""From its start until syslog-ng must have opened all files that it has found."""

_PRESENT = "# There is a table.xml beside this file. Without it syslog-ng doesn't start, as it includes it.\n"
_RULESET = (
    "<ruleset name={key} id={key}><pattern>{id}</pattern><rules>"
    "<rule provider='klw' class='klw' id={key}><patterns><pattern>{message}</pattern></patterns>"
    "<values><value name='.klw.metadata'>{value}</value></values></rule></rules></ruleset>"
)


def _write_ruleset(key: str, value: str) -> str:
    """Return the rules of a container. Values are templates: a `$` is written twice, so that it is one."""
    return _RULESET.format(
        key=quoteattr(key), id=escape(key), message=MESSAGE, value=escape(value.replace("$", "$$"))
    )


def _read_ruleset(row: str) -> tuple[str, str]:
    """Read the rules of a container as syslog-ng does: XML, and in it a template.

    Raises
    ------
    ValueError
        where that is no such row, or something in it would be expanded.
    """
    try:
        ruleset = ET.fromstring(row)  # noqa: S314 - our own text: without a head it has no entities
    except ET.ParseError as error:
        raise ValueError(f"no XML: {error}") from error
    key, (template,) = ruleset.findtext("pattern", ""), [each.text or "" for each in ruleset.iter("value")]
    if "@" in key or "$" in template.replace("$$", ""):
        raise ValueError("something in it would be expanded")
    return key, template.replace("$$", "$")


PATTERN_DATABASE: Final[TableFormat[str]] = TableFormat(
    write=_write_ruleset,
    read=_read_ruleset,
    head="<?xml version='1.0' encoding='UTF-8'?>\n<patterndb version='4' pub_date='2026-01-01'>\n",
    tail="\n</patterndb>\n",
)
"""syslog-ng's pattern database, with rules for one container on each line."""


class SyslogngAgent(AcknowledgedTableAgent[SyslogngSettings, str]):
    """Keeps a pattern database, and shows a log once syslog-ng says that it has loaded the log's rule."""

    settings_class = SyslogngSettings

    def __init__(
        self,
        settings: SyslogngSettings,
        node: NodeContext,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            settings, node, path=settings.folder / TABLE_NAME, table=PATTERN_DATABASE, clock=clock
        )
        self._answers = Answers(settings.folder / ANSWERS_NAME)
        self._persist_file = PersistFile(settings.persist_file, clock=clock)
        self._written_at: dict[str, int] = {}
        """By generation, the oldest first: when it was written, in nanoseconds."""

    @property
    def pacing(self) -> Pacing:
        """Return how far two tables are apart."""
        return Pacing(pause_seconds=PAUSE_SECONDS)

    def value(self, target: LogTarget) -> str:
        """Return a log's metadata as JSON in one text."""
        return to_json(metadata_of(target, annotations=self.settings.annotations))

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return the database, which names its generation, and what says that there is one."""
        (table,) = super().render(targets)
        own = self.table.row(GENERATION, generation_of(table.content))
        yield File(self.path, self.table.join([own, *self.rows.values()]))
        yield File(self.settings.folder / PRESENT_NAME, _PRESENT)

    def owned(self) -> Iterable[Owned]:
        """Return the names of the database and of what says that it is there. The answers are syslog-ng's."""
        return [*super().owned(), Owned(self.settings.folder, re.escape(PRESENT_NAME))]

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        """Write the database, and come again until syslog-ng has loaded it. Never waits."""
        before = self.uptake.generation
        super().sync(targets)
        if self.is_rehearsal:
            return None
        if self.uptake.generation != before:
            self._written_at.pop(self.uptake.generation, None)
            self._written_at[self.uptake.generation] = os.stat(self.path).st_mtime_ns
            if len(self._written_at) > MOST_TABLES:
                del self._written_at[next(iter(self._written_at))]
        said, at = self._answers.last_and_when()
        # What was said before a table was written was said of another one with the same rows.
        if at > self._written_at.get(said, at):
            self.uptake.confirm(said)
        if self._answers.is_full():
            self._answers.empty()
        return None if self.uptake.seconds_left() is None else LOOK_SECONDS

    def silence(self) -> tuple[str, str]:
        """Return where syslog-ng's answer is missing."""
        return (
            f"syslog-ng has not said in {self.settings.folder / ANSWERS_NAME} that it has its row",
            "see whether syslog-ng runs, as `python -m kube_log_watcher_syslogng` configures it",
        )

    def check(self) -> None:
        """Look at the folder, at syslog-ng's positions, and at its configuration where it is named."""
        super().check()
        self._persist_file.check()
        if self.settings.config is not None:
            names = [self.path, *(self.settings.folder / name for name in (PRESENT_NAME, ANSWERS_NAME))]
            check_configuration(self.settings.config, [*self.node.spool_dirs, *names])

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress:
        """Return how far syslog-ng has read a file, by its persist file; nothing, where that is not known.

        Nothing, too, when it has just begun: syslog-ng 3.38 ends by a fault of its own where a file goes that
        it has found and not opened yet.
        """
        progress = self._persist_file.progress(file)
        if self.clock() - self._persist_file.begun_at < SETTLE_SECONDS:
            return attrs.evolve(progress, read_bytes=0)
        return progress
