"""Draws for the documentation how a log's files go, and how their segments in the spool stay.

A test compares the picture with what this draws::

    python scripts/spool.py docs/_static/spool.svg
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import attrs

WIDTH, HEIGHT = 900, 470
TOP, ROW = 96, 92
"""Where the first moment's row begins, and how high each is."""
FOLDER, SPOOL, FILE = 140, 520, 175
"""Where the two columns begin, and how wide a file is."""

COLOURS = {"A": "#35618e", "B": "#3b8750", "C": "#c47418"}
"""One for each file that the log has had, whatever it is called."""


@attrs.frozen
class Moment:
    """What lies in both folders at one time: names, each with the file that it is of."""

    about: tuple[str, str]
    folder: tuple[tuple[str, str], ...]
    segments: tuple[tuple[str, str], ...]
    reads: str = ""
    """How far the shipper is."""


MOMENTS = (
    Moment(
        ("a container", "is started"),
        (("0.log", "A"),),
        (("…01.log", "A"),),
        "reads …01",
    ),
    Moment(
        ("rotated: the", "kubelet renames"),
        (("0.log.2026…-1200", "A"), ("0.log", "B")),
        (("…01.log", "A"), ("…02.log", "B")),
        "is down; no name changes",
    ),
    Moment(
        ("again: the older", "is compressed"),
        (("0.log.2026…-1200.gz", ""), ("0.log.2026…-1230", "B"), ("0.log", "C")),
        (("…01.log", "A"), ("…02.log", "B"), ("…03.log", "C")),
        "is back, goes on in …01, then …02",
    ),
    Moment(
        ("the pod is", "deleted"),
        (),
        (("…03.log", "C"),),
        "has read …01 and …02, reads …03",
    ),
)

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
    font-family="sans-serif" font-size="13">
  <style>
    .page {{ fill: #ffffff; }}
    .folder {{ fill: #f2f6fa; stroke: #35618e; stroke-width: 1.5; }}
    .gone {{ fill: #eeeeee; stroke: #999999; stroke-width: 1; stroke-dasharray: 3 3; }}
    .note {{ fill: #555555; font-size: 12px; }}
    .name {{ fill: #1a1a1a; font-weight: bold; }}
    .file {{ fill: #ffffff; font-size: 12px; text-anchor: middle; }}
    .lost {{ fill: #777777; font-size: 12px; text-anchor: middle; }}
    .link {{ stroke-width: 1.5; fill: none; }}
  </style>
  <rect class="page" width="{width}" height="{height}"/>"""


def picture() -> str:
    """Return the picture as SVG."""
    lines = [HEAD.format(width=WIDTH, height=HEIGHT), *_titles()]
    for number, moment in enumerate(MOMENTS):
        lines += _moment(moment, TOP + number * ROW)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _titles() -> Iterator[str]:
    bottom = TOP + len(MOMENTS) * ROW
    for x, width, title, about in (
        (FOLDER, 250, "the log's folder", "names change, files go"),
        (SPOOL, 375, "its folder in the spool", "one hard link for each file, until it has been read"),
    ):
        yield f'  <rect class="folder" x="{x - 14}" y="8" width="{width}" height="{bottom - 16}" rx="6"/>'
        yield f'  <text class="name" x="{x}" y="32">{title}</text>'
        yield f'  <text class="note" x="{x}" y="50">{about}</text>'


def _moment(moment: Moment, y: int) -> Iterator[str]:
    for number, text in enumerate(moment.about):
        yield f'  <text class="note" x="6" y="{y + 6 + 16 * number}">{text}</text>'
    heights = {}
    for number, (name, file) in enumerate(moment.folder):
        heights[file] = y - 12 + 26 * number
        yield from _file(FOLDER, heights[file], FILE, name, file)
    width = 80
    places = {}
    for name, file in moment.segments:
        x = SPOOL + ["A", "B", "C"].index(file) * (width + 12)
        places[file] = x
        yield from _file(x, y - 12, width, name, file)
    for file in sorted(places.keys() & heights.keys()):
        x, up = places[file], heights[file]
        start = FOLDER + FILE
        if x == SPOOL:
            path = f"M{start} {up + 10} L{x} {y - 2}"
        else:
            path = f"M{start} {up + 10} C{SPOOL - 40} {up + 12} {x + 40} {y + 34} {x + 40} {y + 8}"
        yield f'  <path class="link" stroke="{COLOURS[file]}" d="{path}"/>'
    yield f'  <text class="note" x="{SPOOL}" y="{y + 67}">the shipper {moment.reads}</text>'


def _file(x: int, y: int, width: int, name: str, file: str) -> Iterator[str]:
    """Draw one name of a file; what is of none that can be read is grey."""
    if file:
        yield f'  <rect x="{x}" y="{y}" width="{width}" height="20" rx="3" fill="{COLOURS[file]}"/>'
    else:
        yield f'  <rect class="gone" x="{x}" y="{y}" width="{width}" height="20" rx="3"/>'
    yield f'  <text class="{"file" if file else "lost"}" x="{x + width // 2}" y="{y + 14}">{name}</text>'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture())
