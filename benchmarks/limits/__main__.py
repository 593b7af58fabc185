"""Measure what the Scalyr agent loses by itself: ``python -m benchmarks.limits``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from benchmarks.churn.report import table
from benchmarks.churn.shippers.scalyr import Scalyr
from benchmarks.limits.scenes import play


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the scenes, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--only", default="", help="scenes whose names contain this text")
    parser.add_argument("--json", type=Path, help="write the outcomes into this file, too")
    options = parser.parse_args(arguments)
    if missing := Scalyr.missing():
        print(f"no Scalyr agent: {missing}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="limits-") as folder:
        outcomes = list(play(Path(folder), options.only))
    print(table(("scene", "written", "lost", "doubled"), [attrs.astuple(each) for each in outcomes]))
    if options.json:
        options.json.write_text(json.dumps([attrs.asdict(each) for each in outcomes], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
