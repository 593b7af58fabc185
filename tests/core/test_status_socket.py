"""The socket at which a running watcher answers."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kube_log_watcher_core.explain.socket import LONGEST_PATH, NAME, PathTooLong, StatusSocket, ask
from support import wait_until


def answer(request: str) -> dict[str, object]:
    if request == "odd":
        raise ValueError("that is odd")
    return {"kind": "echo", "request": request}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StatusSocket]:
    made = StatusSocket(tmp_path, answer)
    made.start()
    yield made
    made.close()


def raw(path: Path, *pieces: bytes) -> bytes:
    """Send bytes as they are, and read to the end."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        for piece in pieces:
            connection.sendall(piece)
        content = b""
        while piece := connection.recv(65536):
            content += piece
        return content


def abandon(folder: Path) -> Path:
    """Leave a socket behind, as a killed process does."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / NAME))
    return folder / NAME


def test_a_question_is_answered_by_one_document(server: StatusSocket, tmp_path: Path) -> None:
    assert ask(tmp_path, "status") == {"kind": "echo", "request": "status"}
    assert ask(tmp_path, "explain {}") == {"kind": "echo", "request": "explain {}"}


def test_only_its_owner_may_connect(server: StatusSocket) -> None:
    status = server.path.lstat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600


def test_its_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = StatusSocket(tmp_path, answer)
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.path.lstat().st_mode) == 0o600
    made.close()


def test_it_is_removed_at_the_end(tmp_path: Path) -> None:
    made = StatusSocket(tmp_path, answer)
    made.start()
    made.close()
    assert not made.path.exists()
    assert ask(tmp_path, "status") is None


def test_a_socket_of_somebody_else_at_that_place_is_left_at_the_end(tmp_path: Path) -> None:
    made = StatusSocket(tmp_path, answer)
    made.path.unlink()
    other = abandon(tmp_path)
    made.close()
    assert other.is_socket()


def test_what_a_killed_watcher_left_is_replaced(tmp_path: Path) -> None:
    abandon(tmp_path)
    assert ask(tmp_path, "status") is None
    made = StatusSocket(tmp_path, answer)
    made.start()
    assert ask(tmp_path, "status") is not None
    made.close()


def test_one_at_which_somebody_answers_is_not_replaced(server: StatusSocket, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="another watcher listens there"):
        StatusSocket(tmp_path, answer)
    assert ask(tmp_path, "status") is not None


def test_a_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("mine")
    with pytest.raises(OSError, match="in use"):
        StatusSocket(tmp_path, answer)
    assert (tmp_path / NAME).read_text() == "mine"


def test_a_path_that_is_too_long_is_told_with_its_length(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    for attempt in (lambda: StatusSocket(folder, answer), lambda: ask(folder, "status")):
        with pytest.raises(PathTooLong, match=f"at most {LONGEST_PATH}: shorten WATCHER_STATE_DIR"):
            attempt()


def test_without_a_folder_nobody_answers(tmp_path: Path) -> None:
    assert ask(tmp_path / "absent", "status") is None


def test_a_question_that_is_not_understood_gets_an_error(server: StatusSocket, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="that is odd"):
        ask(tmp_path, "odd")
    assert json.loads(raw(server.path, b"odd\n")) == {"kind": "error", "error": "that is odd"}


@pytest.mark.parametrize("request_", [b"\xff\xfe\n", b"\n", b"a" * 4000 + b"\n", b"two\nlines\n"])
def test_whatever_is_asked_the_next_one_is_answered(
    server: StatusSocket, tmp_path: Path, request_: bytes
) -> None:
    raw(server.path, request_)
    assert ask(tmp_path, "status") is not None


def test_a_question_that_is_too_long_is_cut_off(server: StatusSocket, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        raw(server.path, *[b"a" * 5000] * 3)
    assert ask(tmp_path, "status") is not None


def test_a_client_that_asks_nothing_holds_others_up_for_two_seconds_at_most(
    server: StatusSocket, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(server.path))
        assert ask(tmp_path, "status", seconds=8) is not None


def test_a_client_that_goes_does_no_harm(server: StatusSocket, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        gone.connect(str(server.path))
        gone.sendall(b"status\n")
    assert ask(tmp_path, "status") is not None


def test_a_watcher_that_does_not_answer_in_time_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / NAME))
        deaf.listen(1)
        with pytest.raises(TimeoutError):
            ask(tmp_path, "status", seconds=0.1)


def test_an_answer_that_breaks_off_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / NAME))
        listener.listen(1)

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(100)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(OSError, match="without an answer"):
            ask(tmp_path, "status")
        thread.join()


def test_its_thread_ends_with_it(tmp_path: Path) -> None:
    made = StatusSocket(tmp_path, answer)
    made.start()
    thread = next(each for each in threading.enumerate() if each.name == "status-socket")
    made.close()
    wait_until(lambda: not thread.is_alive(), what="the thread's end")
