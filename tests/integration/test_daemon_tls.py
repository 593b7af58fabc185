"""The API server is verified, always: no variable, file or moment switches that off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_support import CART, Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_core.errors import ServerError
from kube_log_watcher_core.kube import ApiAccess
from kube_log_watcher_testing.fake_api import Certificate, FakeApi, make_certificate, openssl_missing
from kube_support import SessionClient, refusal
from mount_support import in_a_mount_namespace

pytestmark = pytest.mark.skipif(openssl_missing(), reason="the openssl command is not installed")

TOKEN = "precious-token"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("other"))


@pytest.mark.parametrize(
    "variable",
    [
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "PYTHONHTTPSVERIFY",
        "GIT_SSL_NO_VERIFY",
    ],
)
def test_no_variable_makes_an_impostor_trusted(
    own: Certificate, other: Certificate, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The impostor's own authority is what the variable names."""
    values = {"SSL_CERT_DIR": str(other.ca_file.parent), "PYTHONHTTPSVERIFY": "0", "GIT_SSL_NO_VERIFY": "1"}
    monkeypatch.setenv(variable, values.get(variable, str(other.ca_file)))
    with FakeApi(certificate=other) as impostor:
        error = refusal(SessionClient(ApiAccess(impostor.url, ca_file=own.ca_file)), ServerError)
        assert "certificate verify failed" in str(error).lower()
        assert impostor.requests == []


def test_neither_netrc_nor_a_proxy_gets_the_token(
    own: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password else\n")
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with FakeApi(certificate=own) as api:
        account = api.service_account(tmp_path / "account", token=TOKEN)
        access = ApiAccess(api.url, token_file=account / "token", ca_file=account / "ca.crt")
        SessionClient(access).body()
        assert api.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_certificate_that_has_expired_is_not_trusted(tmp_path: Path) -> None:
    expired = make_certificate(tmp_path, days=-1)
    with FakeApi(certificate=expired) as api:
        error = refusal(SessionClient(ApiAccess(api.url, ca_file=expired.ca_file)), ServerError)
        assert "expired" in str(error)
        assert api.requests == []


@pytest.fixture
def stage(own: Certificate, tmp_path: Path) -> Iterator[Stage]:
    account = tmp_path / "account"
    api = FakeApi(certificate=own)
    api.service_account(account, token=TOKEN)
    mounts = (
        'mount -t tmpfs none "$(readlink -f /var/run)" && mkdir -p /var/run/secrets/kubernetes.io && '
        f"ln -s '{account}' /var/run/secrets/kubernetes.io/serviceaccount"
    )
    with Stage(tmp_path, Layout.CRI, api=api, prefix=in_a_mount_namespace(mounts)) as stage:
        stage.watcher.environ |= {
            "WATCHER_KUBE_URL": None,
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": api.url.rpartition(":")[2],
        }
        yield stage


def test_a_certificate_that_changes_is_refused_until_its_authority_is_known(
    stage: Stage, other: Certificate
) -> None:
    """The whole process: what is configured stays meanwhile, and the token is not shown to the stranger."""
    one = stage.run("shop-1")
    stage.start()
    stage.wait_followed(one)
    before = stage.identities()
    stage.api.stop()
    asked = len(stage.api.requests)
    stage.api.use_certificate(other)
    stage.api.start()
    stage.watcher.wait_for_log("certificate verify failed")
    new = stage.node.add(pod="new")
    assert stage.identities() == before
    assert len(stage.api.requests) == asked
    (stage.root / "account" / "ca.crt").write_bytes(other.ca_file.read_bytes())
    stage.show(new, labels=CART)
    stage.wait_followed(one, new)
    assert stage.watcher.log.count("certificate verify failed") == 1
    assert TOKEN not in stage.watcher.log
