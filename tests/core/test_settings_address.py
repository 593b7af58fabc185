"""An address to listen on, as operators write it."""

from __future__ import annotations

import pytest

from kube_log_watcher_core.configuration import Given, configure
from kube_log_watcher_core.errors import SettingsError
from kube_log_watcher_core.settings import ADDRESS, Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:9090", Address("0.0.0.0", 9090)),  # noqa: S104
        (" 127.0.0.1:1 ", Address("127.0.0.1", 1)),
        ("localhost:65535", Address("localhost", 65535)),
        ("[::]:9090", Address("::", 9090)),
        ("[::1]:0", Address("::1", 0)),
        ("node-7.example.org:80", Address("node-7.example.org", 80)),
    ],
)
def test_a_host_and_a_port_are_read_the_same_from_text_and_from_yaml(text: str, address: Address) -> None:
    assert ADDRESS.from_text(text) == ADDRESS.from_yaml(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "9090",
        ":9090",
        "localhost",
        "localhost:",
        "localhost:65536",
        "localhost:-1",
        "localhost:http",
        "localhost:٣",
        "::1:9090",
        "[localhost]:9090",
        "[::1]",
        "[::1]9090",
        "http://localhost:9090",
        "localhost:9090/metrics",
        "a b:1",
        "x\n:1",
        f"{'x' * 64}.example.org:1",
        "a..b:1",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the caller's
        ADDRESS.from_text(text)


@pytest.mark.parametrize("value", [9090, ["a:1"], None, {"host": "a"}])
def test_in_yaml_it_is_text(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the caller's
        ADDRESS.from_yaml(value)


def test_a_wrong_one_is_told_with_an_example() -> None:
    given = Given(environ={"WATCHER_HTTP_ADDRESS": ":9090", "WATCHER_AGENTS": "none"})
    with pytest.raises(SettingsError) as caught:
        configure(given)
    assert (
        "WATCHER_HTTP_ADDRESS=':9090' (environment): expected HOST:PORT to listen on, IPv6 in brackets, "
        "e.g. 0.0.0.0:9090 or [::]:9090"
    ) in str(caught.value)


@pytest.mark.parametrize("text", ["127.0.0.1:1", "[::1]:1"])
def test_it_is_shown_as_it_is_written(text: str) -> None:
    assert str(ADDRESS.from_text(text)) == text
