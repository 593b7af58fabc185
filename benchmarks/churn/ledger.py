"""Who wrote what, under which labels, and what arrived of it."""

from __future__ import annotations

import enum
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import attrs

from benchmarks.churn.lines import Line, Numbered, is_unredacted, parse

Labels = Mapping[str, str]
LABELS = ("application", "component", "version", "churn-pod")
"""The labels that make attributes."""
DOUBLED = "doubled"
IDENTITY = {"namespace", "pod", "container", "container_id"}
"""The attributes that name a container."""


class Redaction(enum.Enum):
    """What becomes of a log whose pod asks for redaction."""

    APPLIED = "the shipper hides what the pod's rules say; held while a rule is unusable"
    HELD = "never shipped: the shipper can't promise it"


@attrs.frozen
class Revision:
    """The labels that a pod had until it got others."""

    labels: Labels
    until: float | None = None
    """By the clock of the labels; None while they are valid."""


@attrs.define
class PodFacts:
    """What is true of a pod, all its life."""

    lane: str
    namespace: str
    name: str
    revisions: list[Revision] = attrs.field(factory=list)


@attrs.define(eq=False)
class Run:
    """One run of a container: a log."""

    key: str
    pod: PodFacts
    container: str
    container_id: str
    withheld: bool = False
    """Whether nothing of it may be shipped, because its redaction rule is unusable."""
    unwanted: bool = False
    """Whether nothing of it may be shipped by anybody: excluded, or without the labels that are asked for."""
    withdrawn: float | None = None
    """Since when nobody wants it any more, by the clock of the labels; what is missing of it is not lost."""
    written: list[float] = attrs.field(factory=list)
    """When each line was written; the index is its number."""
    labelled: list[float] = attrs.field(factory=list)
    """The same, by the clock of the labels."""
    arrived: Counter[int] = attrs.field(factory=Counter)

    @property
    def counts(self) -> bool:
        """Whether all of it has to arrive."""
        return not (self.withheld or self.unwanted) and self.withdrawn is None


@attrs.frozen
class Fault:
    """A line that arrived and should not have, or not like that."""

    run: Run
    seq: int
    at: float
    what: str

    def __str__(self) -> str:
        return f"{self.at:.2f} {self.run.key} line {self.seq}: {self.what}"


class Ledger:
    """Takes down what is written and what arrives; safe to use from several threads.

    Parameters
    ----------
    clock
        by which events and lines are dated, in seconds.
    label_clock
        the clock of the labels: one that stands still while a change can't come through.
    label_lag
        seconds after which a line that is written must not carry labels that are no longer valid.
    redaction
        where it is applied, no secret may be readable; where it is held, it may in what is not withheld.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        label_clock: Callable[[], float],
        label_lag: float,
        redaction: Redaction = Redaction.APPLIED,
    ) -> None:
        self._clock = clock
        self._label_clock = label_clock
        self._lag = label_lag
        self.redaction = redaction
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self.doubled: list[Fault] = []
        self.mislabelled: list[Fault] = []
        self.unlabelled: list[Fault] = []
        self.unredacted: list[Fault] = []
        self.leaked: list[Fault] = []
        self.last_news = clock()
        """When a line arrived for the last time."""
        self.label_seconds = 0.0
        """How long after a change a line was written at most that still came with the labels of before."""

    @property
    def runs(self) -> list[Run]:
        """All runs so far."""
        with self._lock:
            return list(self._runs.values())

    def begin(self, run: Run) -> None:
        """Take down that a container starts."""
        with self._lock:
            self._runs[run.key] = run

    def write(self, run: Run) -> Numbered:
        """Take down that a container writes its next line, and give the line's number."""
        with self._lock:
            run.written.append(self._clock())
            run.labelled.append(self._label_clock())
            return Numbered(run.key, len(run.written) - 1)

    def relabelled(self, pod: PodFacts, labels: Labels) -> None:
        """Take down that a pod has other labels from now on."""
        with self._lock:
            now = self._label_clock()
            if pod.revisions:
                pod.revisions[-1] = attrs.evolve(pod.revisions[-1], until=now)
            pod.revisions.append(Revision(dict(labels)))

    def arrived(self, lines: Iterable[Line]) -> None:
        """Take down what was shipped."""
        for line in lines:
            number = parse(line.message)
            if number is not None:
                with self._lock:
                    self._take(number, line)

    def withdraw(self, pod: PodFacts) -> None:
        """Take down that nothing of a pod that is shipped is wanted from now on.

        What is on its way may come or not, and with its labels or without: whose it is must be right.
        """
        with self._lock:
            for run in self._runs.values():
                if run.pod is pod:
                    run.withdrawn = self._label_clock()

    def missing(self) -> int:
        """Count the lines that were written and have not arrived."""
        with self._lock:
            return sum(len(run.written) - len(run.arrived) for run in self._runs.values() if run.counts)

    def _take(self, number: Numbered, line: Line) -> None:
        run, self.last_news = self._runs[number.run], self._clock()
        run.arrived[number.seq] += 1

        def fault(what: str) -> Fault:
            return Fault(run, number.seq, self.last_news, what)

        if run.unwanted:
            self.leaked.append(fault("nobody wants it shipped"))
            return
        if run.withdrawn is not None and run.labelled[number.seq] > run.withdrawn + self._lag:
            self.leaked.append(fault("written long after nobody wanted it any more"))
            return
        if run.arrived[number.seq] > 1:
            self.doubled.append(fault(DOUBLED))
        if wrong := whose_it_is_not(run, line.attributes):
            self.mislabelled.append(fault(wrong))
        elif run.withdrawn is None:
            self._look_at_labels(run, number.seq, line, fault)
        if run.withheld:
            self.unredacted.append(fault("withheld for its redaction rule"))
        elif self.redaction is Redaction.APPLIED and is_unredacted(line.message):
            self.unredacted.append(fault("readable"))

    def _look_at_labels(self, run: Run, seq: int, line: Line, fault: Callable[[str], Fault]) -> None:
        """Find one set of labels that the line may carry.

        That is one that is valid, or was so until a little before the line was written: what is read
        after a change may have been written before it, and a change needs a moment to come through.
        """
        found = {name: line.attributes[name] for name in LABELS if name in line.attributes}
        if not (found and line.attributes.keys() >= IDENTITY):
            self.unlabelled.append(fault("without any label, or its container's name"))
            return
        matching = [revision for revision in run.pod.revisions if revision.labels == found]
        if not matching:
            self.mislabelled.append(fault(f"the pod never had the labels {found}"))
        elif all(revision.until is not None for revision in matching):
            late = run.labelled[seq] - max(revision.until or 0.0 for revision in matching)
            self.label_seconds = max(self.label_seconds, late)
            if late > self._lag:
                self.mislabelled.append(fault(f"written {late:.1f} s after the labels {found} were valid"))


def whose_it_is_not(run: Run, attributes: Mapping[str, str]) -> str:
    """Return which attribute names another container than a line's own; nothing when none does."""
    identity = {
        "namespace": run.pod.namespace,
        "pod": run.pod.name,
        "container": run.container,
        "container_id": run.container_id,
    }
    for name, value in identity.items():
        if name in attributes and attributes[name] != value:
            return f"{name}={attributes[name]} instead of {value}"
    return ""
