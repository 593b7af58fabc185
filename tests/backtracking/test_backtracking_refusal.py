"""Which expressions are refused because `re` could take ages with them."""

from __future__ import annotations

import re

import pytest

from backtracking_fuzz import DOUBLINGS, PUMPS, Matcher, Writer, grows_too_fast, run
from fuzz_support import factor
from kube_log_watcher_backtracking import COMPLICATED, CROWDED, DOUBLING, judge

REPEATS = [
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
    r"(?:a?){20,}b",
    r"(?i:(a|A)+)+x",
    r"(?s:(.|\n)*)x",
    r"(?=(a+)+$)x",
    r"(?!(?:\w+\s?)*:)x",
    r"(a)?(?(1)(b+)+|c)x",
    r"(\u00e9+)+\u4e2d",
    r"([^\W\d]|\w)+!",
    # A repeat of what matches nothing is more than one way to match nothing.
    r"(?:(?=a)+a)+b",
    r"(?:(?=a)*a)+b",
    r"(?:(?:a?)+b)+c",
    r"(?:(?:\s*)?,)*;",
    r"(?:(?:|)a)+b",
    r"(?:(?:\b)*a)+b",
    # Flags hold where they stand.
    r"(?i:x)?(?:[^a]|A)+b",
    r"(?i)(?:(?-i:[^a])|A)+b",
    r"(?a:\W|\u00e9b?)+x",
    r"(?:(?s:.)|\nb?)+x",
    # A back-reference is its group once more.
    r"(a*)(?:\1|a)+b",
    r"(a+)(?:\1?)+b",
    r"(?i:(k))(?:\1|K)+b",
    # Atomic groups and possessive repeats count as ordinary ones.
    r"(?:(?>a|ab)b?)+c",
    r"(?:a++|a)+b",
    # Realistic: a blank is one of \s and one of the value.
    r"(?i)VALUES\s*\((?:'[^']*'|[^,()']+)(?:,\s*(?:'[^']*'|[^,()']+))*\)",
]
CROWDS = [
    r".*.*=",
    r".*.*.*=",
    r"^.*.*.*=",
    r"^.*.*.*.*x",
    r"\s*\s*;",
    r"\w*\d*\w*\d*x",
    r".*a.*b.*c.*d",
    r"[a-z]{0,100}[a-z]{0,100}[a-z]{0,100}=",
    r"(?:.*,){5}x",
    r"(.*a){20}",
    r"(?:.*a.*b|c)=",
    # All of it can be left out, but only after it was tried.
    r"(?:a*a*a*b)?",
    r"x(?:a*a*a*b)?",
    # What is looked for is looked for at every place.
    r"(?:(?!.*.*=).)*y",
    r"(?:(?=.*=).)*y",
    r"(?<!\w)\w*\w*(?!\w)x",
    # A back-reference can be as long as its group.
    r"(.*),\1,(.*)=",
    # Written out, without a repeat.
    "a?" * 20 + "a" * 20,
    "(?:.|a){3}" * 9,
    "(?:.|a)(?:a|.)" * 12 + "x",
    "(?:|)" * 30 + "x",
    "(?:a|ab)(?:bc|c)?" * 25 + "x",
    # Bounded repeats, in whose places the letters between them repeat as well.
    r"(?:(?:[ab]){1,3}a){16}\b!",
    r"(?:\wb\w{1,3}?){14}x",
    r"(?:b.\w{4,9}){4,9}[^b]ab$",
    # Ways to nothing count too, where a condition may fail behind them, also in what is looked for.
    r"x(?:|){40}$",
    r"(?:\b|\B){40}x",
    r"(?!(?:|){40}$)a",
    r"(?=a(?:|){40}$)a",
    r"(?<=(?:|){40}\b)a",
    r"(($){0,12}(?:\2)+?){20}$",
    # What may end well is only done where nothing else is tried before.
    r"a(?:[^b]|\W)(?:(?:|){40}a|c*)",
    r"(?:a(bb)(?:|){40}(?(1)a|c*))?",
    r"(a*)b(?:(?:|){40}\1)?",
    # Many ways through copies of a group are slow ones.
    r"(?:[ab]([^b](?<!b)){1,3}){0,12}bx",
    r"(?:(?:(?:.|a){3}){3}){3}x",
    # Two unbounded repeats where the first isn't the search: realistic, and hours on a long line of spaces.
    r".*user=.*password=(\S+)",
    r"^\[\d+\]\s+.*\s+password=",
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
    r"user=.*password=(\S+)",
    r"^\[\d+\]\s+\S.*password=",
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
    r"(?:\d{1,3} ?){5}x",
    r"(?:.|a){10}x",
    # Tokens and keys, by their form.
    r"gh[pousr]_[A-Za-z0-9]{36,255}",
    r"xox[abprs]-(?:\d{10,13}-){2,3}[A-Za-z0-9-]{24,34}",
    r"(?:sk|pk|rk)_(?:live|test)_[0-9A-Za-z]{16,99}",
    r"AIza[0-9A-Za-z_-]{35}",
    r"ya29\.[0-9A-Za-z_-]+",
    r"glpat-[\w-]{20}",
    r"npm_[A-Za-z0-9]{36}",
    r"SG\.[\w-]{16,32}\.[\w-]{16,64}",
    r"hvs\.[\w-]{90,120}",
    r"(?i)aws.{0,20}secret.{0,20}['\"][0-9a-z/+]{40}['\"]",
    r"(?i)[\w.-]{0,50}?(?:token|secret)[ \t\w.-]{0,20}[\s'\"]{0,3}(?:=|:|=>)\s{0,5}['\"]?[a-z0-9]{32}",
    r"ssh-(?:rsa|ed25519) [A-Za-z0-9+/=]+(?: \S+@\S+)?",
    r"\$2[aby]\$\d{2}\$[./A-Za-z0-9]{53}",
    # People.
    r"\b4\d{3}(?:[ -]?\d{4}){3}\b",
    r"\b(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|3[47][0-9]{13}|6(?:011|5[0-9]{2})[0-9]{12})\b",
    r"\b\d{6}[-+A]\d{3}[0-9A-Y]\b",
    r"\b[12]\d{2}(?:0[1-9]|1[0-2])\d{2,3}\d{3}\d{3}\d{2}\b",
    r"(?i)\b(?:mr|mrs|dr)\.? [A-Z][a-z]+(?: [A-Z][a-z]+)?",
    r"\b(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b",
    r"(?:\+|00)[1-9]\d{0,2}[ /.-]?(?:\(\d{1,4}\)[ /.-]?)?\d{2,4}(?:[ /.-]?\d{2,4}){1,4}",
    # Fields of other formats.
    r'(?i)"(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?token)"\s*:\s*"[^"]*"',
    r"(?i)(?<=[?&]token=)[^&\s]+",
    r"([?&](?:access_token|code|state)=)[^&#\s\"']+",
    r"<(\w+:)?(?:Password|PIN)[^>]*>[^<]*</",
    r"(?i)(?:jdbc:[a-z0-9]+|postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?)://[^:@/\s]+:[^@\s]+@",
    r"(?i)\bpassword\s*(?:=|:|=>|is)\s*(?:'[^']*'|\"[^\"]*\"|[^\s,;]+)",
    r"(?i)x-(?:api-key|auth-token|amz-security-token):\s*\S+",
    r"(?i)cookie:\s*(?:[\w-]+=[^;]*;\s*)*session=[^;]+",
    r"\\\"token\\\":\\\"[^\\\"]+\\\"",
    r"Set-Cookie: \w+=([^;]+);.*HttpOnly",
    # What lines begin and go on with, and what is sampled.
    r"^(?:\s+at |\s*\.\.\. \d+ more|Caused by:)",
    r"^Traceback \(most recent call last\):",
    r"^\s+",
    r"^(?:ERROR|WARN(?:ING)?|INFO|DEBUG|TRACE)\b",
    r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ",
    r"^\{.*\}$",
    r'"(?:GET|HEAD) /(?:health|ready|live)z?[^"]*" 200 ',
    r"kube-probe/\d+\.\d+",
    r"\b(?:DEBUG|TRACE)\b.*(?:heartbeat|ping)",
]


