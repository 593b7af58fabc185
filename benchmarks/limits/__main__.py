"""Measure what a shipper loses by itself: ``python -m benchmarks.limits --shipper scalyr``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from benchmarks.churn.report import table
from benchmarks.churn.shippers import SHIPPERS
from benchmarks.limits.alone import Alone, play_alone
from benchmarks.limits.scenes import Outcome, play


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the scenes, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--shipper", choices=SHIPPERS, default="scalyr", help="the program (scalyr)")
    parser.add_argument("--only", default="", help="scenes whose names contain this text")
    parser.add_argument("--json", type=Path, help="write the outcomes into this file, too")
    options = parser.parse_args(arguments)
    kind = SHIPPERS[options.shipper]
    if missing := kind.missing():
        print(f"{kind.name} can't be run here: {missing}", file=sys.stderr)
        return 2
    outcomes: Sequence[Outcome | Alone]
    with tempfile.TemporaryDirectory(prefix="limits-") as folder:
        if kind.supports.real_paths:
            outcomes = list(play(Path(folder), options.only))
        else:
            outcomes = list(play_alone(kind, Path(folder), options.only))
    if outcomes:
        head = [name.replace("name", "scene") for name in attrs.asdict(outcomes[0])]
        print(kind.version(), table(head, [attrs.astuple(each) for each in outcomes]), sep="\n\n")
    if options.json:
        options.json.write_text(json.dumps([attrs.asdict(each) for each in outcomes], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
