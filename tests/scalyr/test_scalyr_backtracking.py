"""Which expressions are refused because they could take ages."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kube_log_watcher_scalyr.backtracking import AMBIGUOUS, COMPLICATED, CROWDED, danger
from kube_log_watcher_scalyr.rules import JWT_RULE, line_groupers, redaction_rules, sampling_rules

DOUBLING = [
    r"(a+)+",
    r"(a+)+$",
    r"(a|a)*",
    r"(.*)*",
    r"(a*)*b",
    r"(.|\w)*x",
    r"(a|aa)+$",
    r"(\w+\s?)*$",
    r"(\s*\w+\s*)+:",
    r'(?:\\.|[^"])*"',
    r"(a?b?)*c",
    r"(?:(?:ab)?)+(?:(?:ab)?)+x(?:(?:a?)+)+",
    r"([a-zA-Z]+)*1",
    r"^(\d+)+$",
    r"(x+x+)+y",
    r"([\w.-]+)+@",
    r"(\d{1,3})*x",
    r"(?:\w{1,10} ?){5,}x",
    r"(?:\d{1,3} ?){5}x",
    r"(?:.*,){5}x",
    r"(.*a){20}",
    r"(?:a?){20,}b",
    r"(?:.|a){15}x",
    r"(?:(?:(?:.|a){3}){3}){3}x",
    r"(?i:(a|A)+)+x",
    r"(?s:(.|\n)*)x",
    r"(?=(a+)+$)x",
    r"(?!(?:\w+\s?)*:)x",
    r"(a)?(?(1)(b+)+|c)x",
    r"(\u00e9+)+\u4e2d",
    r"([^\W\d]|\w)+!",
]
CROWDS = [
    r".*.*.*=",
    r"\s*\s*\s*;",
    r"^.*.*.*.*x",
    r"\w*\d*\w*\d*x",
    r".*a.*b.*c.*d",
    r"[a-z]{0,100}[a-z]{0,100}[a-z]{0,100}=",
    "a?" * 20 + "a" * 20,
    r"(a?){30}b",
]
ORDINARY = [
    r"card=\d+",
    r"secret",
    r"\b(?:\d[ -]*?){13,16}\b",
    r"(?:\d{4}[- ]?){3}\d{4}",
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
    r"(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}",
    r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}",
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
    r"\b[0-9A-Fa-f]{32,64}\b",
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    r"email=([^&\s]+)(&|$)",
    r"(?i)password\s*[=:]\s*\S+",
    r"(?i)(authorization:\s*bearer\s+)[a-z0-9._~+/-]+=*",
    r"""(?i)["']?(?:api[_-]?key|secret|token)["']?\s*[:=]\s*["']?([^"'\s,}]+)["']?""",
    r'"(?:[^"\\]|\\.)*"',
    r'"password"\s*:\s*"(?:[^"\\]|\\.)*"',
    str(JWT_RULE["match_expression"]),
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    r"AKIA[0-9A-Z]{16}",
    r"(?<![A-Z0-9])[A-Z0-9]{20}(?![A-Z0-9])",
    r"[a-z][a-z0-9+.-]*://[^:/\s]+:[^@/\s]+@",
    r"(?:\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}",
    r"\d{3}-\d{2}-\d{4}",
    r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?",
    r"-----BEGIN [A-Z ]+ KEY-----(?:.|\n)*?-----END [A-Z ]+ KEY-----",
    r"<password>.*?</password>",
    r"(?i)(set-cookie: )[^;]*(;.*)?",
    r".*password.*",
    r".*user=.*password=(\S+)",
    r"^\[\d+\]\s+.*\s+password=",
    r'^(\S+) (\S+) (\S+) \[([^\]]+)\] "(\S+) (\S+) (\S+)" (\d+) (\d+|-)',
    r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?\s+(?:INFO|DEBUG)",
    r"GET /health.* 200",
    r"^\s*at .+\(.+\)$",
    r"(foo|bar)=(a+){2}(?=(c))",
    r"(?:(?!secret).)*secret",
    r"((?:\w+\.)*\w+)Exception",
    r"(\d+\.)+\d+",
    r"(?:\w+,)*\w+;",
    r"(a|b)+c",
    r"(\w)\1+",
    r"(?P<q>['\"])(?:(?!(?P=q)).)*(?P=q)",
    "|".join(f"word{number}" for number in range(200)),
    "(" * 100 + "a" + ")" * 100,
]


@pytest.mark.parametrize("text", DOUBLING)
def test_a_repeat_that_matches_one_text_in_several_ways_is_refused(text: str) -> None:
    assert danger(text) == AMBIGUOUS


@pytest.mark.parametrize("text", CROWDS)
def test_many_repeats_that_can_match_each_others_text_are_refused(text: str) -> None:
    assert danger(text) in {CROWDED, AMBIGUOUS, COMPLICATED}


@pytest.mark.parametrize("text", ORDINARY)
def test_what_logs_are_ordinarily_redacted_by_is_taken(text: str) -> None:
    assert danger(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "(?:" * 99 + "a" + "|b)*" * 99,
        "(?:" + "|".join(f"ab{number}" for number in range(300)) + ")*x",
        ".*" * 900,
        "a?" * 900,
        "(?:a?" * 90 + ")*" * 90,
        "(?:.{199}|b)*" * 9,
        "[" + "".join(chr(300 + number * 7) for number in range(1900)) + "]*",
        "(?:.*a|" * 90 + "b" + ")" * 90,
    ],
    ids=range(8),
)
def test_no_expression_keeps_the_watcher_busy(text: str) -> None:
    start = time.process_time()
    assert danger(text) is not None
    assert time.process_time() - start < 2


def test_every_kind_of_rule_is_checked() -> None:
    bad = "(a+)+$"
    assert not sampling_rules([{"match_expression": bad, "sampling_rate": 1}]).rules
    assert not redaction_rules([{"match_expression": bad}]).rules
    for start, end in ((bad, "x"), ("x", bad)):
        checked = line_groupers([{"start": start, "haltBefore": end}])
        assert checked.rules == ()
        assert "can take ages" in checked.reasons[0]


ATOM = st.sampled_from(["a", "b", "ab", ".", "[ab]", "[^b]", r"\w", "c"])
TIMES = ["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "{3}", "{0,12}", "{15}", "{4,9}"]
EXPRESSION = st.recursive(
    ATOM,
    lambda inner: (
        st.tuples(inner, inner).map("".join)
        | st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})")
        | st.tuples(inner, st.sampled_from(TIMES)).map(lambda two: f"(?:{two[0]}){two[1]}")
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(start=EXPRESSION, end=st.sampled_from(["", "x", "$", r"\b!"]))
def test_what_is_taken_fails_soon_on_texts_that_repeat(start: str, end: str) -> None:
    """Where it isn't caught, this takes longer than anybody would wait."""
    if danger(start + end) is None:
        pattern = re.compile(start + end)
        begin = time.process_time()
        for text in ("a" * 50, "ab" * 25, "aab" * 17, "b" * 50, "a" * 30 + "b" * 20):
            pattern.search(text + "!")
        assert time.process_time() - begin < 20
