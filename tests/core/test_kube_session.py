"""HTTP to an API server: real sockets, real certificates."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.errors import ApiError, Forbidden, ServerError, TooManyRequests, Unauthorized
from kube_log_watcher_core.kube import ApiAccess
from kube_log_watcher_core.kube.answers import Silence
from kube_log_watcher_core.kube.session import ApiSession, Cut
from kube_log_watcher_testing.fake_api import (
    Body,
    Certificate,
    Drop,
    Endless,
    FakeApi,
    Redirect,
    Refuse,
    Slow,
    Truncated,
    Unchunked,
    make_certificate,
    openssl_missing,
    pod_object,
)
from kube_support import QUICK, SessionClient, refusal
from support import SOON_SECONDS, soon, wait_until

PODS = "/api/v1/pods"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.add(pod_object("shop-1"))
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def test_a_request_says_who_asks_and_for_what(api: FakeApi) -> None:
    client = SessionClient(ApiAccess(api.url))
    assert b"shop-1" in client.body()
    headers = api.requests[0].headers
    assert headers["User-Agent"].startswith("kube-log-watcher/")
    assert headers["Accept"] == "application/json"
    assert headers["Accept-Encoding"] == "gzip"
    assert "Authorization" not in headers
    assert client.counts == {("list", "200"): 1}


def test_a_prefix_of_the_url_is_kept() -> None:
    with FakeApi(prefix="/k8s/clusters/c-1") as api:
        SessionClient(ApiAccess(api.url)).body()
        assert api.requests[0].path == "/k8s/clusters/c-1" + PODS


def test_a_connection_is_used_again(api: FakeApi) -> None:
    client = SessionClient(ApiAccess(api.url))
    api.fail(Refuse(500), times=1)
    refusal(client, ServerError)
    for _ in range(3):
        client.body()
    assert api.connections == 1


def test_the_environment_changes_nothing(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .netrc would replace the token, and a proxy would see it."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    (tmp_path / "token").write_text("right")
    api.accept("right")
    SessionClient(ApiAccess(api.url, token_file=tmp_path / "token")).body()
    assert api.requests[0].headers["Authorization"] == "Bearer right"


@pytest.mark.parametrize(
    ("refuse", "kind"),
    [
        (Refuse(401), Unauthorized),
        (Refuse(403), Forbidden),
        (Refuse(429, retry_after=7, text="Too many requests"), TooManyRequests),
        (Refuse(500), ServerError),
        (Refuse(503, retry_after=7), ServerError),
        (Refuse(204), ServerError),
    ],
)
def test_a_refusal_is_an_error_by_its_meaning(api: FakeApi, refuse: Refuse, kind: type[ApiError]) -> None:
    api.fail(refuse, times=None)
    error = refusal(SessionClient(ApiAccess(api.url)), kind)
    assert (error.status, error.retry_after) == (refuse.status, refuse.retry_after)


def test_no_answer_is_an_error_with_the_cause(api: FakeApi) -> None:
    client = SessionClient(ApiAccess(api.url))
    api.fail(Drop())
    assert "closed connection without response" in str(refusal(client, ServerError))
    api.stop()
    assert "Connection refused" in str(refusal(client, ServerError))
    assert client.counts == {("list", "none"): 2}


def test_an_answer_that_does_not_begin_is_given_up(api: FakeApi) -> None:
    api.fail(Slow(2.0))
    client = SessionClient(ApiAccess(api.url))
    with pytest.raises(ServerError, match="timed out"):
        client.body(seconds=0.1)


def test_a_body_that_does_not_end_is_given_up_by_length(api: FakeApi) -> None:
    api.fail(Endless())
    with pytest.raises(ServerError, match="longer than 1000000 bytes"):
        SessionClient(ApiAccess(api.url)).body(limit_bytes=1_000_000)


def test_a_body_that_does_not_end_is_given_up_by_time(api: FakeApi) -> None:
    api.fail(Endless(pause_seconds=0.02))
    with pytest.raises(ServerError, match="did not end in time"):
        SessionClient(ApiAccess(api.url), attrs.evolve(QUICK, list_seconds=0.2)).body()


def test_a_body_that_breaks_off_is_no_body(api: FakeApi) -> None:
    api.fail(Truncated())
    with pytest.raises(Cut):
        SessionClient(ApiAccess(api.url)).body()


def test_a_long_list_comes_compressed_and_is_limited_by_its_real_length(api: FakeApi) -> None:
    for number in range(100):
        api.add(pod_object(f"p-{number}"))
    client = SessionClient(ApiAccess(api.url))
    assert client.body().count(b'"nodeName"') == 101
    with pytest.raises(ServerError, match="longer"):
        client.body(limit_bytes=100_000)


def test_a_redirect_is_not_followed(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("right")
    with FakeApi() as elsewhere:
        api.fail(Redirect(elsewhere.url + PODS))
        error = refusal(SessionClient(ApiAccess(api.url, token_file=tmp_path / "token")), ServerError)
        assert error.status == 302
        assert elsewhere.requests == []


def test_a_page_of_something_else_is_handed_on_as_it_is(api: FakeApi) -> None:
    api.fail(Body(b"<html>"))
    assert SessionClient(ApiAccess(api.url)).body() == b"<html>"


# ---------------------------------------------------------------------- token


def test_a_token_that_was_replaced_is_used_at_once(api: FakeApi, tmp_path: Path) -> None:
    folder = api.service_account(tmp_path / "sa", token="one")
    client = SessionClient(ApiAccess(api.url, token_file=folder / "token"))
    client.body()
    api.service_account(folder, token="two")
    client.body()
    assert client.counts == {("list", "200"): 2}


def test_a_refused_token_is_not_sent_twice(api: FakeApi, tmp_path: Path) -> None:
    folder = api.service_account(tmp_path / "sa", token="wrong")
    api.accept("right")
    client = SessionClient(ApiAccess(api.url, token_file=folder / "token"))
    refusal(client, Unauthorized)
    assert client.counts == {("list", "401"): 1}
    assert not client.session.token_changed
    (folder / "token").write_text("right!")
    assert client.session.token_changed


def test_a_missing_token_asks_nobody(api: FakeApi, tmp_path: Path) -> None:
    client = SessionClient(ApiAccess(api.url, token_file=tmp_path / "none"))
    assert "none" in str(refusal(client, Unauthorized))
    assert api.requests == []


def test_a_token_is_never_in_a_message(
    api: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "token").write_text("very-secret")
    client = SessionClient(ApiAccess(api.url, token_file=tmp_path / "token"))
    messages = []
    for fault in (Refuse(401), Refuse(500), Drop(), Refuse(403, text="no")):
        api.fail(fault)
        messages.append(str(refusal(client, ApiError)))
    (tmp_path / "token").write_text("very-secret\nX-Header: 1")
    messages.append(str(refusal(client, Unauthorized)))
    assert "very-secret" not in "".join([*messages, caplog.text, repr(client.session), repr(vars(client))])


# ---------------------------------------------------------------------- streams


def reading(
    client: SessionClient, seconds: float = 60.0
) -> tuple[threading.Thread, list[BaseException | None]]:
    """Read a watch in a thread; give the thread, and what ended it."""
    ends: list[BaseException | None] = []

    def read() -> None:
        try:
            client.body(verb="watch", seconds=seconds)
            ends.append(None)
        except ServerError as error:
            ends.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    return thread, ends


@pytest.fixture(params=["http", "https"])
def any_api(request: pytest.FixtureRequest) -> Iterator[tuple[FakeApi, ApiAccess]]:
    if request.param == "http":
        with FakeApi() as api:
            yield api, ApiAccess(api.url)
    elif openssl_missing():
        pytest.skip("the openssl command is not installed")
    else:
        made: Certificate = request.getfixturevalue("certificate")
        with FakeApi(certificate=made) as api:
            yield api, ApiAccess(api.url, ca_file=made.ca_file)


@pytest.mark.parametrize("cut", [ApiSession.cut, lambda session: session.cut("watch")])
def test_a_reader_of_a_quiet_stream_can_be_freed(
    any_api: tuple[FakeApi, ApiAccess], cut: Callable[[ApiSession], None]
) -> None:
    api, access = any_api
    client = SessionClient(access)
    thread, _ = reading(client)
    wait_until(lambda: api.open_watches == 1)
    wait_until(lambda: client.counts["watch", "200"])
    with soon("freeing the reader"):
        while thread.is_alive():
            cut(client.session)  # the reader may not have come as far as to read when it is cut
            thread.join(0.02)
    wait_until(lambda: api.open_watches == 0, what="the connection's end")


def test_who_waits_for_an_answer_to_begin_can_be_freed(any_api: tuple[FakeApi, ApiAccess]) -> None:
    api, access = any_api
    api.fail(Slow(60.0))
    client = SessionClient(access)
    thread, ends = reading(client)
    wait_until(lambda: api.requests)
    client.session.cut("watch")
    thread.join(SOON_SECONDS)
    assert isinstance(ends[0], ServerError)


def test_only_the_named_kind_of_answer_is_cut(api: FakeApi) -> None:
    client = SessionClient(ApiAccess(api.url))
    client.session.cut()  # nobody reads: nothing happens
    with client.session.get("list", PODS, params={}, answer_seconds=1.0) as answer:
        client.session.cut("watch")
        assert b"shop-1" in answer.whole(limit_bytes=10**6)
        client.session.cut()  # it is at its end already


def test_a_stream_that_falls_silent_is_an_error_of_its_own(any_api: tuple[FakeApi, ApiAccess]) -> None:
    _, access = any_api
    with pytest.raises(Silence):
        SessionClient(access).body(verb="watch", seconds=0.2)


def test_a_stream_that_breaks_off_is_an_error_of_its_own(any_api: tuple[FakeApi, ApiAccess]) -> None:
    api, access = any_api
    thread, ends = reading(SessionClient(access))
    wait_until(lambda: api.cut_watches() == 1)
    thread.join(30)
    assert isinstance(ends[0], Cut)


def test_an_event_of_a_stream_without_chunks_arrives_at_once(api: FakeApi) -> None:
    """Line iterators of HTTP libraries withhold it until a buffer is full."""
    api.fail(Unchunked(), verb="watch")
    client = SessionClient(ApiAccess(api.url))
    with client.session.get("watch", PODS, params={"watch": "true"}, answer_seconds=1.0) as answer:
        pieces = answer.pieces()
        assert b"shop-1" in next(pieces)
        api.add(pod_object("shop-2"))
        assert b"shop-2" in next(pieces)
