"""syslog-ng's persist file: what it has read and handed on, by path and inode."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube_log_watcher_core import AgentConfigError, LogFile, Progress
from kube_log_watcher_syslogng.positions import PersistFile, parse_persist
from persist_file import written

DATA = Path(__file__).parent.parent / "data" / "syslogng" / "syslog-ng.persist"
"""By syslog-ng 3.38.1: 40 files with 1 to 40 lines of 46 bytes, and one whose last line lacks an end."""
NOW = 2e9
LOG = LogFile(Path("/spool/a.log"), 7)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_file_of_the_real_program_is_read() -> None:
    positions = parse_persist(DATA.read_bytes())
    assert all(path.startswith("/var/log/kube-log-watcher/spool/default_shop-") for path, _ in positions)
    assert len({inode for _, inode in positions}) == 41
    assert sorted(positions.values()) == sorted([*(46 * lines for lines in range(1, 41)), 46])


def test_a_state_of_the_other_order_of_bytes_is_read() -> None:
    assert parse_persist(written({LOG: 1234}, order=">")) == {("/spool/a.log", 7): 1234}


def test_a_state_that_is_not_in_use_is_not_believed() -> None:
    assert parse_persist(written({LOG: 1234}, in_use=False)) == {}


def test_a_path_with_the_words_of_a_key_in_it_is_one_path() -> None:
    odd = LogFile(Path("/spool/affile_sd_curpos(/spool/a.log)1234.log"), 7)
    assert ("/spool/a.log", 7) not in parse_persist(written({odd: 1234}))


def test_it_is_read_anew_after_a_moment_though_its_time_stands_still(tmp_path: Path) -> None:
    """It is mapped into memory: writing to it need not change what the folder says of it."""
    (path := tmp_path / "persist").write_bytes(written({LOG: 10}))
    clock = Clock()
    reader = PersistFile(path, wall=lambda: NOW, clock=clock)
    assert reader.progress(LOG) == Progress(read_bytes=10, at=NOW)
    path.write_bytes(written({LOG: 20}))
    assert reader.progress(LOG).read_bytes == 10
    clock.now += 0.5
    assert reader.progress(LOG).read_bytes == 20


def test_where_it_cannot_be_read_nothing_goes_by_time(tmp_path: Path) -> None:
    """syslog-ng may end when a file is taken from it that it has not read."""
    assert PersistFile(tmp_path / "absent", wall=lambda: NOW).progress(LOG) == Progress(read_bytes=0, at=NOW)


def test_one_that_is_to_come_is_no_fault(tmp_path: Path) -> None:
    PersistFile(tmp_path / "persist").check()


def test_what_is_no_persist_file_is_told_with_the_remedy(tmp_path: Path) -> None:
    (path := tmp_path / "persist").write_text("# no such file\n")
    with pytest.raises(AgentConfigError, match="name its persist file"):
        PersistFile(path).check()
    with pytest.raises(AgentConfigError, match=r"absent is no folder: mount the one"):
        PersistFile(tmp_path / "absent" / "persist").check()
