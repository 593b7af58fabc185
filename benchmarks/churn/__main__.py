"""Run the churn: ``python -m benchmarks.churn --seconds 60``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from benchmarks.churn.comparison import as_table, compare, configured
from benchmarks.churn.lane import MakeShipper
from benchmarks.churn.pace import HARSH, QUICK, REAL
from benchmarks.churn.report import of_findings
from benchmarks.churn.rsyslog import PROGRAM, Rsyslog
from benchmarks.churn.run import Plan, churn
from benchmarks.churn.scalyr import Scalyr
from benchmarks.churn.shipper import PYTHON
from kube_log_watcher_core import Layout

SHIPPERS: Mapping[str, MakeShipper] = {"scalyr": Scalyr, "rsyslog": Rsyslog}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, print the table; 0 when nothing was lost, doubled, mislabelled or unredacted."""
    options = _parser().parse_args(arguments)
    if options.shipper == "rsyslog" and not Path(PROGRAM).exists():
        print(f"no rsyslog: there is no {PROGRAM}", file=sys.stderr)
        return 2
    if options.shipper == "scalyr" and not PYTHON.exists():
        print(f"no Scalyr agent: set SCALYR_AGENT_PYTHON, there is no {PYTHON}", file=sys.stderr)
        return 2
    if options.shipper == "rsyslog" and (options.table or not options.spool):
        print("rsyslog reads nothing but the spool: give --spool, and no --table", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="churn-") as temporary:
        if options.table:
            return _table(_plan(options), options.folder or Path(temporary), options.json)
        findings, complaints = churn(_plan(options), options.folder or Path(temporary))
    print(of_findings(findings))
    print(*complaints, sep="\n")
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, **findings.as_json()}, indent=1) + "\n")
    return 0 if findings.clean else 1


def _table(plan: Plan, folder: Path, as_json: Path | None) -> int:
    """Print the table; 0 when the last row is clean: this watcher with the spool."""
    compared = list(compare(plan, folder))
    print(as_table(compared, plan.layouts), "", configured(plan, compared), sep="\n")
    if as_json:
        rows = {each.name: {k.value: v.as_json() for k, v in each.findings.items()} for each in compared}
        as_json.write_text(json.dumps({"seed": plan.seed, **rows}, indent=1) + "\n")
    return 0 if all(found.clean for found in compared[-1].findings.values()) else 1


def _plan(options: argparse.Namespace) -> Plan:
    pace = REAL if options.real else HARSH if options.harsh or options.table else QUICK
    if options.linger is not None:
        pace = attrs.evolve(pace, linger=options.linger)
    pace = attrs.evolve(pace, kills=options.kill)
    return Plan(
        layouts=tuple(Layout(name) for name in options.layout.split(",")),
        seconds=options.seconds,
        pace=pace,
        slots=options.pods,
        seed=options.seed,
        make_shipper=SHIPPERS[options.shipper],
        spool=options.spool,
        environ=dict(value.split("=", 1) for value in options.set),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.churn", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to churn (60)")
    parser.add_argument("--seed", type=int, default=1, help="chooses what happens (1)")
    parser.add_argument("--pods", type=int, default=3, help="pods alive at a time, per layout (3)")
    parser.add_argument("--shipper", choices=SHIPPERS, default="scalyr", help="the program (scalyr)")
    parser.add_argument("--layout", default="docker,cri", help="docker, cri, or both (docker,cri)")
    parser.add_argument("--real", action="store_true", help="all defaults of watcher and shipper, no haste")
    parser.add_argument("--harsh", action="store_true", help="spare the shipper nothing")
    parser.add_argument("--spool", action="store_true", help="let the watcher keep logs in a spool")
    parser.add_argument("--table", action="store_true", help="compare: no spool, no watcher, with the spool")
    parser.add_argument(
        "--kill", action="store_true", help="in the harsh form, SIGKILL the Scalyr agent, too"
    )
    parser.add_argument("--linger", type=float, help="seconds that a container's files stay after its end")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="for the watchers")
    parser.add_argument("--json", type=Path, help="write the findings into this file, too")
    parser.add_argument("--folder", type=Path, help="keep all files and logs there; else they are removed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
