"""Where the API is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube_log_watcher_core.errors import SettingsError
from kube_log_watcher_core.kube import ApiAccess, api_access

ACCOUNT = Path("/sa")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "https://kubernetes.default.svc"),
        ({"KUBERNETES_SERVICE_HOST": ""}, "https://kubernetes.default.svc"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "https://10.0.0.1:443"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"}, "https://10.0.0.1:6443"),
        ({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}, "https://[fd00::1]:443"),
        ({"KUBERNETES_SERVICE_HOST": "[fd00::1]"}, "https://[fd00::1]:443"),
    ],
)
def test_in_a_cluster_the_environment_tells_where_the_api_is(environ: dict[str, str], url: str) -> None:
    access = api_access(None, environ, service_account=ACCOUNT)
    assert access == ApiAccess(url, token_file=ACCOUNT / "token", ca_file=ACCOUNT / "ca.crt")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://127.0.0.1:8001/", "http://127.0.0.1:8001"),
        ("https://proxy.example/k8s/clusters/c-1/", "https://proxy.example/k8s/clusters/c-1"),
        ("http://[::1]:8001/a", "http://[::1]:8001/a"),
        (" http://proxy ", "http://proxy"),
    ],
)
def test_a_given_url_keeps_its_prefix_and_gets_no_service_account(given: str, url: str) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert api_access(given, environ, service_account=ACCOUNT) == ApiAccess(url, None, None)


@pytest.mark.parametrize(
    "given",
    [
        "127.0.0.1:8001",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host:99999",
        "http://[::1",
        "https://host/?watch=true",
        "https://host/#here",
        "//host",
        f"http://{'x' * 64}.example.org",
        "http://a..b",
    ],
)
def test_what_is_no_http_url_is_a_problem_of_the_settings(given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        api_access(given, {})
    (problem,) = caught.value.problems
    assert problem.name == "WATCHER_KUBE_URL"
    assert problem.value == given


def test_a_password_in_the_url_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        api_access("https://user:hunter2@host", {})
    assert "hunter2" not in str(caught.value)


def test_an_access_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("very-secret")
    access = api_access(None, {}, service_account=tmp_path)
    assert "very-secret" not in repr(access)


@pytest.mark.parametrize(("host", "port"), [("x" * 64, "443"), ("10.0.0.1", "https"), ("10.0.0.1", "99999")])
def test_an_environment_that_names_no_host_is_a_problem_that_names_its_variables(
    host: str, port: str
) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    with pytest.raises(SettingsError, match="KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT"):
        api_access(None, environ)
