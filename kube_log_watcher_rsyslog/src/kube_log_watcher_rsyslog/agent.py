"""The agent: a lookup table, a file that asks rsyslog to load it, and rsyslog's answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from kube_log_watcher_core import File, LogFile, LogTarget, NodeContext, Owned, Progress
from kube_log_watcher_rsyslog.positions import StateFolder
from kube_log_watcher_rsyslog.settings import RsyslogSettings
from kube_log_watcher_static import (
    AcknowledgedTableAgent,
    Answers,
    TableFormat,
    check_configuration,
    generation_of,
    metadata_of,
    to_json,
    without_nul,
)

TABLE_NAME: Final = "table.json"
CONTROL_NAME: Final = "control"
ANSWERS_NAME: Final = "ack"
GENERATION: Final = "generation"
"""The key of the row that names the table itself; all others are container ids."""

LOOK_SECONDS = 0.1
"""How soon to look for an answer: one takes some 10 ms, with a thousand rows."""
SLOW_LOOK_SECONDS = 1.0
"""The same once rsyslog has been silent for `PATIENCE_SECONDS`: it is down, or busy."""
PATIENCE_SECONDS = 2.0
ASK_AGAIN_SECONDS = 10.0
"""After so long a silence it is asked anew: a request may have been lost."""


def _read_row(row: str) -> tuple[str, str]:
    found = json.loads(row)
    return found["index"], found["value"]


LOOKUP_TABLE: Final[TableFormat[str]] = TableFormat(
    write=lambda key, value: json.dumps({"index": key, "value": value}),
    read=_read_row,
    head='{"version": 1, "nomatch": "", "type": "string", "table": [\n',
    between=",\n",
    tail="\n]}\n",
)
"""rsyslog's lookup table, version 1, from texts to texts."""


class RsyslogAgent(AcknowledgedTableAgent[RsyslogSettings, str]):
    """Keeps rsyslog's lookup table, and shows a log once rsyslog says that it has loaded its row.

    As long as rsyslog answers, one table is answered for before the next is written.
    """

    settings_class = RsyslogSettings

    def __init__(
        self,
        settings: RsyslogSettings,
        node: NodeContext,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(settings, node, path=settings.folder / TABLE_NAME, table=LOOKUP_TABLE, clock=clock)
        self._answers = Answers(settings.folder / ANSWERS_NAME)
        self._state_dir = None if settings.state_dir is None else StateFolder(settings.state_dir)
        self._asked = ""
        """The generation that rsyslog was asked to load last."""
        self._asked_at = 0.0
        self._is_asking = True

    # ------------------------------------------------------------------ what is written

    def value(self, target: LogTarget) -> str:
        """Return a log's metadata as JSON in one text: rsyslog parses it for each line."""
        return to_json(without_nul(metadata_of(target, annotations=self.settings.annotations)))

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return the table, which names its generation, and after it the request to load it."""
        (table,) = super().render(targets)
        generation = generation_of(table.content)
        rows = [self.table.row(GENERATION, generation), *self.rows.values()]
        yield File(self.path, self.table.join(rows))
        if self._is_asking:
            yield File(self.settings.folder / CONTROL_NAME, f"reload {generation}\n")

    def owned(self) -> Iterable[Owned]:
        """Return the names of table and request. The answers are rsyslog's."""
        return [*super().owned(), Owned(self.settings.folder, re.escape(CONTROL_NAME))]

    # ------------------------------------------------------------------ order

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        """Write the table, and come again until rsyslog has it. Never waits."""
        if self.is_rehearsal:
            super().sync(targets)
            return None
        awaited, silence = self._is_awaited(), self.clock() - self._asked_at
        if awaited and self.uptake.confirmed and silence < PATIENCE_SECONDS:
            return LOOK_SECONDS
        if (awaited and silence >= ASK_AGAIN_SECONDS) or self._answers.is_full():
            self._ask_anew(targets)
        super().sync(targets)
        if self.uptake.generation != self._asked:
            if awaited:  # an answer that is there already is one to an earlier table with the same rows
                self._answers.empty()
            self._asked, self._asked_at = self.uptake.generation, self.clock()
        if not self._is_awaited():
            return None
        return LOOK_SECONDS if self.clock() - self._asked_at < PATIENCE_SECONDS else SLOW_LOOK_SECONDS

    def silence(self) -> tuple[str, str]:
        """Return where rsyslog's answer is missing."""
        return (
            f"rsyslog has not said in {self.settings.folder / ANSWERS_NAME} that it has its row",
            "see whether rsyslog runs, as `python -m kube_log_watcher_rsyslog` configures it",
        )

    def _is_awaited(self) -> bool:
        """Whether rsyslog has another table than the one that it was asked to load last."""
        answer = self._answers.last()
        self.uptake.confirm(answer)
        return bool(self._asked) and answer != self._asked

    def _ask_anew(self, targets: Sequence[LogTarget]) -> None:
        """Take the request away, so that the next one is another file."""
        self._answers.empty()
        self._is_asking = False
        try:
            super().sync(targets)
        finally:
            self._is_asking = True
        self._asked_at = self.clock()

    # ------------------------------------------------------------------ rsyslog's side

    def check(self) -> None:
        """Look at the folder, at rsyslog's state, and at its configuration where it is named."""
        super().check()
        if self._state_dir is not None:
            self._state_dir.check()
        if self.settings.config is not None:
            names = [self.settings.folder / name for name in (TABLE_NAME, CONTROL_NAME, ANSWERS_NAME)]
            check_configuration(self.settings.config, [*self.node.spool_dirs, *names])

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far rsyslog has read a file, by its notes."""
        return None if self._state_dir is None else self._state_dir.progress(file)