@pytest.mark.parametrize("text", REPEATS)
def test_a_repeat_that_matches_one_text_in_several_ways_is_refused(text: str) -> None:
    assert judge(text).refusal == DOUBLING


@pytest.mark.parametrize("text", CROWDS)
def test_what_takes_more_than_the_square_of_the_length_is_refused(text: str) -> None:
    assert judge(text).refusal == CROWDED


@pytest.mark.parametrize("text", ORDINARY)
def test_what_logs_are_ordinarily_redacted_by_is_taken(text: str) -> None:
    re.compile(text)
    assert judge(text).refusal is None


def test_ordinary_expressions_are_soon_judged() -> None:
    steps = sorted(judge(text).steps for text in ORDINARY)
    assert steps[len(steps) // 2] < 2_000


@pytest.mark.parametrize(
    "text",
    [
        "(?:" * 99 + "a" + "|b)*" * 99,
        "(?:" + "|".join(f"ab{number}" for number in range(300)) + ")*x",
        ".*" * 900,
        "a?" * 900,
        "(?:a?" * 90 + ")*" * 90,
        "[" + "".join(chr(300 + number * 7) for number in range(1900)) + "]*",
        "(?:.*a|" * 90 + "b" + ")" * 90,
        "(?:|a)" * 300,
        "(?:(?:(?:a?){5}){5}){5}" * 50,
        "(a)" + "".join(rf"(\{number}\{number})" for number in range(1, 40)),
        "(?=a*)" * 300 + "b",
        "x" * 2000,
        "(?:" * 500 + "a" + ")*" * 500 + "b",
    ],
    ids=range(13),
)
def test_a_judgement_ends_when_it_has_taken_its_steps(text: str) -> None:
    verdict = judge(text, most_steps=10_000)
    assert verdict.refusal in {COMPLICATED, DOUBLING}
    assert verdict.steps < 20_000


def test_shorter_texts_let_more_pass() -> None:
    assert judge(r"[a-z]{0,100}[a-z]{0,100}[a-z]{0,100}=", longest_text=50_000).refusal == CROWDED
    assert judge(r"[a-z]{0,9}[a-z]{0,9}[a-z]{0,9}=", longest_text=50_000).refusal is None
    assert judge(r".*.*=", longest_text=50_000).refusal == CROWDED
    assert judge(r".*.*=", longest_text=1_000).refusal is None


def test_flags_count_like_those_in_the_expression() -> None:
    assert judge("(?:a|AB?)+c").refusal is None
    assert judge("(?:a|AB?)+c", re.IGNORECASE).refusal == DOUBLING


def test_what_does_not_compile_is_an_error_as_it_is_for_re() -> None:
    with pytest.raises(re.error):
        judge("(a")


def test_what_is_not_refused_is_soon_done_whatever_the_text() -> None:
    """Random expressions against `re` itself; ``backtracking_fuzz.py`` does it for longer."""
    for seed in range(factor()):
        tally = run(seed, expressions=150, long=seed > 0)
        assert not tally.found, f"seed {seed}: {tally.found}"
        assert tally.tried > tally.refused > 0


@pytest.mark.parametrize("text", ["(?:(?=a)+a)+b", "(a|a)*b", "(?:a?b?)*c", "(a|aa)+$"])
def test_the_fuzz_would_find_what_doubles(text: str) -> None:
    texts = [pump * DOUBLINGS + "!" for pump in PUMPS]
    with Matcher() as matcher:
        seconds, worst = matcher.slowest(text, texts, most_seconds=0.3)
    assert seconds >= 0.3
    assert worst in texts


@pytest.mark.parametrize(("text", "cube"), [("(?:.|b)*(?:.|b)*=", True), ("(?:.|b)*=", False)])
def test_the_fuzz_would_find_what_grows_with_the_cube(text: str, *, cube: bool) -> None:
    with Matcher() as matcher:
        assert grows_too_fast(text, "a" * (1_200 if cube else 8_000), matcher) is cube


def test_random_expressions_have_all_that_the_syntax_has() -> None:
    writer = Writer(seed=1)
    written = "".join(writer.expression() for _ in range(1000))
    for syntax in ("(?=", "(?!", "(?<=", "(?i:", "(?>", "(?(", r"\1", "*?", "{4,9}", "|", r"\b"):
        assert syntax in written
