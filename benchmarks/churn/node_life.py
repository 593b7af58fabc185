"""What happens on the churned node: pods come, change and go, as on a real one."""

from __future__ import annotations

import functools
import random
import uuid
from collections.abc import Callable

from benchmarks.churn.agenda import Clocks
from benchmarks.churn.events import Kind
from benchmarks.churn.farewell import Farewell
from benchmarks.churn.ledger import Ledger, PodFacts, Redaction, Run
from benchmarks.churn.logs import Logs
from benchmarks.churn.pace import Pace
from benchmarks.churn.pods import (
    DECODED,
    EXCLUDE,
    Bad,
    LivePod,
    Unwanted,
    Writer,
    good_annotations,
    spoil,
)
from kube_log_watcher_testing.fake_api import FakeApi
from kube_log_watcher_testing.fake_node import FakeNode

RATES = (20.0, 40.0)
LABELLED_SECONDS = 4.0
"""How long a pod lives on at least when a change of its labels must have come through."""
STATUS_SECONDS = (0.1, 1.9)
"""How much later than the log the API shows a container's id (seen in recordings)."""


class NodeLife:
    """Keeps so many pods alive on a node, and lets things happen to them.

    Parameters
    ----------
    slots
        how many pods are replaced when they go; others may come besides.
    note
        is told of each event, with the pod's name.
    changed
        is told of a pod with a new container, other labels or other annotations, before anybody else.
    """

    def __init__(
        self,
        node: FakeNode,
        api: FakeApi,
        *,
        ledger: Ledger,
        clocks: Clocks,
        pace: Pace,
        slots: int,
        rng: random.Random,
        note: Callable[[Kind, str], None],
        changed: Callable[[LivePod], None],
    ) -> None:
        self._name = node.layout.value
        self._slots = slots
        self._node = node
        self._api = api
        self._ledger = ledger
        self._redacts = ledger.redaction is Redaction.APPLIED
        self._clocks = clocks
        self._pace = pace
        self._rng = rng
        self._note = note
        self._changed = changed
        self.logs = Logs(node, ledger=ledger, clocks=clocks, pace=pace, rng=rng, note=note)
        self._farewell = Farewell(
            node,
            api,
            clocks=clocks,
            pace=pace,
            rng=rng,
            note=note,
            finish=self.logs.finish,
            left=self._left,
            gone=self._gone,
        )
        self._count = 0
        self._over = False
        self.calm = False
        """While it is true, nothing happens that changes what the shipper is told."""
        self.pods: list[LivePod] = []

    # ------------------------------------------------------------------ coming

    def fill(self) -> None:
        """Start a pod in each slot."""
        for slot in range(self._slots):
            self.come(slot)

    def come_bad(self) -> None:
        """Start a pod, besides the others, one annotation of which is bad."""
        # Where the shipper can't redact, no other annotation means anything to anybody.
        bads = [bad for bad in Bad if self._redacts or bad.withholds]
        bad, mended = self._rng.choice(bads), self._rng.random() < 0.6
        self.come(self._slots + self._count, bad=bad, mended=mended)

    def come_unwanted(self) -> None:
        """Start a pod, besides the others, that must not be followed."""
        self.come(self._slots + self._count, unwanted=self._rng.choice(list(Unwanted)))

    def come(
        self, slot: int, *, bad: Bad | None = None, mended: bool = True, unwanted: Unwanted | None = None
    ) -> None:
        """Start a pod. Slot 0 always has the same name, as a pod of a StatefulSet."""
        self._count += 1
        pod = self._make(slot, bad)
        if unwanted is not None:
            _spurn(pod, unwanted)
            self._note(Kind.UNWANTED, pod.facts.name)
        pod.withheld = bad is not None and bad.withholds and not mended
        self._ledger.relabelled(pod.facts, pod.labels)
        self.pods.append(pod)
        for container in self._containers(slot):
            self._start(pod, container)
        self._appear(pod)
        if bad is not None:
            self._note(Kind.BAD_ANNOTATION, pod.facts.name)
        if bad is not None and bad.withholds and mended:
            self._clocks.always.after(self._rng.uniform(*self._pace.event) * 4, lambda: self._mend(pod))
            pod.not_before = float("inf")
        self._clocks.following.after(self._rng.uniform(*self._pace.life), lambda: self._end(pod))

    def _make(self, slot: int, bad: Bad | None) -> LivePod:
        name = "db-0" if slot == 0 else f"web-{slot}-{self._count}"
        containers = self._containers(slot)
        mask = "hidden" if self._redacts else None
        good = good_annotations(containers, parser=self._rng.choice(["raw", DECODED]), mask=mask)
        return LivePod(
            facts=PodFacts(self._name, f"team-{slot}", name),
            uid=str(uuid.UUID(int=self._rng.getrandbits(128))),
            slot=slot,
            labels={"application": f"app-{slot}", "version": f"v{self._count}", "churn-pod": name},
            annotations=spoil(good, bad, containers) if bad else good,
            mask=None if bad is not None and bad.withholds else mask,
        )

    def _containers(self, slot: int) -> list[str]:
        return ["main", "side"] if slot % 2 else ["main"]

    def _appear(self, pod: LivePod) -> None:
        """Let the API show it: mostly before the log, at times after, and the ids later still."""
        later = self._rng.uniform(*STATUS_SECONDS)
        if self._rng.random() < 0.25:
            self._clocks.always.after(later / 2, lambda: pod.show(self._api, ids=False))
        else:
            pod.show(self._api, ids=False)
        self._clocks.always.after(later, lambda: self._show(pod))

    def _show(self, pod: LivePod) -> None:
        if not pod.ending:
            pod.show(self._api)

    def _start(self, pod: LivePod, container: str, *, restart: int = 0) -> None:
        files = self._node.add(
            pod=pod.facts.name,
            namespace=pod.facts.namespace,
            container=container,
            uid=pod.uid,
            restart=restart,
        )
        run = Run(
            key=f"{self._name}.{pod.facts.name}.{container}.{files.id[:10]}",
            pod=pod.facts,
            container=container,
            container_id=files.id,
            withheld=pod.withheld,
            unwanted=pod.unwanted,
        )
        self._ledger.begin(run)
        clocks = self._clocks
        writer = Writer(
            run=run,
            files=files,
            rate=self._rng.uniform(*RATES),
            started=clocks.always.now,
            rotated=clocks.shipping.now,
        )
        pod.writers.append(writer)
        pod.not_before = max(pod.not_before, clocks.following.now + self._pace.least_life)
        self._note(Kind.STARTED, pod.facts.name)
        self._changed(pod)
        self.logs.rotate_later(pod, writer)

    # ------------------------------------------------------------------ changing

    def relabel(self) -> None:
        """Give a pod another version, and a component or none."""
        for pod in self._choose():
            self._count += 1
            pod.labels["version"] = f"v{self._count}"
            if pod.labels.pop("component", None) is None:
                pod.labels["component"] = f"part-{self._count}"
            self._ledger.relabelled(pod.facts, pod.labels)
            # Long enough for lines that must carry the new ones.
            pod.lives_until = self._clocks.following.now + self._pace.label_lag + LABELLED_SECONDS
            self._changed(pod)
            pod.show(self._api)
            self._note(Kind.RELABELLED, pod.facts.name)

    def reannotate(self) -> None:
        """Give a pod another parser and another redaction rule, which hides the secret as well."""
        for pod in self._choose():
            self._count += 1
            self._set_annotations(pod)
            self._note(Kind.REANNOTATED, pod.facts.name)

    def withdraw(self) -> None:
        """Exclude a pod that is shipped; or let it ask for redaction, where that is held."""
        for pod in self._choose():
            if self._redacts or self._rng.random() < 0.5:
                pod.annotations = {**pod.annotations, EXCLUDE: "true"}
            else:
                containers = self._containers(pod.slot)
                pod.annotations = good_annotations(containers, parser=DECODED, mask="hidden")
            pod.unwanted = True
            pod.lives_until = self._clocks.following.now + self._pace.label_lag + LABELLED_SECONDS
            self._ledger.withdraw(pod.facts)
            pod.show(self._api)
            self._note(Kind.WITHDRAWN, pod.facts.name)

    def _mend(self, pod: LivePod) -> None:
        if self.calm:
            self._clocks.always.after(1.0, lambda: self._mend(pod))
        elif not pod.ending:
            self._set_annotations(pod)
            pod.not_before = self._clocks.following.now + self._pace.least_life
            self._note(Kind.MENDED, pod.facts.name)

    def _set_annotations(self, pod: LivePod) -> None:
        parser = self._rng.choice(["raw", DECODED])
        mask = f"mask-{self._count}" if self._redacts else None
        pod.annotations = good_annotations(self._containers(pod.slot), parser=parser, mask=mask)
        pod.mask = mask
        self._changed(pod)
        pod.show(self._api)

    def _choose(self) -> list[LivePod]:
        """Choose a pod that is not going and whose annotations are in order."""
        pods = [
            pod for pod in self.pods if not (pod.ending or pod.withheld or pod.unwanted) and _may_end(pod)
        ]
        return [self._rng.choice(pods)] if pods else []

    def restart(self) -> None:
        """Let a container end and the kubelet start it again; the run before last goes."""
        now = self._clocks.following.now
        for pod in self._choose():
            if now < pod.not_before:
                continue
            old = pod.writers.pop(0)
            self.logs.finish(pod, old)
            for before in [each for each in pod.ended if each.run.container == old.run.container]:
                self._node.remove(before.files)
                pod.ended.remove(before)
            pod.ended.append(old)
            self._note(Kind.RESTARTED, pod.facts.name)
            self._start(pod, old.run.container, restart=old.files.restart + 1)
            self._clocks.always.after(self._rng.uniform(*STATUS_SECONDS), functools.partial(self._show, pod))

    # ------------------------------------------------------------------ going

    def stop_churning(self) -> None:
        """End all containers; their files stay. What is to be mended is, so that all of it may come."""
        self._over = True
        for pod in self.pods:
            if not _may_end(pod):
                self._mend(pod)
            for writer in pod.writers:
                self.logs.finish(pod, writer)

    def _end(self, pod: LivePod) -> None:
        if self._over:
            return
        if self.calm or self._clocks.following.now < max(pod.not_before, pod.lives_until):
            self._clocks.following.after(1.0, lambda: self._end(pod))
        elif not pod.ending:
            pod.ending = True
            if pod.slot == 0 and not self._pace.spares and self._rng.random() < 0.5:
                self._farewell.bid_by_force(pod)
            else:
                self._farewell.bid(pod)

    def _left(self, pod: LivePod) -> None:
        """Where nothing is spared, let a pod come under the same name while this one still writes."""
        if pod.slot == 0 and not self._pace.spares:
            self._note(Kind.TAKEN_OVER, pod.facts.name)
            self._replace(pod)

    def _gone(self, pod: LivePod) -> None:
        self.pods.remove(pod)
        if not pod.succeeded:
            self._replace(pod)

    def _replace(self, pod: LivePod) -> None:
        if pod.slot < self._slots:
            pod.succeeded = True
            # After its predecessor has left the API: it may have the same name.
            self._clocks.always.after(self._rng.uniform(0.2, 1.0), lambda: self._succeed(pod))

    def _succeed(self, pod: LivePod) -> None:
        if self.calm:
            self._clocks.always.after(1.0, lambda: self._succeed(pod))
        elif not self._over:
            self.come(pod.slot)

    def may_end_suddenly(self) -> list[LivePod]:
        """Return pods that have lived long enough; none while others are still going."""
        if any(pod.ending for pod in self.pods):
            return []
        now = self._clocks.following.now
        return [
            pod
            for pod in self.pods
            if now >= pod.not_before and not (pod.withheld or pod.unwanted) and self._has_its_files_open(pod)
        ]

    def _has_its_files_open(self, pod: LivePod) -> bool:
        """Whether the shipper must have seen the files that there are: it can read on when they go."""
        latest = max(writer.rotated for writer in pod.writers)
        return self._clocks.shipping.now - latest >= self._pace.come_round

    def end_suddenly(self) -> None:
        """Let a pod write a burst and be gone before the shipper comes round."""
        for pod in self.may_end_suddenly()[:1]:
            self._farewell.bid_suddenly(pod)


def _may_end(pod: LivePod) -> bool:
    return pod.not_before < float("inf")


def _spurn(pod: LivePod, unwanted: Unwanted) -> None:
    pod.unwanted = True
    if unwanted is Unwanted.EXCLUDED:
        pod.annotations[EXCLUDE] = "true"
    else:
        del pod.labels["version"]
