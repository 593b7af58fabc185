"""Rules for sampling, for redaction and for grouping lines: what may be handed on to the Scalyr agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from kube_log_watcher_scalyr.expressions import Expressions, check_replacement
from kube_log_watcher_scalyr.plain import is_plain, shortened

Rule = Mapping[str, object]

GROUPINGS = ("continueThrough", "continuePast", "haltBefore", "haltWith")
"""Members of a line grouper of which it has exactly one."""

MOST_RULES = 100
LONGEST_SALT = 200

JWT_RULE: Rule = {
    "match_expression": r"eyJ[a-zA-Z0-9/+_=-]{5,}\.eyJ[a-zA-Z0-9/+_=-]{5,}\.[a-zA-Z0-9/+_=-]{5,}",
    "replacement": "+++JWT_TOKEN_REDACTED+++",
}
"""Keeps JSON Web Tokens out of every log."""


@attrs.frozen
class Checked:
    """The rules that can be used, and what is wrong with the others."""

    rules: tuple[Rule, ...] = ()
    reasons: tuple[str, ...] = ()


def sampling_rules(entries: object, expressions: Expressions) -> Checked:
    """Sort out a list of sampling rules."""
    return _checked(entries, expressions, _sampling_rule)


def redaction_rules(entries: object, expressions: Expressions) -> Checked:
    """Sort out a list of redaction rules."""
    return _checked(entries, expressions, _redaction_rule)


def line_groupers(entries: object, expressions: Expressions) -> Checked:
    """Sort out a list of line groupers."""
    return _checked(entries, expressions, _line_grouper)


def _checked(
    entries: object, expressions: Expressions, check: Callable[[Mapping[str, object], Expressions], Rule]
) -> Checked:
    if not isinstance(entries, list):
        return Checked(reasons=(f"expected a list of rules, found {shortened(entries)}",))
    rules: list[Rule] = []
    reasons: list[str] = []
    for index, entry in enumerate(entries[:MOST_RULES]):
        try:
            if not isinstance(entry, Mapping):
                raise ValueError(f"expected an object, found {shortened(entry)}")
            rules.append(check(entry, expressions))
        except ValueError as error:
            reasons.append(f"rule {index} is left out: {error}")
    if len(entries) > MOST_RULES:
        reasons.append(f"only the first {MOST_RULES} rules count")
    return Checked(rules=tuple(rules), reasons=tuple(reasons))


def _sampling_rule(entry: Mapping[str, object], expressions: Expressions) -> Rule:
    expression = expressions.checked(entry.get("match_expression")).text
    rate = entry.get("sampling_rate")
    if not _is_rate(rate):
        raise ValueError(f"sampling_rate must be a number from 0 to 1, it is {shortened(rate)}")
    return {"match_expression": expression, "sampling_rate": rate}


def _is_rate(rate: object) -> bool:
    """Whether the agent takes a value for a share: a number, or a text that is one."""
    if isinstance(rate, str) and len(rate) <= 30 and rate.isascii():
        try:
            rate = float(rate)
        except ValueError:
            return False
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        return False
    return 0 <= rate <= 1


def _redaction_rule(entry: Mapping[str, object], expressions: Expressions) -> Rule:
    expression = expressions.checked(entry.get("match_expression"))
    rule: dict[str, object] = {"match_expression": expression.text}
    replacement = entry.get("replacement")
    if replacement is not None:
        check_replacement(expression, replacement)
        rule["replacement"] = replacement
    salt = entry.get("hash_salt")
    if salt is not None:
        if not isinstance(salt, str) or len(salt) > LONGEST_SALT or not is_plain(salt):
            raise ValueError(f"hash_salt must be text of up to {LONGEST_SALT} characters")
        rule["hash_salt"] = salt
    return rule


def _line_grouper(entry: Mapping[str, object], expressions: Expressions) -> Rule:
    """Check the expressions that the agent compiles only after it has taken the configuration."""
    given = [name for name in GROUPINGS if entry.get(name) is not None]
    if len(given) != 1:
        raise ValueError(
            f"expected exactly one of {', '.join(GROUPINGS)}, found {' and '.join(given) or 'none'}"
        )
    return {name: expressions.checked(entry.get(name), member=name).text for name in ("start", *given)}
