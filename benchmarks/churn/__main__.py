"""Run the churn: ``python -m benchmarks.churn --seconds 60``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from benchmarks.churn.comparison import as_table, compare, configured
from benchmarks.churn.pace import HARSH, QUICK, REAL
from benchmarks.churn.promises import keep, promises
from benchmarks.churn.report import of_findings
from benchmarks.churn.run import Plan, churn
from benchmarks.churn.shippers import SHIPPERS
from kube_log_watcher_core import Layout


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, print the table; 0 when nothing was lost, doubled, mislabelled or unredacted."""
    options = _parser().parse_args(arguments)
    kinds = [SHIPPERS[name] for name in options.shipper]
    for kind in kinds:
        if missing := kind.missing():
            print(f"{kind.name} can't be run here: {missing}", file=sys.stderr)
            return 2
        if not kind.supports.real_paths and (options.compare or not options.spool):
            print(f"{kind.name} reads nothing but the spool: give --spool, and no --compare", file=sys.stderr)
            return 2
    if len(kinds) > 1 and not options.table:
        print("several shippers make a table: give --table", file=sys.stderr)
        return 2
    plan = _plan(options)
    with tempfile.TemporaryDirectory(prefix="churn-") as temporary:
        folder = options.folder or Path(temporary)
        if options.compare:
            return _compare(plan, folder, options.json)
        if options.table:
            return _promise([attrs.evolve(plan, shipper=kind) for kind in kinds], folder, options.json)
        findings, complaints = churn(plan, folder)
    print(of_findings(findings))
    print(*complaints, sep="\n")
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, **findings.as_json()}, indent=1) + "\n")
    return 0 if findings.clean else 1


def _promise(plans: Sequence[Plan], folder: Path, as_json: Path | None) -> int:
    """Churn one shipper after the other, and print the table of promises; 0 when all are kept."""
    kept = [each for plan in plans for each in keep(plan, folder)]
    print(promises(plans[0], kept))
    if as_json:
        found = {each.name: each.findings.as_json() for each in kept}
        as_json.write_text(json.dumps({"seed": plans[0].seed, **found}, indent=1) + "\n")
    return 0 if all(each.whole for each in kept) else 1


def _compare(plan: Plan, folder: Path, as_json: Path | None) -> int:
    """Print the table; 0 when the last row is clean: this watcher with the spool."""
    compared = list(compare(plan, folder))
    print(as_table(compared, plan.layouts), "", configured(plan, compared), sep="\n")
    if as_json:
        rows = {each.name: {k.value: v.as_json() for k, v in each.findings.items()} for each in compared}
        as_json.write_text(json.dumps({"seed": plan.seed, **rows}, indent=1) + "\n")
    return 0 if all(found.clean for found in compared[-1].findings.values()) else 1


def _plan(options: argparse.Namespace) -> Plan:
    pace = REAL if options.real else HARSH if options.harsh or options.compare else QUICK
    if options.linger is not None:
        pace = attrs.evolve(pace, linger=options.linger)
    pace = attrs.evolve(pace, kills=options.kill)
    return Plan(
        layouts=tuple(Layout(name) for name in options.layout.split(",")),
        seconds=options.seconds,
        pace=pace,
        slots=options.pods,
        seed=options.seed,
        shipper=SHIPPERS[options.shipper[0]],
        spool=options.spool,
        environ=dict(value.split("=", 1) for value in options.set),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.churn", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to churn (60)")
    parser.add_argument("--seed", type=int, default=1, help="chooses what happens (1)")
    parser.add_argument("--pods", type=int, default=3, help="pods alive at a time, per layout (3)")
    parser.add_argument(
        "--shipper", type=_shippers, default=["scalyr"], help=f"of {', '.join(SHIPPERS)} (scalyr)"
    )
    parser.add_argument("--layout", default="docker,cri", help="docker, cri, or both (docker,cri)")
    parser.add_argument("--real", action="store_true", help="all defaults of watcher and shipper, no haste")
    parser.add_argument("--harsh", action="store_true", help="spare the shipper nothing")
    parser.add_argument("--spool", action="store_true", help="let the watcher keep logs in a spool")
    parser.add_argument("--table", action="store_true", help="print the row of promises of each shipper")
    parser.add_argument(
        "--compare", action="store_true", help="compare: no spool, no watcher, with the spool"
    )
    parser.add_argument(
        "--kill", action="store_true", help="SIGKILL a shipper that may ship lines again then, too"
    )
    parser.add_argument("--linger", type=float, help="seconds that a container's files stay after its end")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="for the watchers")
    parser.add_argument("--json", type=Path, help="write the findings into this file, too")
    parser.add_argument("--folder", type=Path, help="keep all files and logs there; else they are removed")
    return parser


def _shippers(value: str) -> list[str]:
    names = value.split(",")
    if unknown := [name for name in names if name not in SHIPPERS]:
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}: there are {', '.join(SHIPPERS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
