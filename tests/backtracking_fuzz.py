"""Random expressions against `re` itself: what is not refused must be done soon, whatever the text.

    python tests/backtracking_fuzz.py --minutes 10 [--seed 1] [--doubling]

With ``--doubling`` it tries ten times as many, but only on texts that show what doubles with each letter.

Every run prints its seed, and what it found with the text that shows it. The matching is done by other
processes, which count the processor's time and not that of the clock: others may load the machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import attrs

from kube_log_watcher_backtracking import judge

PUMPS = ["".join(letters) for length in (1, 2, 3) for letters in itertools.product("ab", repeat=length)]
ENDINGS = ("", "!", "b", "a!")

DOUBLINGS = 60
"""Repetitions of a pump: where time doubles with each, or grows by a tenth only, this can't be waited for."""
SHORT_SECONDS = 4.0
"""Processor time for a text of `DOUBLINGS` pumps: the most that is not refused takes less than one."""
LONG_TEXT = 6000
LONG_SECONDS = 10.0
"""Where a text of that length takes longer, it is looked at how time grows."""
MOST_GROWTH = 6.0
"""With twice the length: by the square it is 4, by the cube 8."""


@attrs.frozen
class Found:
    """An expression that was not refused, and a text with which it takes too long."""

    expression: str
    text: str
    seconds: float


class Writer:
    """Writes random expressions: small ones, of all that Python's syntax has."""

    ATOMS = ("a", "b", "a", "b", "ab", ".", "[ab]", "[^b]", r"\w", r"\W", "c", "A")
    GROUPS = ("(", "(", "(?=", "(?!", "(?i:", "(?s:", "(?>")
    NOTHINGS = (r"\b", r"\B", "^", "$", "", "(?:|){30}", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)")
    TIMES = (
        "*",
        "+",
        "?",
        "*",
        "+",
        "{2}",
        "{1,3}",
        "{2,}",
        "{0,12}",
        "{3}",
        "{15}",
        "{4,9}",
        "{20}",
        "{0,40}",
    )

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._groups = 0

    def expression(self) -> str:
        """Return one that compiles."""
        while True:
            self._groups = 0
            text = self._expression(self._random.randint(1, 9)) + self._random.choice(
                ["", "", "x", "$", r"\b!"]
            )
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    re.compile(text)
            except (re.error, OverflowError):
                continue
            return text

    def _expression(self, leaves: int) -> str:
        if leaves <= 1:
            return self._leaf()
        kinds = (self._row, self._repeat, self._repeat, self._either, self._within, self._condition)
        return self._random.choice(kinds)(leaves)

    def _row(self, leaves: int) -> str:
        return "".join(self._halves(leaves))

    def _halves(self, leaves: int) -> tuple[str, str]:
        left = self._random.randint(1, max(1, leaves - 1))
        return self._expression(left), self._expression(max(leaves - left, 1))

    def _either(self, leaves: int) -> str:
        return "(?:{}|{})".format(*self._halves(leaves))

    def _repeat(self, leaves: int) -> str:
        opening = self._random.choice(("(", "(?:", "(?:"))
        self._groups += opening == "("
        inner = self._row(leaves - 1) if leaves > 2 else self._leaf()
        return f"{opening}{inner}){self._random.choice(self.TIMES)}{self._random.choice(['', '', '', '?'])}"

    def _within(self, leaves: int) -> str:
        opening = self._random.choice(self.GROUPS)
        self._groups += opening == "("
        return f"{opening}{self._row(leaves)})"

    def _condition(self, leaves: int) -> str:
        if not self._groups or self._random.randrange(2):
            return self._row(leaves)
        one, other = self._halves(leaves)
        return f"(?({self._random.randint(1, self._groups)}){one}|{other})"

    def _leaf(self) -> str:
        chance = self._random.randrange(10)
        if chance == 0:
            return self._random.choice(self.NOTHINGS)
        if chance == 1 and self._groups:
            return rf"\{self._random.randint(1, self._groups)}"
        return self._random.choice(self.ATOMS)


def short_texts(chance: random.Random) -> Iterator[str]:
    """Yield texts of many repetitions: all small pumps, each with a beginning and an end."""
    for pump in PUMPS:
        for ending in ENDINGS:
            yield chance.choice(["", "a", "b", "ab"]) + pump * DOUBLINGS + ending


