"""One pod's rules don't keep others waiting: what is found is remembered, and there is a budget."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import LogTarget
from kube_log_watcher_scalyr import ScalyrAgent
from kube_log_watcher_scalyr.expressions import (
    MOST_STEPS_FOR_A_LOG,
    MOST_STEPS_IN_A_SYNC,
    Expressions,
    NotYetError,
)
from kube_log_watcher_scalyr.rules import redaction_rules
from scalyr_support import LINE_GROUPERS, REDACTION, SAMPLING, a_target, an_agent, container_id, written

LONG = 2000
"""Characters of the longest rule that is legal."""
TENTH = LONG // 10
"""Such a rule takes a tenth of the steps. Who waits for whom is seen as well with these and small budgets."""


def slow_rule(number: int, *, length: int = LONG) -> str:
    """Make a rule that takes as long to judge as can be; by default it is as long as can be, too."""
    start = f"rule{number}x"
    return start + "x" * (length - len(start))


def long_rule(number: int, *, length: int = LONG) -> str:
    """Make a good rule; by default it is as long as can be."""
    return "".join(random.Random(number).choices(string.ascii_letters, k=length))  # noqa: S311 - no secret


def agent_with_small_budgets(folder: Path, **others: Any) -> ScalyrAgent:
    agent = an_agent(folder, **others)
    agent._expressions = Expressions(
        for_a_log=MOST_STEPS_FOR_A_LOG // 10, in_a_sync=MOST_STEPS_IN_A_SYNC // 10
    )
    return agent


def with_rules(number: int, *expressions: str, annotation: str = REDACTION) -> LogTarget:
    rules = [{"match_expression": text, "sampling_rate": 1} for text in expressions]
    return a_target(number, pod=f"pod-{number}", annotations={annotation: json.dumps(rules)})


def shipped(agent: ScalyrAgent) -> set[str]:
    return {entry["attributes"]["container_id"] for entry in written(agent)["logs"]}


def ids(*numbers: int) -> set[str]:
    return {container_id(number) for number in numbers}


def judged_by(agent: ScalyrAgent) -> int:
    return agent._expressions.judged


def sync_until_all_are_checked(agent: ScalyrAgent, targets: Sequence[LogTarget]) -> int:
    """Sync until no log waits any more, and return how often that took."""
    for count in range(1, 1000):
        if agent.sync(targets) is None:
            return count
    raise AssertionError("they wait for ever")


def test_a_verdict_is_remembered_by_the_expressions_text(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([with_rules(1, "card=[0-9]+", "secret")])
    agent.sync([with_rules(1, "secret", "card=[0-9]+", "iban"), with_rules(2, "iban")])
    agent.sync([with_rules(3, "iban", annotation=SAMPLING)])
    assert judged_by(agent) == 3


def test_a_bad_expression_is_remembered_too(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    for number in range(1, 10):
        agent.sync([with_rules(number, "(a+)+b", "(")])
    assert judged_by(agent) == 2


def test_what_is_remembered_has_a_bound() -> None:
    expressions = Expressions(for_a_log=10**9, in_a_sync=10**9, remembered=20_000)
    for number in range(100):
        expressions.checked(f"a{number}")
    assert expressions._remembered <= 20_000
    assert len(expressions._verdicts) < 40
    expressions.checked("a99")
    assert expressions.judged == 100
    expressions.checked("a1")
    assert expressions.judged == 101


def test_a_log_with_more_than_its_budget_is_held_and_others_are_shipped(
    tmp_path: Path,
) -> None:
    """It was seen: 100 legal rules of 2,000 characters, 5 s in the agent's thread for each change of them."""
    agent = an_agent(tmp_path)
    hostile = with_rules(1, *map(slow_rule, range(100)))
    agent.sync([hostile, with_rules(2, "secret")])
    assert shipped(agent) == ids(2)
    assert judged_by(agent) < 20
    (objection,) = map(str, agent.objections())
    assert "pod default/pod-1, container main" in objection
    assert "take too long to check" in objection
    assert "the log is not shipped until this is mended" in objection


