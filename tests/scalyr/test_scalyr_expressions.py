"""Which regular expressions and replacements the Scalyr agent gets to see."""

from __future__ import annotations

import pytest

from kube_log_watcher_scalyr.expressions import Expressions, check_replacement

# An expression with a `[[` in it makes Python warn of a syntax to come.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.mark.parametrize(
    "text",
    [
        "card=\\d+",
        "(?i)password",
        "(?P<a>x)(?P=a)",
        r"\+\+",
        "a{2}[+*]+",
        "ä",
        r"\U0001F600",
        "[[a]",
        r"\\z",
        "a|",
    ],
)
def test_an_expression_that_every_version_of_python_takes_is_good(text: str) -> None:
    assert Expressions().checked(text).text == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (7, "must be text"),
        (None, "must be text"),
        (["x"], "must be text"),
        ("", "must be text"),
        ("(", "no regular expression"),
        ("*", "no regular expression"),
        ("a(?i)b", "no regular expression"),
        ("(?L)a", "no regular expression"),
        ("a{99999999999999999999}", "no regular expression"),
        ("(" * 101 + ")" * 101, "more than"),
        ("x" * 2001, "more than"),
        ("😀", "beyond U"),
        ("\ud800", "beyond U"),
        ("(?>a)", "older versions"),
        ("a++b", "older versions"),
        ("(?:a(?:b?+))", "older versions"),
    ],
)
def test_an_expression_that_would_harm_the_node_is_refused(text: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Expressions().checked(text)


def test_the_deepest_expression_that_is_allowed_compiles() -> None:
    Expressions().checked("(" * 100 + "a" + ")" * 100)


@pytest.mark.parametrize(
    ("expression", "replacement"),
    [
        ("x", ""),
        ("x", "***"),
        ("(a)(b)?", r"\2\1"),
        ("(?P<name>a)", r"\g<name>\g<0>\g<1>"),
        ("a", r"tab\tnewline\nbackslash\\"),
        (r"(\w+)=(\d+)", r"\1=\H2"),
        ("(?:(a)|x(b))?", "no hash"),
        ("(foo|bar)=(a+){2}(?=(c))", r"\H1\H2\H3"),
        ("(a)|(?:a)", "-"),
        ("(?:(a))+", r"\H1"),
    ],
)
def test_a_replacement_that_fits_is_good(expression: str, replacement: str) -> None:
    check_replacement(Expressions().checked(expression), replacement)


@pytest.mark.parametrize(
    ("expression", "replacement"),
    [
        ("x", 7),
        ("x", ["x"]),
        ("x", "r" * 501),
        ("x", "😀"),
        ("x", r"\1"),
        ("(x)", r"\2"),
        ("x", r"\g<nobody>"),
        ("(x)", r"\g< 1>"),
        ("(x)", r"\g<+1>"),
        ("x", r"\q"),
        ("x", "\\"),
        ("x", r"\H1"),
        ("(x)", r"\H0"),
        ("(x)", r"\H"),
        ("(x)", r"\H2"),
        ("(a)|(b)", r"\H1"),
        ("(a)?b", r"\H1"),
        ("(a)b(c)*", r"\H1"),
        ("(?:(a)b)??", r"\H1"),
        ("(?!(a))b(c)", r"\H2"),
        ("(a)?(?(1)b|(c))", r"\H1"),
    ],
)
def test_a_replacement_that_would_stop_all_copying_is_refused(expression: str, replacement: object) -> None:
    """With a hash, the Scalyr agent fails on every group that took no part in a match."""
    with pytest.raises(ValueError, match="replacement"):
        check_replacement(Expressions().checked(expression), replacement)