def long_texts(chance: random.Random) -> Iterator[str]:
    """Yield some long texts."""
    for pump in chance.sample(PUMPS, 3):
        yield pump * (LONG_TEXT // len(pump)) + chance.choice(ENDINGS)


class Matcher:
    """Another process, which searches and gives up after some processor time."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _MATCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def slowest(self, expression: str, texts: Sequence[str], *, most_seconds: float) -> tuple[float, str]:
        """Return the most processor time that a text takes, and that text; the first one beyond ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([expression, texts, most_seconds]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, f"the matcher has ended with {self._process.wait()} at {expression!r}"
        seconds, text = json.loads(answer)
        return float(seconds), str(text)


_MATCHER = """
import json, re, signal, sys, time, warnings
warnings.simplefilter("ignore")
class TooLong(BaseException): pass
timed = False
def stop(*_):
    if timed: raise TooLong
signal.signal(signal.SIGVTALRM, stop)
for line in sys.stdin:
    expression, texts, most = json.loads(line)
    pattern, worst = re.compile(expression), (0.0, "")
    for text in texts:
        begin, least = time.process_time(), 0.0
        try:
            timed = True
            signal.setitimer(signal.ITIMER_VIRTUAL, most)
            pattern.sub("", text)
            timed = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        except TooLong:
            least = most
        worst = max(worst, (max(time.process_time() - begin, least), text))
        if worst[0] >= most:
            break
    print(json.dumps(worst), flush=True)
"""


@attrs.define
class Tally:
    """What a run has done."""

    tried: int = 0
    refused: int = 0
    slowest: Found = attrs.field(factory=lambda: Found("", "", 0.0))
    costliest: tuple[int, str] = (0, "")
    found: list[Found] = attrs.field(factory=list)

    def note(self, trial: Found, *, too_long: bool) -> None:
        """Keep what was slow, and what took too long."""
        self.slowest = max(self.slowest, trial, key=lambda found: found.seconds)
        if too_long:
            self.found.append(trial)


def run(
    seed: int, *, expressions: int | None = None, seconds: float | None = None, long: bool = True
) -> Tally:
    """Try so many expressions, or for so long; on ``long`` texts too, which show what grows with the cube."""
    writer, chance, tally = Writer(seed), random.Random(seed), Tally()
    until = None if seconds is None else time.monotonic() + seconds
    with Matcher() as matcher:
        while (expressions is None or tally.tried < expressions) and (
            until is None or time.monotonic() < until
        ):
            _try_one(writer.expression(), matcher, chance, tally, long=long)
    return tally


def _try_one(expression: str, matcher: Matcher, chance: random.Random, tally: Tally, *, long: bool) -> None:
    verdict = judge(expression)
    tally.tried += 1
    tally.costliest = max(tally.costliest, (verdict.steps, expression))
    if verdict.refusal is not None:
        tally.refused += 1
        return
    took, text = matcher.slowest(expression, list(short_texts(chance)), most_seconds=SHORT_SECONDS)
    tally.note(Found(expression, text, took), too_long=took >= SHORT_SECONDS)
    if not long:
        return
    took, text = matcher.slowest(expression, list(long_texts(chance)), most_seconds=LONG_SECONDS)
    too_long = took >= LONG_SECONDS and grows_too_fast(expression, text, matcher)
    tally.note(Found(expression, text, took), too_long=too_long)


def grows_too_fast(expression: str, text: str, matcher: Matcher) -> bool:
    """Whether time grows faster than with the square of the length: twice the text, six times the time."""
    took = LONG_SECONDS
    while took >= LONG_SECONDS:
        text = text[len(text) // 2 :]
        took, _ = matcher.slowest(expression, [text], most_seconds=LONG_SECONDS)
    half, _ = matcher.slowest(expression, [text[len(text) // 2 :]], most_seconds=LONG_SECONDS)
    return took > MOST_GROWTH * half


def main() -> int:
    """Run for some minutes, or until something is found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--doubling", action="store_true", help="short texts only")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    tally = run(arguments.seed, seconds=60 * arguments.minutes, long=not arguments.doubling)
    print(f"{tally.tried} expressions, {tally.refused} refused; costliest judgement: {tally.costliest}")
    print(f"slowest of the others: {tally.slowest.seconds:.1f} s for {tally.slowest.expression!r}")
    for found in tally.found:
        print(f"NOT REFUSED: {found.expression!r} takes {found.seconds:.1f} s on {found.text[:80]!r}...")
    return int(bool(tally.found))


if __name__ == "__main__":
    sys.exit(main())
