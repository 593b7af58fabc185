"""What a pod's annotations ask for one of its containers, and what is wrong with them.

Whatever one pod writes concerns only that pod: nothing here raises for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from kube_log_watcher_core import LogTarget, Objection
from kube_log_watcher_scalyr import pod_settings
from kube_log_watcher_scalyr.attributes import checked_attributes
from kube_log_watcher_scalyr.expressions import Expressions
from kube_log_watcher_scalyr.plain import is_plain, shortened
from kube_log_watcher_scalyr.pod_settings import PodSetting, Said, said_of
from kube_log_watcher_scalyr.rules import Checked, Rule, line_groupers, redaction_rules, sampling_rules

LONGEST_PARSER: Final = 200
MOST_REASONS: Final = 3
"""Reasons that are told of one annotation: the pod's author finds the rest by mending these."""


@attrs.frozen
class Wishes:
    """What a container's pod asks for."""

    parser: str | None = None
    sampling: tuple[Rule, ...] = ()
    redaction: tuple[Rule, ...] = ()
    attributes: Mapping[str, str | float] = attrs.field(factory=dict)
    line_groupers: tuple[Rule, ...] = ()
    refused: tuple[Objection, ...] = ()
    held: bool = False
    """Whether the log must wait: not all that its pod asks to be redacted can be."""


class _Reader:
    """Reads one container's annotations, and collects what is wrong with them."""

    def __init__(self, target: LogTarget, expressions: Expressions) -> None:
        self._target = target
        self._expressions = expressions
        self.refused: list[Objection] = []

    def rules(
        self, setting: PodSetting, check: Callable[[object, Expressions], Checked], *, holds: bool = False
    ) -> Checked:
        said = said_of(self._target, setting)
        if said is None:
            return Checked()
        checked = Checked() if said.value is None else check(said.value, self._expressions)
        self._note(said, checked.reasons, holds=holds)
        return attrs.evolve(checked, reasons=(*said.reasons, *checked.reasons))

    def attributes(self) -> Mapping[str, str | float]:
        said = said_of(self._target, pod_settings.ATTRIBUTES)
        if said is None:
            return {}
        attributes, reasons = ({}, ()) if said.value is None else checked_attributes(said.value)
        self._note(said, reasons)
        return attributes

    def parser(self) -> str | None:
        said = said_of(self._target, pod_settings.PARSER)
        if said is None:
            return None
        name = said.value if isinstance(said.value, str) else ""
        good = 0 < len(name) <= LONGEST_PARSER and name.isprintable() and is_plain(name)
        expected = f"printable text of up to {LONGEST_PARSER} characters, none beyond U+FFFF"
        wrong = f"parser must be {expected}, it is {shortened(said.value)}"
        self._note(said, () if good or said.value is None else (wrong,))
        return name if good else None

    def _note(self, said: Said, reasons: tuple[str, ...], *, holds: bool = False) -> None:
        all_reasons = (*said.reasons, *reasons)
        if all_reasons:
            more = len(all_reasons) - MOST_REASONS
            told = "; ".join(all_reasons[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
            remedy = "mend the annotation: that counts at once, without a restart of the pod" if holds else ""
            self.refused.append(Objection(self._target, said.annotation, told, remedy, holds=holds))


def read_annotations(
    target: LogTarget,
    expressions: Expressions,
    *,
    sampling: tuple[Rule, ...] | None = None,
    hold: bool = False,
) -> Wishes:
    """Read the annotations that are about a container.

    ``sampling`` takes the place of that annotation; with ``hold`` a log waits while anything is wrong
    with its redaction rules.

    Raises
    ------
    NotYetError
        when the sync has no time left to check its expressions.
    """
    expressions.begin_log()
    reader = _Reader(target, expressions)
    parser = reader.parser()
    sampled = None if sampling is not None else reader.rules(pod_settings.SAMPLING, sampling_rules)
    redacted = reader.rules(pod_settings.REDACTION, redaction_rules, holds=hold)
    return Wishes(
        parser=parser,
        sampling=(sampling or ()) if sampled is None else sampled.rules,
        redaction=redacted.rules,
        attributes=reader.attributes(),
        line_groupers=reader.rules(pod_settings.LINE_GROUPERS, line_groupers).rules,
        refused=tuple(reader.refused),
        held=hold and bool(redacted.reasons),
    )