def test_rules_beyond_the_budget_are_left_out_where_that_harms_nobody(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([with_rules(1, *map(long_rule, range(100)), annotation=SAMPLING)])
    assert shipped(agent) == ids(1)
    assert 5 < len(written(agent)["logs"][0]["sampling_rules"]) < 50


def test_a_hundred_ordinary_rules_are_within_the_budget(tmp_path: Path) -> None:
    ordinary = [rf'"field{number}"\s*:\s*"(?:[^"\\]|\\.)*"' for number in range(50)]
    ordinary += [rf"(?i)key{number}[\w.-]{{0,20}}\s*[=:]\s*['\"]?([\w.+/-]{{16,64}})" for number in range(50)]
    agent = an_agent(tmp_path)
    agent.sync([with_rules(1, *ordinary)])
    assert len(written(agent)["logs"][0]["redaction_rules"]) == 101


def test_others_go_first_and_who_asks_for_much_gets_it_later(tmp_path: Path) -> None:
    agent = agent_with_small_budgets(tmp_path)
    demanding = [
        with_rules(number, *(long_rule(5 * number + more, length=TENTH) for more in range(5)))
        for number in range(1, 13)
    ]
    modest = [with_rules(number, f"secret-{number}") for number in range(21, 31)]
    agent.sync([*demanding, *modest])
    assert shipped(agent) >= ids(*range(21, 31))
    assert len(shipped(agent)) < 22
    assert any("container main, rules: to check them takes long" in str(it) for it in agent.objections())
    assert any("not shipped until they are checked" in str(it) for it in agent.objections())
    sync_until_all_are_checked(agent, [*demanding, *modest])
    assert shipped(agent) == ids(*range(1, 13), *range(21, 31))
    assert judged_by(agent) == 12 * 5 + 10


def test_no_log_waits_for_ever_for_those_that_ask_for_less(tmp_path: Path) -> None:
    agent = agent_with_small_budgets(tmp_path)
    patient = with_rules(1, *(long_rule(more, length=TENTH) for more in range(4)))
    for turn in range(50):
        crowd = [with_rules(2 + number, slow_rule(100 * turn + number, length=TENTH)) for number in range(40)]
        agent.sync([patient, *crowd])
        if patient not in agent._waiting:
            break
    assert container_id(1) in shipped(agent)


def test_a_log_that_waits_is_never_shipped_without_its_redaction(tmp_path: Path) -> None:
    agent = agent_with_small_budgets(tmp_path, bad_redaction="ship")
    crowd = [with_rules(number, slow_rule(number, length=TENTH)) for number in range(1, 40)]
    for _ in range(3):
        agent.sync(crowd)
        for entry in written(agent)["logs"]:
            assert int(entry["attributes"]["container_id"], 16) not in {
                int(target.id, 16) for target in agent._waiting
            }


def test_all_rules_of_a_log_count_together() -> None:
    expressions = Expressions(for_a_log=250_000)
    expressions.begin_log()
    checked = redaction_rules([{"match_expression": long_rule(number)} for number in range(20)], expressions)
    assert len(checked.rules) in range(2, 6)
    assert len(checked.reasons) == 20 - len(checked.rules)
    assert all("take too long to check" in reason for reason in checked.reasons)
    assert expressions.judged <= len(checked.rules) + 1
    expressions.begin_log()
    assert expressions.checked("x").text == "x"


def test_what_a_sync_has_no_time_for_is_known_later() -> None:
    expressions = Expressions(in_a_sync=1)
    expressions.begin_sync()
    expressions.checked("one")
    with pytest.raises(NotYetError):
        expressions.checked("two")
    expressions.begin_sync()
    assert expressions.checked("two").text == "two"
    assert expressions.judged == 2


def test_groupers_count_like_other_rules(tmp_path: Path) -> None:
    groupers = [{"start": slow_rule(number), "haltBefore": slow_rule(1000 + number)} for number in range(20)]
    agent = an_agent(tmp_path)
    agent.sync([a_target(annotations={LINE_GROUPERS: json.dumps(groupers)})])
    assert judged_by(agent) < 20
