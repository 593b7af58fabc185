"""Who wrote what, under which labels, and what arrived of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import attrs

from benchmarks.churn.lines import Numbered, is_unredacted, parse
from scalyr_receiver import Line

Labels = Mapping[str, str]
LABELS = ("application", "component", "version", "churn-pod")
"""The labels that make attributes."""


@attrs.frozen
class Revision:
    """The labels that a pod had until it got others."""

    labels: Labels
    until: float | None = None
    """By the clock of the ledger; None while they are valid."""


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
    written: list[float] = attrs.field(factory=list)
    """When each line was written; the index is its number."""
    arrived: Counter[int] = attrs.field(factory=Counter)


@attrs.frozen
class Fault:
    """A line that arrived and should not have, or not like that."""

    run: Run
    seq: int
    at: float
    what: str


class Ledger:
    """Takes down what is written and what arrives; safe to use from several threads.

    Parameters
    ----------
    clock
        by which events and lines are dated, in seconds.
    label_lag
        seconds after which a line must not carry labels that are no longer valid. It is measured
        with the clock that `relabelled` and `arrived` are given: one that stands still while the
        watcher or the shipper is down.
    tells_labels
        whether lines arrive with labels at all; else only what names their container is looked at.
    """

    def __init__(self, *, clock: Callable[[], float], label_lag: float, tells_labels: bool = True) -> None:
        self._clock = clock
        self._lag = label_lag
        self._tells_labels = tells_labels
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self.doubled: list[Fault] = []
        self.mislabelled: list[Fault] = []
        self.unredacted: list[Fault] = []
        self.leaked: list[Fault] = []
        self.last_news = clock()
        """When a line arrived for the last time."""

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
            return Numbered(run.key, len(run.written) - 1)

    def relabelled(self, pod: PodFacts, labels: Labels, now: float) -> None:
        """Take down that a pod has other labels from now on, by the clock that may stand still."""
        with self._lock:
            if pod.revisions:
                pod.revisions[-1] = attrs.evolve(pod.revisions[-1], until=now)
            pod.revisions.append(Revision(dict(labels)))

    def arrived(self, lines: Iterable[Line], now: float) -> None:
        """Take down what was shipped; `now` by the clock that may stand still."""
        for line in lines:
            number = parse(line.message)
            if number is not None:
                with self._lock:
                    self._take(number, line, now)

    def missing(self) -> int:
        """Count the lines that were written and have not arrived."""
        with self._lock:
            runs = [run for run in self._runs.values() if not (run.withheld or run.unwanted)]
            return sum(len(run.written) - len(run.arrived) for run in runs)

    def _take(self, number: Numbered, line: Line, now: float) -> None:
        run, self.last_news = self._runs[number.run], self._clock()
        run.arrived[number.seq] += 1

        def fault(what: str) -> Fault:
            return Fault(run, number.seq, self.last_news, what)

        if run.unwanted:
            self.leaked.append(fault("nobody wants it shipped"))
            return
        if run.arrived[number.seq] > 1:
            self.doubled.append(fault("doubled"))
        wrong = whose_it_is_not(run, line.attributes)
        if self._tells_labels and not wrong:
            wrong = what_is_wrong(run, line.attributes, now=now, lag=self._lag)
        if wrong:
            self.mislabelled.append(fault(wrong))
        if self._tells_labels and (run.withheld or is_unredacted(line.message)):
            self.unredacted.append(fault("its redaction rule is unusable" if run.withheld else "readable"))


def whose_it_is_not(run: Run, attributes: Mapping[str, str]) -> str:
    """Return which attribute does not name a line's own container; nothing when all do."""
    identity = {
        "namespace": run.pod.namespace,
        "pod": run.pod.name,
        "container": run.container,
        "container_id": run.container_id,
    }
    for name, value in identity.items():
        if attributes.get(name) != value:
            return f"{name}={attributes.get(name)} instead of {value}"
    return ""


def what_is_wrong(run: Run, attributes: Mapping[str, str], *, now: float, lag: float) -> str:
    """Return what is wrong with a line's labels; nothing when all are right.

    Right is one set of labels that is valid or was so until `lag` seconds ago: a change reaches the
    shipper when it looks at its configuration.
    """
    found = {name: attributes[name] for name in LABELS if name in attributes}
    matching = [revision for revision in run.pod.revisions if revision.labels == found]
    if not matching:
        return f"the pod never had the labels {found}"
    if all(revision.until is not None and now - revision.until > lag for revision in matching):
        return f"the labels {found} have not been valid for more than {lag:g} s"
    return ""
