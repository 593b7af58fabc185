"""What the same churn comes to without the spool, without any watcher, and with the spool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from benchmarks.churn.findings import Findings, find
from benchmarks.churn.lane import Lane
from benchmarks.churn.report import MOST, table
from benchmarks.churn.run import Plan, churned_lanes
from kube_log_watcher_core import Layout

COLUMNS = {Layout.DOCKER: "Docker layout", Layout.CRI: "CRI layout"}
FAULTS = ("doubled", "mislabelled", "unredacted", "leaked")


def rows(plan: Plan) -> Mapping[str, Plan]:
    """Return what is compared, all with the same seed."""
    return {
        "this watcher without the spool": attrs.evolve(plan, watcher=True, spool=False),
        "a perfect configuration of real paths, no watcher at all": attrs.evolve(
            plan, watcher=False, spool=False
        ),
        "this watcher with the spool": attrs.evolve(plan, watcher=True, spool=True),
    }


@attrs.frozen
class Compared:
    """What one row came to, by layout."""

    name: str
    findings: Mapping[Layout, Findings]
    settings: Mapping[str, str]
    """The watcher's variables that are neither paths nor secrets; none where there is no watcher."""


def compare(plan: Plan, folder: Path) -> Iterator[Compared]:
    """Churn for each row, one after the other. Raises as `churn` does."""
    for number, (name, each) in enumerate(rows(plan).items()):
        lanes = churned_lanes(each, folder / str(number))
        findings = {
            layout: find([lane.ledger], lane.events) for layout, lane in zip(each.layouts, lanes, strict=True)
        }
        yield Compared(name, findings, _settings(lanes[0]) if each.watcher else {})


def _settings(lane: Lane) -> Mapping[str, str]:
    return {
        name: str(value)
        for name, value in lane.environ.items()
        if value is not None and not isinstance(value, Path) and not name.endswith("_KEY")
    }


def as_table(compared: list[Compared], layouts: tuple[Layout, ...]) -> str:
    """Lay out the table, the other faults below it, and what was lost with the spool, if anything."""
    head = ("what the agent is given", *(f"lost, {COLUMNS[layout]}" for layout in layouts))
    lines = [(each.name, *(_lost(each.findings[layout]) for layout in layouts)) for each in compared]
    texts = [table(head, lines), ""]
    texts += [f"{each.name}: {_faults(each)}" for each in compared]
    texts += [str(gap) for found in compared[-1].findings.values() for gap in found.gaps[:MOST]]
    return "\n".join(texts)


def _lost(findings: Findings) -> str:
    return f"{findings.total.lost:,} of {findings.written:,}"


def _faults(compared: Compared) -> str:
    totals = [findings.total for findings in compared.findings.values()]
    return ", ".join(f"{sum(getattr(total, name) for total in totals)} {name}" for name in FAULTS)


def configured(plan: Plan, compared: list[Compared]) -> str:
    """Tell what all of it was configured with."""
    watchers = [each for each in compared if each.settings]
    settings = {name: value for each in watchers for name, value in each.settings.items()}
    return "\n".join(
        [
            f"{plan.seconds:g} s for each row, seed {plan.seed}, {plan.slots} pods at a time in each layout",
            *plan.pace.told(),
            "watchers: " + " ".join(f"{name}={value}" for name, value in sorted(settings.items())),
            "Scalyr agent: " + " ".join(f"{n}={v}" for n, v in sorted(plan.pace.shipper_environ().items())),
        ]
    )
