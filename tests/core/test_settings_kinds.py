"""Each kind of value is read from text and from YAML, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import (
    ENTRIES,
    FLAG,
    JSON_OBJECT,
    NAMES,
    PATH,
    PATHS,
    SECRET,
    TEXT,
    Kind,
    Secret,
    choice,
    count,
    seconds,
)
from kube_log_watcher_core.settings import PATH_MAP

WORD = choice("red", "green")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (TEXT, "a b", "a b"),
        (TEXT, "10", "10"),
        (SECRET, "s3cret", Secret("s3cret")),
        (FLAG, "True", True),
        (FLAG, " on ", True),
        (FLAG, "1", True),
        (FLAG, "no", False),
        (FLAG, "0", False),
        (PATH, " /a/b ", Path("/a/b")),
        (PATHS, "/a, /b,", (Path("/a"), Path("/b"))),
        (NAMES, "a, b ,,c", ("a", "b", "c")),
        (NAMES, " , ", ()),
        (seconds(), "1.5", 1.5),
        (seconds(), "0", 0.0),
        (count(), "12", 12),
        (WORD, " GREEN ", "green"),
        (JSON_OBJECT, '{"a": [1]}', {"a": [1]}),
        (ENTRIES, '[1, {"a": 2}]', (1, {"a": 2})),
        (PATH_MAP, "/a=/b, /c=/d", ((Path("/a"), Path("/b")), (Path("/c"), Path("/d")))),
    ],
)
def test_text_is_read(kind: Kind[Any], text: str, value: object) -> None:
    assert kind.from_text(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (TEXT, "two\nlines"),
        (TEXT, "nul\0"),
        (SECRET, "two\nlines"),
        (FLAG, "perhaps"),
        (PATH, "relative/path"),
        (PATHS, "/a,b"),
        (NAMES, "a\nb"),
        (seconds(least=0.1), "0"),
        (seconds(), "-1"),
        (seconds(), "nan"),
        (seconds(), "inf"),
        (seconds(), "1 minute"),
        (seconds(), "1e10"),
        (seconds(most=60.0), "60.1"),
        (count(), "1.5"),
        (count(least=1), "0"),
        (count(), str(2**31)),
        (count(most=9), "10"),
        (WORD, "blue"),
        (JSON_OBJECT, "[1]"),
        (JSON_OBJECT, "{"),
        (JSON_OBJECT, "[" * 100_000),
        (JSON_OBJECT, '{"a":' * 40 + "1" + "}" * 40),
        (ENTRIES, "[" * 100_000),
        (ENTRIES, "[" * 500 + "]" * 500),
        (ENTRIES, f"[{'0,' * 100_000}0]"),
        (ENTRIES, "{}"),
        (PATH_MAP, "/a"),
        (PATH_MAP, "/a=/b=/c"),
        (PATH_MAP, "a=/b"),
    ],
)
def test_other_text_is_refused(kind: Kind[Any], text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the caller's
        kind.from_text(text)


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (TEXT, "a", "a"),
        (FLAG, True, True),
        (FLAG, "yes", True),
        (FLAG, 0, False),
        (PATH, "/a", Path("/a")),
        (PATHS, ["/a", "/b"], (Path("/a"), Path("/b"))),
        (PATHS, "/a,/b", (Path("/a"), Path("/b"))),
        (NAMES, ["a ", "b"], ("a", "b")),
        (NAMES, "a,b", ("a", "b")),
        (NAMES, [], ()),
        (seconds(), 5, 5.0),
        (seconds(), 0.5, 0.5),
        (count(), 5, 5),
        (WORD, "Red", "red"),
        (JSON_OBJECT, {"a": 1}, {"a": 1}),
        (JSON_OBJECT, '{"a": 1}', {"a": 1}),
        (ENTRIES, [1, None], (1, None)),
        (PATH_MAP, {"/a": "/b"}, ((Path("/a"), Path("/b")),)),
        (PATH_MAP, ["/a=/b"], ((Path("/a"), Path("/b")),)),
        (PATH_MAP, "/a=/b", ((Path("/a"), Path("/b")),)),
    ],
)
def test_yaml_is_read_with_its_types(kind: Kind[Any], value: object, read: object) -> None:
    assert kind.from_yaml(value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TEXT, 5),
        (TEXT, ["a"]),
        (SECRET, 12345),
        (FLAG, []),
        (PATH, 5),
        (PATHS, {"/a": 1}),
        (NAMES, [1]),
        (NAMES, {"a": 1}),
        (seconds(), True),
        (seconds(), "5"),
        (seconds(), float("nan")),
        (seconds(), 1e10),
        (seconds(), 10**400),
        (count(), 1.5),
        (count(), float("inf")),
        (count(), float("nan")),
        (count(), 10**400),
        (WORD, 1),
        (JSON_OBJECT, [1]),
        (JSON_OBJECT, {1: 2}),
        (ENTRIES, {"a": 1}),
        (ENTRIES, "a"),
        (PATH_MAP, {"/a": 5}),
        (PATH_MAP, [["/a", "/b"]]),
    ],
)
def test_other_yaml_is_refused(kind: Kind[Any], value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the caller's
        kind.from_yaml(value)


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        (seconds(), "0 to 604800"),
        (seconds(least=0.5, most=60.0), "0.5 to 60"),
        (count(), "0 to 2147483647"),
        (count(least=1, most=10), "1 to 10"),
    ],
)
def test_a_number_tells_its_bounds_and_may_be_one_of_them(kind: Kind[Any], limits: str) -> None:
    assert kind.limits == limits
    assert limits in kind.expected
    least, _, most = limits.partition(" to ")
    assert kind.from_text(least) == float(least)
    assert kind.from_text(most) == float(most)


def test_a_secret_shows_nowhere_but_where_it_is_asked_for() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"


def test_secrets_are_equal_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
