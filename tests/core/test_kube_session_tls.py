"""TLS to an API server, with certificates of the test's own making."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube_log_watcher_core.errors import ServerError
from kube_log_watcher_core.kube import ApiAccess
from kube_log_watcher_testing.fake_api import Certificate, FakeApi, make_certificate, openssl_missing
from kube_support import SessionClient, refusal

pytestmark = pytest.mark.skipif(openssl_missing(), reason="the openssl command is not installed")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def test_the_own_authority_is_trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/nonexistent")
    with FakeApi(certificate=certificate) as api:
        assert b"PodList" in SessionClient(ApiAccess(api.url, ca_file=certificate.ca_file)).body()


def test_an_unknown_authority_is_not_trusted(certificate: Certificate, tmp_path: Path) -> None:
    other = make_certificate(tmp_path)
    with FakeApi(certificate=certificate) as api:
        for ca_file in (other.ca_file, None):
            error = refusal(SessionClient(ApiAccess(api.url, ca_file=ca_file)), ServerError)
            assert "certificate verify failed" in str(error).lower()
        assert api.requests == []


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_an_authority_that_can_not_be_read_trusts_nobody(
    certificate: Certificate, tmp_path: Path, content: str | None
) -> None:
    ca_file = tmp_path / "ca.crt"
    if content is not None:
        ca_file.write_text(content)
    with FakeApi(certificate=certificate) as api:
        refusal(SessionClient(ApiAccess(api.url, ca_file=ca_file)), ServerError)
        assert api.requests == []


def test_an_authority_that_is_replaced_is_read_again(certificate: Certificate, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.crt"
    ca_file.write_bytes(make_certificate(tmp_path / "old").ca_file.read_bytes())
    with FakeApi(certificate=certificate) as api:
        client = SessionClient(ApiAccess(api.url, ca_file=ca_file))
        refusal(client, ServerError)
        ca_file.write_bytes(certificate.ca_file.read_bytes())
        client.body()


def test_a_certificate_of_another_host_is_not_trusted(tmp_path: Path) -> None:
    other = make_certificate(tmp_path, names=["DNS:elsewhere.example"])
    with FakeApi(certificate=other) as api:
        error = refusal(SessionClient(ApiAccess(api.url, ca_file=other.ca_file)), ServerError)
        assert "127.0.0.1" in str(error)
        assert api.requests == []
