r"""Checks regular expressions and replacements as the Scalyr agent would run them.

A regular expression that doesn't compile makes the agent refuse its whole configuration, and a
replacement that doesn't expand stops the shipping of all logs: both are found here, for one container.
To find it out takes time, and pods may ask for it as often as they like: what was found is remembered by the
expression's text, and each log has a budget, and so has each sync.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, Final

import attrs

from kube_log_watcher_backtracking import judge, parse, walk
from kube_log_watcher_scalyr.plain import is_plain

LONGEST_EXPRESSION = 2000
LONGEST_REPLACEMENT = 500
MOST_GROUPS = 100
"""Parentheses that an expression may open: the agent's interpreter must not run out of its stack."""

MOST_STEPS_FOR_A_LOG: Final = 1_000_000
"""Steps of `judge` that one log's expressions may take together, about half a second: a hundred ordinary
ones take some of it, and nine that are written to take long all of it."""
MOST_STEPS_IN_A_SYNC: Final = 2_000_000
"""Steps that all logs' new expressions may take before others' changes are written."""
STEPS_FOR_A_CHARACTER: Final = 7
"""What it takes to compile an expression, and to look at its syntax."""
MOST_REMEMBERED: Final = 2_500_000
"""Bytes, roughly, of expressions that are remembered: a thousand of the longest."""
REMEMBERED_WITH_EACH: Final = 500
"""Bytes, roughly, that are remembered of each besides its text."""

BEYOND_BUDGET: Final = (
    "all expressions of this log together take too long to check, use fewer, shorter or simpler ones"
)

_HASH = r"\H"
_HASHED_GROUP = re.compile(r"\\H([0-9]*)")
_TEMPLATE = re.compile(r"(?:[^\\]|\\(?:[0-9\\abfnrtv]|g<(?:[0-9]+|[A-Za-z_][A-Za-z_0-9]*)>))*")
"""What every version of Python takes for a replacement."""


class NotYetError(Exception):
    """An expression is to be checked in a later sync: this one has taken long enough."""


@attrs.frozen
class Expression:
    """What is known of an expression that can be used."""

    text: str
    groups: tuple[str, ...]
    """The names of its groups in order, empty for those without one."""
    certain: bool
    """Whether all groups take part in every match."""


@attrs.frozen
class _Verdict:
    steps: int
    expression: Expression | None = None
    reason: str = ""
    """Why it can't be used."""


class Expressions:
    """Checks expressions, each text once; those that were not asked for the longest are forgotten in the end.

    Parameters
    ----------
    for_a_log, in_a_sync
        how many steps may be taken for all expressions of a log, whether they are known already or not, and
        for all that are new in a sync
    remembered
        bytes, roughly, of expressions that are remembered
    """

    def __init__(
        self,
        *,
        for_a_log: int = MOST_STEPS_FOR_A_LOG,
        in_a_sync: int = MOST_STEPS_IN_A_SYNC,
        remembered: int = MOST_REMEMBERED,
    ) -> None:
        self._for_a_log = self._left_for_log = for_a_log
        self._in_a_sync = self._left_in_sync = in_a_sync
        self._most_remembered = remembered
        self._verdicts: OrderedDict[str, _Verdict] = OrderedDict()
        self._remembered = 0
        self.judged = 0
        """How many verdicts were found so far, rather than remembered."""

    def begin_sync(self) -> None:
        """Give the next sync its whole budget."""
        self._left_in_sync = self._in_a_sync

    def begin_log(self) -> None:
        """Give the next log its whole budget."""
        self._left_for_log = self._for_a_log

    def checked(self, text: object, *, member: str = "match_expression") -> Expression:
        """Return what is known of an expression that the agent can use, whichever Python it runs on.

        Raises
        ------
        ValueError
            when it can't be used; the message tells why.
        NotYetError
            when the sync has no time left to find it out.
        """
        if not isinstance(text, str) or not text:
            raise ValueError(f"{member} must be text")
        if len(text) > LONGEST_EXPRESSION or text.count("(") > MOST_GROUPS:
            raise ValueError(
                f"{member} has more than {LONGEST_EXPRESSION} characters or {MOST_GROUPS} groups"
            )
        if not is_plain(text):
            raise ValueError(f"{member} has characters beyond U+FFFF, write them as \\UXXXXXXXX")
        if self._left_for_log >= 0:
            verdict = self._verdict(text)
            self._left_for_log -= verdict.steps
        if self._left_for_log < 0:
            raise ValueError(f"{member} is refused: {BEYOND_BUDGET}")
        if verdict.expression is None:
            raise ValueError(f"{member} {verdict.reason}")
        return verdict.expression

    def _verdict(self, text: str) -> _Verdict:
        known = self._verdicts.get(text)
        if known is not None:
            self._verdicts.move_to_end(text)
            return known
        if self._left_in_sync <= 0:
            raise NotYetError
        verdict = _judged(text)
        self.judged += 1
        self._left_in_sync -= verdict.steps
        self._verdicts[text] = verdict
        self._remembered += len(text) + REMEMBERED_WITH_EACH
        while self._remembered > self._most_remembered:
            forgotten, _ = self._verdicts.popitem(last=False)
            self._remembered -= len(forgotten) + REMEMBERED_WITH_EACH
        return verdict


