"""The verdict on an expression: whether `re` is soon done with it, whatever the text."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import attrs

from kube_log_watcher_backtracking.cost import Search, cost, doubles
from kube_log_watcher_backtracking.drawing import draw
from kube_log_watcher_backtracking.graphs import Steps, TooComplicatedError
from kube_log_watcher_backtracking.parsing import parse

LONGEST_TEXT: Final = 50_000
"""Characters."""
MOST_STEPS: Final = 100_000
"""A step of a judgement is a third of a microsecond."""
MOST_WORK: Final = 4 * LONGEST_TEXT**2
"""Places times ways to get there, in a search: what repeats over the whole text take, two at a time, and
some more for parts that are optional or bounded."""

DOUBLING: Final = (
    "a repeat in it can match one text in several ways, which can take ages: their number doubles with every "
    "few characters"
)
CROWDED: Final = (
    "several parts of it can match each other's text, which can take ages with a long line: begin it with ^, "
    "give repeats a bound such as {0,50}, or say what they stop at, such as [^,]*"
)
COMPLICATED: Final = "it is too complicated to tell whether it can take ages"


@attrs.frozen
class Verdict:
    """What was found about one expression."""

    refusal: str | None
    """Why it could take ages, for people; None: it can't."""
    steps: int
    """What it took to find that out."""


def judge(
    expression: str, flags: int = 0, *, longest_text: int = LONGEST_TEXT, most_steps: int = MOST_STEPS
) -> Verdict:
    """Return whether `re` is soon done with an expression, whatever the text, and what it took to tell.

    Parameters
    ----------
    expression
        One that compiles.
    flags
        Those of `re.compile`.
    longest_text
        Characters of the longest text that it is searched in.
    most_steps
        What can't be told within so many steps is refused.

    Raises
    ------
    re.error, ValueError, OverflowError
        where `re.compile` does.
    """
    steps = Steps(most_steps)
    try:
        tree = parse(expression, flags)
        refusal = _refusal(tree, longest_text, steps)
    except (TooComplicatedError, RecursionError):
        refusal = COMPLICATED
    return Verdict(refusal, steps.taken)


def _refusal(tree: Any, longest_text: int, steps: Steps) -> str | None:
    flags: int = tree.state.flags
    automaton = draw(tree, flags, steps)
    if doubles(automaton):
        return DOUBLING
    search = Search.with_(automaton, anywhere=not _is_anchored(tree, flags))
    return CROWDED if cost(search, longest_text) > math.log2(MOST_WORK) else None


def _is_anchored(tree: Any, flags: int) -> bool:
    """Whether an expression can only match from the start of a text."""
    if not tree:
        return False
    operation, value = tree[0]
    if str(operation) == "SUBPATTERN":
        return _is_anchored(value[-1], flags)
    if str(operation) != "AT":
        return False
    return str(value) == "AT_BEGINNING_STRING" or (str(value) == "AT_BEGINNING" and not flags & re.MULTILINE)
