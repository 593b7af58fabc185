"""Run the fuzz: ``python -m benchmarks.fuzz --minutes 30``; ``--seed 7`` runs one seed again."""

from __future__ import annotations

import argparse
import itertools
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.fuzz.session import EPISODES, Outcome, Session
from kube_log_watcher_core import Layout


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds until the time is over or one fails; 1 when one did."""
    options = _parser().parse_args(arguments)
    layouts = [Layout(name) for name in options.layout.split(",")]
    root = options.folder or Path(tempfile.mkdtemp(prefix="klw-fuzz-"))
    first = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    # One seed alone is run to its end; else there is a time.
    minutes = options.minutes if options.minutes is not None else (0.0 if options.seed is not None else 1.0)
    until = time.monotonic() + 60.0 * minutes
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(len(layouts)) as pool:
        for lane in [pool.submit(_lane, layout, first, until, root, options) for layout in layouts]:
            outcomes += lane.result()
    failed = [outcome for outcome in outcomes if outcome.faults]
    print(
        f"{sum(each.episodes for each in outcomes)} episodes, {sum(each.steps for each in outcomes)} things "
        f"that happened, {sum(each.looks for each in outcomes)} looks, {len(failed)} sessions with faults"
    )
    if not failed and options.folder is None:
        shutil.rmtree(root)
    return 1 if failed else 0


def _lane(layout: Layout, first: int, until: float, root: Path, options: argparse.Namespace) -> list[Outcome]:
    """Run one seed after the other on one layout."""
    outcomes = []
    for seed in _seeds(first, until):
        folder = root / f"{layout.value}-{seed}"
        outcome = Session(seed, layout, folder, peaceful=options.peaceful).run(options.episodes)
        outcomes.append(outcome)
        print(report(outcome), flush=True)
        if outcome.faults:
            _keep(outcome)
            if not options.go_on:
                break
        else:
            shutil.rmtree(folder)
    return outcomes


def _seeds(first: int, until: float) -> Iterator[int]:
    for seed in itertools.count(first):
        yield seed
        if time.monotonic() > until:
            return


def report(outcome: Outcome) -> str:
    """Tell in some lines what came of a session."""
    name = f"--seed {outcome.seed} --layout {outcome.layout.value}"
    if not outcome.faults:
        return f"{name}: {outcome.episodes} episodes, {outcome.steps} things, {outcome.looks} looks: true"
    last = outcome.happened[-25:]
    told = "\n".join(
        [
            f"{name}: FAULTS",
            *(f"  {fault}" for fault in outcome.faults),
            f"  after (all of it is in {outcome.folder}):",
            *(f"    {each}" for each in last),
        ]
    )
    # Paths are long, and the longest names are nothing but long.
    return re.sub("x{20,}", "x...", told.replace(f"{outcome.folder}/", ""))


def _keep(outcome: Outcome) -> None:
    """Write down all that is needed to understand a fault."""
    (outcome.folder / "happened.txt").write_text("\n".join(outcome.happened) + "\n")
    (outcome.folder / "faults.txt").write_text("\n".join(outcome.faults) + "\n")
    (outcome.folder / "watcher.log").write_text(outcome.log)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; alone, only this one is run (by chance)")
    parser.add_argument("--minutes", type=float, help="begin new sessions for so long (1)")
    parser.add_argument("--layout", default="docker,cri", help="docker, cri, or both at a time (docker,cri)")
    parser.add_argument("--episodes", type=int, default=EPISODES, help=f"episodes of each seed ({EPISODES})")
    parser.add_argument("--peaceful", action="store_true", help="let no stranger do anything")
    parser.add_argument("--go-on", action="store_true", help="go on after a seed that failed")
    parser.add_argument("--folder", type=Path, help="for all files; else a temporary one, kept after a fault")
    return parser


if __name__ == "__main__":
    sys.exit(main())
