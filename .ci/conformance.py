"""Runs the installed watcher over black-box cases that another project keeps, in three ways side by side.

The cases come with a runner of their own, ``conformance.py``; this only starts it and judges its results.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

INTERVAL = "WATCHER_INTERVAL=1"

WAYS: dict[str, tuple[str, ...]] = {
    "docker": ("--set-env", INTERVAL),
    "cri": (
        "--layout",
        "cri",
        "--set-env",
        "WATCHER_CONTAINERS_PATH={cri_containers}",
        "--set-env",
        INTERVAL,
    ),
    "events": ("--tag", "core", "--tag", "seed", "--set-env", "WATCHER_INTERVAL=3600"),
}

TOLERATED: dict[str, frozenset[str]] = {
    # It expects `parse_lines_as_json: true`. On the lines of a CRI runtime that would have the Scalyr agent
    # read JSON where there is none: it overrides `parse_format: cri`, which we write.
    "cri": frozenset({"later-json-lines"}),
    # Nobody tells the watcher of damage to files that it wrote: the next full pass, an hour away, finds it.
    "events": frozenset({"core-config-deleted", "core-config-damaged", "core-job-deleted"}),
}


def main() -> int:
    """Run the ways that were asked for; the exit status is 1 when a case failed that should not."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        runs = {way: _start(way, arguments, Path(scratch) / way) for way in arguments.ways}
        for run in runs.values():
            run.wait()
        return max(_judge(way, Path(scratch) / way) for way in arguments.ways)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the folder with conformance.py")
    parser.add_argument("--jobs", default="3", help="cases at a time, in each way")
    parser.add_argument("ways", nargs="+", choices=WAYS)
    return parser.parse_args()


def _start(way: str, arguments: argparse.Namespace, results: Path) -> subprocess.Popen[bytes]:
    watcher = Path(sys.executable).parent / "kube-log-watcher"
    command = [
        sys.executable,
        str(arguments.cases.resolve() / "conformance.py"),
        "--cmd",
        shlex.quote(str(watcher)),
    ]
    options = ["--jobs", arguments.jobs, "--out", str(results.with_suffix(".json")), *WAYS[way]]
    with results.with_suffix(".log").open("wb") as log:
        return subprocess.Popen([*command, *options], stdout=log, stderr=subprocess.STDOUT)


def _judge(way: str, results: Path) -> int:
    """Print how the cases of one way went, and the runner's log where one failed."""
    log = results.with_suffix(".log").read_text(errors="replace")
    try:
        report = json.loads(results.with_suffix(".json").read_text())
    except (OSError, ValueError) as error:
        print(f"{log}\n{way}: no results: {error}")
        return 1
    failed = {case["id"] for case in report["results"] if not case["pass"]}
    bad = sorted(failed - TOLERATED.get(way, frozenset()))
    if bad:
        print(log)
    print(f"{way}: {report['passed']} of {report['total']} cases hold; {_list('failed', bad)}", end="")
    print(f"; {_list('known not to', sorted(failed - set(bad)))}")
    return int(bool(bad) or report["total"] == 0)


def _list(word: str, cases: Sequence[str]) -> str:
    return f"{word}: {', '.join(cases) or 'none'}"


if __name__ == "__main__":
    sys.exit(main())
