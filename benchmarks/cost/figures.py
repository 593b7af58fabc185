"""A measured figure: beside it a reference of the same run, and the aim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from benchmarks.churn.report import table

HEAD = ("figure", "measured", "unit", "reference", "what the reference is", "aim", "")


@attrs.frozen
class Figure:
    """One row of the table."""

    group: str
    name: str
    value: float
    unit: str
    reference: float | None = None
    reference_is: str = ""
    aim: float | None = None
    """The most that it may be; None where nothing is promised."""

    @property
    def verdict(self) -> str:
        """``met`` or ``missed``; nothing without an aim."""
        if self.aim is None:
            return ""
        return "met" if self.value <= self.aim else "missed"

    def as_json(self) -> dict[str, object]:
        """Return all of it for a program."""
        return {**attrs.asdict(self), "verdict": self.verdict}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below or at which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the middle one."""
    return percentile(values, 0.5)


def as_table(figures: Iterable[Figure]) -> str:
    """Lay out the figures, a group after the other."""
    by_group: dict[str, list[Figure]] = {}
    for figure in figures:
        by_group.setdefault(figure.group, []).append(figure)
    blocks = [f"{group}\n{table(HEAD, map(_cells, rows))}" for group, rows in by_group.items()]
    return "\n\n".join(blocks)


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        number(figure.value),
        figure.unit,
        number(figure.reference),
        figure.reference_is,
        number(figure.aim),
        figure.verdict,
    )


def number(value: float | None) -> str:
    """Print a number with three digits that count."""
    if value is None:
        return ""
    if value and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"
