"""Draws the house of the core for the documentation: its rooms, their threads, one log's way through them.

The rooms are those of the import rules in ``pyproject.toml``, which a test compares::

    python scripts/house.py docs/_static/house.svg
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

WIDTH, LEFT, RIGHT = 900, 185, 715
"""Of the picture, and where the house begins and ends."""
TOP, HEIGHT, GAP = 62, 58, 8
"""Where the first floor begins, how high each is, and what is between rooms."""

THREADS = {
    "main": "#35618e",
    "pod-watch": "#3b8750",
    "agent-…": "#c47418",
    "http, status-socket": "#7b5ea7",
    "spool": "#a8324a",
}
"""Colours by the names of threads."""

Room = tuple[str, str, tuple[str, ...], str]
"""Its name, what it does, the threads that work in it, and the number that one log's way has there."""

FLOORS: Sequence[Sequence[Room]] = (
    [("cli", "commands, options, what they print", ("main",), "")],
    [("loop", "the daemon: what wakes it, one turn, reload, shut down", ("main",), "2")],
    [
        ("explain", "why shipped or not; status; a socket", ("http, status-socket",), ""),
        ("observe", "one snapshot; health, metrics, logs", ("main", "http, status-socket"), ""),
    ],
    [("agents", "makes, calls, paces, retries, locks and closes each agent", ("main", "agent-…"), "6")],
    [
        ("configuration", "read as one", ("main",), ""),
        ("reconcile", "a log's life; drain", ("main", "agent-…"), "5"),
        ("spool", "keeps files", ("main", "spool"), ""),
        ("state", "after a restart", ("main",), ""),
        ("records", "as JSON", ("main",), ""),
    ],
    [
        ("settings", "read, typed", ("main",), ""),
        ("plugins", "entry points", ("main",), ""),
        ("discovery", "the folders", ("main",), "1"),
        ("kube", "list, watch", ("pod-watch",), "3"),
        ("resolve", "decides", ("main",), "4"),
    ],
    [
        ("agent", "render a configuration", ("agent-…",), "7"),
        ("files", "compare, write, prune", ("agent-…",), "8"),
        ("segments", "names in the spool", (), ""),
    ],
    [("models", "what all rooms speak of; annotations, backoff, errors", (), "")],
)
"""From the roof down. A room uses what is below it or to its right; those of the third floor from below are
strangers to each other, and so are `reconcile` and `spool`."""

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
    font-family="sans-serif" font-size="14">
  <style>
    .page {{ fill: #ffffff; }}
    .box {{ fill: #f2f6fa; stroke: #35618e; stroke-width: 1.5; }}
    .house {{ fill: #dcebf7; stroke: #1f4e79; stroke-width: 2; }}
    .note {{ fill: #555555; font-size: 12px; }}
    .name {{ fill: #1a1a1a; font-weight: bold; }}
    .number {{ fill: #ffffff; font-size: 12px; font-weight: bold; text-anchor: middle; }}
    .arrow {{ fill: none; stroke: #35618e; stroke-width: 1.5; marker-end: url(#head); }}
  </style>
  <defs>
    <marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">
      <path d="M0 0 L10 5 L0 10 z" fill="#35618e"/>
    </marker>
  </defs>
  <rect class="page" width="{width}" height="{height}"/>"""


def rooms() -> Iterator[str]:
    """Yield the names of all rooms, from the roof down."""
    return (room[0] for floor in FLOORS for room in floor)


def picture() -> str:
    """Return the picture as SVG."""
    bottom = TOP + len(FLOORS) * (HEIGHT + GAP)
    middle = (LEFT + RIGHT) // 2
    outline = (
        f"M{LEFT - 12} {TOP - 8} L{middle} 8 L{RIGHT + 12} {TOP - 8} L{RIGHT + 12} {bottom} "
        f"L{LEFT - 12} {bottom} z"
    )
    lines = [
        HEAD.format(width=WIDTH, height=bottom + 62),
        f'  <path class="house" d="{outline}"/>',
        f'  <text class="name" x="{middle}" y="44" text-anchor="middle">kube_log_watcher_core</text>',
    ]
    for number, floor in enumerate(FLOORS):
        lines += _floor(floor, TOP + number * (HEIGHT + GAP))
    return "\n".join([*lines, *_outside(), *_legend(bottom + 22), "</svg>"]) + "\n"


def _floor(floor: Sequence[Room], y: int) -> Iterator[str]:
    width = (RIGHT - LEFT - GAP * (len(floor) - 1)) / len(floor)
    for number, (name, what, threads, step) in enumerate(floor):
        x = LEFT + number * (width + GAP)
        small = len(floor) > 2
        yield f'  <rect class="box" x="{x:.0f}" y="{y}" width="{width:.0f}" height="{HEIGHT}" rx="6"/>'
        for place, thread in enumerate(threads):
            yield (
                f'  <rect x="{x + 6 + 7 * place:.0f}" y="{y + 8}" width="4" height="{HEIGHT - 16}" '
                f'fill="{THREADS[thread]}"/>'
            )
        inside = x + (14 + 7 * max(len(threads) - 1, 0) if small else 26)
        yield f'  <text class="name" x="{inside:.0f}" y="{y + 25}"{_size(small, 12)}>{name}</text>'
        yield f'  <text class="note" x="{inside:.0f}" y="{y + 44}"{_size(small, 10)}>{what}</text>'
        if step:
            at = x + width - (10 if small else 18)
            up = y + (2 if small else 20)
            yield f'  <circle cx="{at:.0f}" cy="{up}" r="9" fill="#1f4e79"/>'
            yield f'  <text class="number" x="{at:.0f}" y="{up + 4}">{step}</text>'


def _size(small: bool, size: int) -> str:  # noqa: FBT001 - how a text is written
    return f' style="font-size: {size}px"' if small else ""


def _outside() -> Iterator[str]:
    """Draw what is beyond the walls."""

    def at(floor: int) -> int:
        return TOP + floor * (HEIGHT + GAP)

    west = {0: ("somebody", "at a command line"), 4: ("settings", "options, variables, YAML")}
    west |= {5: ("folders of the node", "inotify, full passes"), 6: ("Kubernetes API", "one list, one watch")}
    for floor, (name, what) in west.items():
        y = at(floor)
        yield f'  <rect class="box" x="5" y="{y + 6}" width="150" height="46" rx="6"/>'
        yield f'  <text class="name" x="14" y="{y + 26}" style="font-size: 12px">{name}</text>'
        yield f'  <text class="note" x="14" y="{y + 42}" style="font-size: 11px">{what}</text>'
        if floor != 6:
            yield f'  <path class="arrow" d="M155 {y + 29} L{LEFT - 14} {y + 29}"/>'
    api = at(6) + 29
    yield f'  <path class="arrow" d="M155 {api} C165 {api} 160 {at(5) + 44} {LEFT - 14} {at(5) + 44}"/>'
    east = {2: ("people, probes,", "Prometheus"), 3: ("agents", "one distribution each")}
    east |= {6: ("a shipper's", "configuration")}
    for floor, (name, what) in east.items():
        y = at(floor)
        yield f'  <rect class="box" x="755" y="{y + 6}" width="140" height="46" rx="6"/>'
        yield f'  <text class="name" x="764" y="{y + 26}" style="font-size: 12px">{name}</text>'
        yield f'  <text class="note" x="764" y="{y + 42}" style="font-size: 11px">{what}</text>'
        start, end = (753, RIGHT + 14) if floor == 2 else (RIGHT + 13, 753)
        yield f'  <path class="arrow" d="M{start} {y + 29} L{end} {y + 29}"/>'


def _legend(y: int) -> Iterator[str]:
    x = LEFT - 12
    yield f'  <text class="note" x="{x}" y="{y}">threads:</text>'
    x += 64
    for thread, colour in THREADS.items():
        yield f'  <rect x="{x}" y="{y - 10}" width="12" height="12" fill="{colour}"/>'
        yield f'  <text class="note" x="{x + 18}" y="{y}">{thread}</text>'
        x += 42 + 7 * len(thread)
    yield f'  <circle cx="{LEFT - 6}" cy="{y + 18}" r="9" fill="#1f4e79"/>'
    yield f'  <text class="number" x="{LEFT - 6}" y="{y + 22}">1</text>'
    about = "one log's way, from its appearance to the disk"
    yield f'  <text class="note" x="{LEFT + 10}" y="{y + 22}">{about}</text>'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture())