def _judged(text: str) -> _Verdict:
    steps = STEPS_FOR_A_CHARACTER * len(text)
    try:
        pattern = re.compile(text)
        tree = parse(text)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        return _Verdict(steps, reason=f"is no regular expression ({error})")
    operations = {str(part) for part in walk(tree) if isinstance(part, int)}
    if operations & {"ATOMIC_GROUP", "POSSESSIVE_REPEAT"} or "z" in re.findall(r"\\(.)", text):
        return _Verdict(steps, reason="uses syntax that older versions of Python don't know")
    verdict = judge(text)
    steps += verdict.steps
    if verdict.refusal is not None:
        return _Verdict(steps, reason=f"is refused: {verdict.refusal}")
    names = {number: name for name, number in pattern.groupindex.items()}
    groups = tuple(names.get(number, "") for number in range(1, pattern.groups + 1))
    return _Verdict(steps, Expression(text, groups, len(_certain_groups(tree)) == len(groups)))


def check_replacement(expression: Expression, text: object) -> None:
    r"""See whether a replacement can be expanded for every match; ``\H<n>`` stands for a hash of group n.

    Raises
    ------
    ValueError
        when it can't; the message tells why.
    """
    if not isinstance(text, str) or len(text) > LONGEST_REPLACEMENT or not is_plain(text):
        raise ValueError(
            f"replacement must be text of up to {LONGEST_REPLACEMENT} characters, none beyond U+FFFF"
        )
    if _HASH in text:
        _check_hashing(expression, text)
        return
    try:
        if not _TEMPLATE.fullmatch(text):
            raise ValueError("bad escape")
        if "\\" in text:
            # An expression with the same groups, and nothing else.
            groups = (f"(?P<{name}>)" if name else "()" for name in expression.groups)
            re.sub("".join(groups), text, "")
    except (re.error, IndexError, ValueError) as error:
        raise ValueError(f"replacement does not fit match_expression ({error})") from error


def _check_hashing(expression: Expression, text: str) -> None:
    numbers = _HASHED_GROUP.findall(text)
    if not all(number and 1 <= int(number) <= len(expression.groups) for number in numbers):
        raise ValueError("replacement hashes a group that match_expression does not have")
    # With \H, the agent puts all groups together itself, and fails on one that took no part in the match.
    if not expression.certain:
        raise ValueError("replacement hashes, but some group of match_expression can be left out of a match")


def _certain_groups(tree: Any) -> set[int]:
    """Find the groups that take part in every match."""
    certain: set[int] = set()
    for operation, value in tree:
        name = str(operation)
        if name == "SUBPATTERN":
            certain |= _certain_groups(value[-1]) | ({value[0]} if value[0] else set())
        elif name == "BRANCH":
            certain |= set.intersection(*(_certain_groups(branch) for branch in value[1]))
        elif name in {"MAX_REPEAT", "MIN_REPEAT"} and value[0] > 0:
            certain |= _certain_groups(value[2])
        elif name == "ASSERT":
            certain |= _certain_groups(value[1])
    return certain
