r"""Checks regular expressions and replacements as the Scalyr agent would run them.

A regular expression that doesn't compile makes the agent refuse its whole configuration, and a
replacement that doesn't expand stops the shipping of all logs: both are found here, for one container.
"""

from __future__ import annotations

import re
from typing import Any

from kube_log_watcher_backtracking import judge, parse, walk
from kube_log_watcher_scalyr.plain import is_plain

LONGEST_EXPRESSION = 2000
LONGEST_REPLACEMENT = 500
MOST_GROUPS = 100
"""Parentheses that an expression may open: the agent's interpreter must not run out of its stack."""

_HASH = r"\H"
_HASHED_GROUP = re.compile(r"\\H([0-9]*)")
_TEMPLATE = re.compile(r"(?:[^\\]|\\(?:[0-9\\abfnrtv]|g<(?:[0-9]+|[A-Za-z_][A-Za-z_0-9]*)>))*")
"""What every version of Python takes for a replacement."""


def compiled(text: object, *, member: str = "match_expression") -> re.Pattern[str]:
    """Compile an expression that the agent can use, whichever Python it runs on.

    Raises
    ------
    ValueError
        when it can't be used; the message tells why.
    """
    if not isinstance(text, str) or not text:
        raise ValueError(f"{member} must be text")
    if len(text) > LONGEST_EXPRESSION or text.count("(") > MOST_GROUPS:
        raise ValueError(f"{member} has more than {LONGEST_EXPRESSION} characters or {MOST_GROUPS} groups")
    if not is_plain(text):
        raise ValueError(f"{member} has characters beyond U+FFFF, write them as \\UXXXXXXXX")
    try:
        pattern = re.compile(text)
        operations = {str(part) for part in walk(parse(text)) if isinstance(part, int)}
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"{member} is no regular expression ({error})") from error
    if operations & {"ATOMIC_GROUP", "POSSESSIVE_REPEAT"} or "z" in re.findall(r"\\(.)", text):
        raise ValueError(f"{member} uses syntax that older versions of Python don't know")
    if reason := judge(text).refusal:
        raise ValueError(f"{member} is refused: {reason}")
    return pattern


def check_replacement(pattern: re.Pattern[str], text: object) -> None:
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
        _check_hashing(pattern, text)
        return
    try:
        if not _TEMPLATE.fullmatch(text):
            raise ValueError("bad escape")
        pattern.sub(text, "")
    except (re.error, IndexError, ValueError) as error:
        raise ValueError(f"replacement does not fit match_expression ({error})") from error


def _check_hashing(pattern: re.Pattern[str], text: str) -> None:
    numbers = _HASHED_GROUP.findall(text)
    if not all(number and 1 <= int(number) <= pattern.groups for number in numbers):
        raise ValueError("replacement hashes a group that match_expression does not have")
    # With \H, the agent puts all groups together itself, and fails on one that took no part in the match.
    if len(_certain_groups(parse(pattern.pattern))) != pattern.groups:
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
