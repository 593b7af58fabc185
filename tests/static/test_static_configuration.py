"""The operator's configuration: it has to name the spool and our folder, and no more is understood of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kube_log_watcher_core import AgentConfigError
from kube_log_watcher_static import check_configuration

SPOOL, FOLDER = Path("/var/log/spool"), Path("/var/log/meta")


@pytest.mark.parametrize(
    "text",
    ["a: /var/log/spool/*/*.log\nb: '/var/log/meta'\n", 'x("/var/log/spool") # and\n/var/log/meta/t.json\n'],
    ids=["yaml", "another"],
)
def test_a_configuration_that_names_both_is_right(tmp_path: Path, text: str) -> None:
    (tmp_path / "conf").write_text(text)
    check_configuration(tmp_path / "conf", [SPOOL, FOLDER])


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("a: /var/log/spool/*/*.log\n# b: /var/log/meta\n", "names no /var/log/meta:"),
        ("/var/log/spool2/x /var/log/meta", "names no /var/log/spool:"),
        ("", "names no /var/log/spool, no /var/log/meta:"),
    ],
    ids=["in a comment", "another folder", "empty"],
)
def test_what_a_configuration_lacks_is_told_with_its_name(tmp_path: Path, text: str, lacking: str) -> None:
    (tmp_path / "conf").write_text(text)
    with pytest.raises(AgentConfigError, match=lacking) as told:
        check_configuration(tmp_path / "conf", [SPOOL, FOLDER])
    assert str(tmp_path / "conf") in str(told.value)


def test_a_configuration_that_can_not_be_read_is_told_with_the_remedy(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    for name in ("missing", "pipe", "large"):
        with pytest.raises(AgentConfigError, match="mount it, or leave the setting away"):
            check_configuration(tmp_path / name, [])
