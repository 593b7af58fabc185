"""Secrets are hidden in whatever form a file holds them."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import PATH, SECRET, Secret, setting
from kube_log_watcher_core.cli.differences import describe_change
from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.files import Change
from kube_log_watcher_core.observe.logs import visible
from kube_log_watcher_core.settings.masks import Masks


@attrs.frozen
class Settings:
    api_key: Secret = setting(SECRET, secret=True, help="a key")
    folder: Path = setting(PATH, default=Path("/x"), help="a folder")


MASKS = Masks(Settings(api_key=Secret('hunter"2')))


@pytest.mark.parametrize(
    "text",
    [
        'plain hunter"2 text',
        json.dumps({"something": 'hunter"2'}),
        '{"api_key": "of old", "a": 1}',
        '{"api_key":"of \\" old"}',
        "api_key: 'of old'",
        "api_key = of",
        "api_key: of",
    ],
)
def test_no_secret_is_left(text: str) -> None:
    hidden = MASKS.hide(text)
    assert "***" in hidden
    assert "hunter" not in hidden
    assert "of" not in hidden
    assert "old" not in hidden


def test_all_else_stays() -> None:
    assert MASKS.hide('{"api_key": "of old", "server": "x"}') == '{"api_key": "***", "server": "x"}'
    assert MASKS.hide('{"my_api_keys": "x", "folder": "/x"}') == '{"my_api_keys": "x", "folder": "/x"}'


def test_settings_without_secrets_hide_nothing() -> None:
    assert Masks(object()).hide("api_key: x") == "api_key: x"


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (Change(Path("/a"), b"x", None), ["- remove /a"]),
        (Change(Path("/a"), b"/x", None, link=True), ["- remove /a"]),
        (Change(Path("/a"), None, b"/x", link=True), ["+ link /a -> /x"]),
        (Change(Path("/a"), b"/w", b"/x", link=True), ["+ link /a -> /x (was /w)"]),
        (Change(Path("/a"), None, b"1\n"), ["--- /dev/null", "+++ /a", "@@ -0,0 +1 @@", "+1"]),
        (Change(Path("/a"), b"1\n", b"2\n"), ["--- /a", "+++ /a", "@@ -1 +1 @@", "-1", "+2"]),
        (Change(Path("/a"), None, b""), ["+ /a: an empty file"]),
    ],
)
def test_a_change_is_described_by_few_lines(change: Change, lines: list[str]) -> None:
    assert list(describe_change(change, MASKS)) == lines


def test_what_a_terminal_would_obey_is_made_visible() -> None:
    assert one_line("a\x1b[2J\nb\tc\u202e") == "a\\x1b[2J b c\\u202e"
    assert visible("  indented\r") == "  indented\\r"
