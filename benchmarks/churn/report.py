"""The table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.churn.findings import Findings, Row

HEAD = ("event", "times", "gaps", "lost", "doubled", "wrong label", "no label", "unredacted", "leaked")
MOST = 20
"""Gaps and faults that are told one by one."""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a table: the first column to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["  ".join(_padded(row, widths)).rstrip() for row in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.rjust(width) if column else cell.ljust(width)


def of_findings(findings: Findings) -> str:
    """Return what a run came to, for people."""
    rows = [_cells(row) for row in (*findings.rows, findings.total)]
    counts = f"{findings.written} lines written, {findings.arrived} of them arrived; "
    counts += f"{findings.withheld} withheld, for what they ask to be hidden; "
    counts += f"{findings.unwanted} of pods that must not be followed; "
    counts += f"changed labels came through within {findings.label_seconds:.1f} s"
    return "\n".join(
        [table(HEAD, rows), "", counts, *map(str, findings.gaps[:MOST]), *map(str, findings.faults[:MOST])]
    )


def _cells(row: Row) -> tuple[object, ...]:
    wrong = (row.mislabelled, row.unlabelled, row.unredacted, row.leaked)
    return (row.kind, row.times, row.gaps, row.lost, row.doubled, *wrong)
