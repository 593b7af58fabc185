"""The token's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kube_log_watcher_core.errors import Unauthorized
from kube_log_watcher_core.files.signature import signature
from kube_log_watcher_core.kube.access import Token


def bearer(token: Token) -> str:
    return token.headers()["Authorization"]


def test_without_a_file_there_is_no_header() -> None:
    token = Token(None)
    assert token.headers() == {}
    assert not token.changed


def test_white_space_around_a_token_is_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" abc.def-g_h \n")
    assert bearer(Token(tmp_path / "token")) == "Bearer abc.def-g_h"


def test_a_file_that_is_rewritten_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    token = Token(file)
    assert bearer(token) == "Bearer one"
    file.write_text("other")
    before = token.changed
    assert bearer(token) == "Bearer other"
    assert (before, token.changed) == (True, False)


def test_a_folder_that_is_replaced_as_the_kubelet_does_is_seen(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(name)
        os.utime(tmp_path / name / "token", (1000, 1000))
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "token").symlink_to("..data/token")
    token = Token(tmp_path / "token")
    assert bearer(token) == "Bearer one"
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(tmp_path / "..data")
    assert token.changed
    assert bearer(token) == "Bearer two"


@pytest.mark.parametrize("text", ["", "\n", "two words", "a\nb", "a\r\nX-Evil: 1", "caf\u00e9", "\x00"])
def test_what_can_not_be_a_token_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text, encoding="utf-8")
    with pytest.raises(Unauthorized) as caught:
        Token(tmp_path / "token").headers()
    assert "words" not in str(caught.value)
    assert "Evil" not in str(caught.value)


def test_a_missing_file_is_a_missing_token_until_it_appears(tmp_path: Path) -> None:
    token = Token(tmp_path / "token")
    with pytest.raises(Unauthorized, match="token"):
        token.headers()
    before = token.changed
    (tmp_path / "token").write_text("late")
    assert (before, token.changed) == (False, True)
    assert bearer(token) == "Bearer late"


def test_renewal_tells_whether_there_is_another_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    token = Token(file)
    token.headers()
    seen = [token.renewed()]
    times = file.stat()
    file.write_text("two")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # as within one tick of the clock
    assert not token.changed
    seen.append(token.renewed())
    file.unlink()
    seen.append(token.renewed())
    assert seen == [False, True, False]


def test_a_file_that_is_not_there_has_no_signature(tmp_path: Path) -> None:
    assert signature(None) is None
    assert signature(tmp_path / "none") is None
