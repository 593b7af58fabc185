"""The HTTP server: what it serves, what it refuses, and that nobody can hold it up."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Iterator

import attrs
import pytest

from http_support import ask
from kube_log_watcher_core.agents import AgentStatus
from kube_log_watcher_core.kube import WatchStatus
from kube_log_watcher_core.observe.http import CONNECTIONS, REQUEST_BYTES, HttpServer
from kube_log_watcher_core.observe.pages import watcher_app
from kube_log_watcher_core.observe.snapshot import Snapshot
from support import wait_until

WELL = Snapshot(
    now=100.0,
    loop_due=100.0,
    watch=WatchStatus("watching", since=0.0, synced=True, last_byte=100.0, tick_due=100.0),
    agents=(AgentStatus(name="scalyr", last_success=1.0),),
)


@contextlib.contextmanager
def serving(look: Callable[[], Snapshot] = lambda: WELL, host: str = "127.0.0.1") -> Iterator[HttpServer]:
    server = HttpServer(host, 0)
    server.start(watcher_app(look))
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with serving() as made:
        yield made


def say(port: int, text: bytes) -> bytes:
    """Say something to the server, and give all that it answers until it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(text)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_all_is_well(server: HttpServer, path: str) -> None:
    page = ask(server.port, path)
    assert (page.status, page.text) == (200, "ok\n")
    assert page.headers["Content-Type"].startswith("text/plain")


def test_what_is_wrong_is_in_the_answer() -> None:
    bad = attrs.evolve(WELL, watch=WatchStatus("watching", since=0.0, tick_due=-1000.0), loop_due=-1000.0)
    with serving(lambda: bad) as server:
        live, ready = ask(server.port, "/livez"), ask(server.port, "/readyz")
    assert live.status == ready.status == 503
    assert "the main loop has been stuck for 1100 s" in live.text
    assert "the pods of this node are not known yet" in ready.text


def test_a_probe_can_exclude_a_check_that_exists() -> None:
    bad = attrs.evolve(WELL, watch=attrs.evolve(WELL.watch, synced=False))
    with serving(lambda: bad) as server:
        assert ask(server.port, "/readyz?exclude=pods").status == 200
        assert ask(server.port, "/readyz?exclude=lock&exclude=pods").status == 200
        assert ask(server.port, "/readyz?exclude=lock").status == 503
        wrong = ask(server.port, "/readyz?exclude=everything")
        assert wrong.status == 400
        assert "pods, watch, lock, agents" in wrong.text


@pytest.mark.parametrize("path", ["/", "/metrics/", "/livez/x", "/favicon.ico", "/../livez"])
def test_any_other_path_is_not_found(server: HttpServer, path: str) -> None:
    page = ask(server.port, path)
    assert page.status == 404
    assert "/livez, /readyz, /metrics" in page.text


@pytest.mark.parametrize("path", ["/livez", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_any_other_method_is_refused(server: HttpServer, path: str, method: str) -> None:
    page = ask(server.port, path, method=method)
    assert page.status == 405
    assert page.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/livez", "/metrics"])
def test_head_tells_the_same_without_a_body(server: HttpServer, path: str) -> None:
    head, get = ask(server.port, path, method="HEAD"), ask(server.port, path)
    assert (head.status, head.text) == (200, "")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /livez\r\n\r\n", b"ok"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"400"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\n\r\n", b"200"),
        (b"GET /livez HTTP/1.1\nHost: x\n\n", b"200"),
        (b"GET /" + b"x" * REQUEST_BYTES * 2 + b" HTTP/1.1\r\n\r\n", b""),
        (b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
        (b"GET /livez HTTP/1.1\r\nX: " + b"y" * REQUEST_BYTES * 2 + b"\r\n\r\n", b""),
    ],
    ids=["garbage", "http-0.9", "http-2", "tls", "two", "bare-newlines", "long", "many-headers", "header"],
)
def test_whatever_is_said_it_answers_at_most_once_and_hangs_up(
    server: HttpServer, said: bytes, status: bytes
) -> None:
    answer = say(server.port, said)
    assert status in answer if status else answer == b""
    assert answer.count(b"ok\n") <= 1
    assert ask(server.port, "/livez").status == 200


def test_those_who_hold_connections_open_shut_nobody_out(server: HttpServer) -> None:
    with contextlib.ExitStack() as stack:
        idle = []
        for _ in range(5 * CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            connection.sendall(b"GET /livez HTTP/1.1\r\n")
            idle.append(connection)
        for _ in range(3):
            assert ask(server.port, "/livez").status == 200
        assert idle[0].recv(10) == b""
        wait_until(lambda: threads_of_requests() <= CONNECTIONS)


def threads_of_requests() -> int:
    return sum(thread.name == "http-request" for thread in threading.enumerate())


def test_a_request_that_does_not_come_whole_in_time_is_given_up() -> None:
    server = HttpServer("127.0.0.1", 0, request_seconds=0.3)
    server.start(watcher_app(lambda: WELL))
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
        sender = threading.Thread(target=trickle, args=(slow,))
        sender.start()
        assert slow.recv(10) == b""
        sender.join()
    server.close()


def trickle(connection: socket.socket) -> None:
    """Send headers without an end, for as long as somebody listens."""
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"G")
            threading.Event().wait(0.05)


def test_one_who_hangs_up_early_is_nobodys_trouble(server: HttpServer) -> None:
    for said in (b"", b"GET", b"GET /metrics HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(said)
    assert ask(server.port, "/livez").status == 200


def test_an_address_in_use_is_refused_and_free_again_after_the_end(server: HttpServer) -> None:
    with pytest.raises(OSError, match="Address already in use") as caught:
        HttpServer("127.0.0.1", server.port)
    assert caught.value.errno == errno.EADDRINUSE
    server.close()
    HttpServer("127.0.0.1", server.port).close()


def test_a_closed_server_answers_nobody_and_leaves_no_thread() -> None:
    before = {thread.ident for thread in threading.enumerate()}
    with serving() as server:
        assert ask(server.port, "/livez").status == 200
    with pytest.raises(ConnectionRefusedError):
        ask(server.port, "/livez")
    wait_until(lambda: {thread.ident for thread in threading.enumerate()} <= before)


def test_it_listens_on_names_and_on_version_six() -> None:
    with serving(host="localhost") as server:
        assert ask(server.port, "/livez", host="localhost").status == 200
    with serving(host="::1") as server:
        assert ask(server.port, "/livez", host="::1").status == 200
    with serving(host="::") as server:
        assert ask(server.port, "/livez", host="::1").status == 200
        assert ask(server.port, "/livez", host="127.0.0.1").status == 200
