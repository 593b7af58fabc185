"""Measure what the watcher costs: ``python -m benchmarks.cost``; ``--quick`` takes a few minutes."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs

from benchmarks.cost import api, change, latency, memory, passing, quiet, segments, starting
from benchmarks.cost.figures import Figure, as_table
from benchmarks.cost.machine import describe
from benchmarks.cost.plan import FULL, QUICK, Plan

Part = Callable[[Plan, Path], Iterable[Figure]]
PARTS: dict[str, Part] = {
    "pass": passing.measure,
    "latency": latency.measure,
    "idle": quiet.measure,
    "change": change.measure,
    "start": starting.measure,
    "memory": memory.measure,
    "spool": segments.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, write JSON; 1 when a figure misses its aim."""
    options = _parser().parse_args(arguments)
    plan = _plan(options)
    parts = options.only.split(",") if options.only else [*PARTS, "api"]
    machine = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **describe()}
    with tempfile.TemporaryDirectory(prefix="cost-") as temporary:
        figures = list(_figures(plan, Path(temporary), parts))
        cost = None
        if "api" in parts:
            cost, more = api.measure(plan, Path(temporary))
            figures += more
    print(as_table(figures))
    if cost:
        print(f"\n{api.as_table(cost)}")
    machine |= {"load at the end": os.getloadavg()[0]}
    print("\n" + "\n".join(f"{name}: {value}" for name, value in machine.items()))
    document = {
        "machine": machine,
        "plan": attrs.asdict(plan, value_serializer=lambda _, __, value: getattr(value, "value", value)),
        "figures": [figure.as_json() for figure in figures],
        "api": attrs.asdict(cost) if cost else None,
        "cluster": api.cluster(cost) if cost else None,
    }
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return int(any(figure.verdict == "missed" for figure in figures))


def _figures(plan: Plan, folder: Path, parts: Iterable[str]) -> Iterator[Figure]:
    for part in (each for each in PARTS if each in parts):
        began = time.monotonic()
        for figure in PARTS[part](plan, folder):
            print(f"  {figure.name}: {figure.value:.3g} {figure.unit}", file=sys.stderr, flush=True)
            yield figure
        print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _plan(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else FULL
    if options.sizes:
        plan = attrs.evolve(plan, sizes=tuple(sorted(map(int, options.sizes.split(",")))))
    for given in options.set:
        name, _, value = given.partition("=")
        plan = attrs.evolve(plan, **{name: type(getattr(plan, name))(value)})
    return plan


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--sizes", help="numbers of containers (10,100,1000)")
    parser.add_argument("--only", help=f"parts, of {', '.join(PARTS)} and api")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="of the plan")
    parser.add_argument("--json", type=Path, default=Path("cost.json"), help="file to write (cost.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
