"""Where the Kubernetes API is, and how to get in: its address, its authorities, and the token."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from kube_log_watcher_core.errors import Problem, SettingsError, Unauthorized
from kube_log_watcher_core.files.signature import Signature, signature

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts a pod's service account."""

_TOKEN = re.compile(r"[\x21-\x7e]+")


@attrs.frozen
class ApiAccess:
    """Where the API is and how to get in. Holds the names of secrets' files, never a secret."""

    url: str
    """The base of all requests, with any path prefix, without a trailing slash."""
    token_file: Path | None = None
    """The bearer token's file, read again when it changes and on 401; None sends no token."""
    ca_file: Path | None = None
    """The authorities that may have signed the server's certificate; None takes the system's."""


def api_access(
    kube_url: str | None, environ: Mapping[str, str], *, service_account: Path = SERVICE_ACCOUNT
) -> ApiAccess:
    """Find the API: the proxy at `kube_url`, else the cluster's own with the service account.

    A proxy authenticates by itself, so the service account is not shown to it.
    Raises `SettingsError` when `kube_url` is not an HTTP(S) URL, or the environment names no host.
    """
    if kube_url:
        return ApiAccess(_checked(kube_url))
    url = "https://kubernetes.default.svc"
    if host := environ.get("KUBERNETES_SERVICE_HOST", ""):
        bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
        port = environ.get("KUBERNETES_SERVICE_PORT") or "443"
        try:
            url = _checked(f"https://{bracketed}:{port}")
        except SettingsError:
            name = "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT"
            expected = "a host and a port, as the kubelet sets them"
            problem = Problem(name, "environment", f"{host[:100]}:{port[:100]}", expected)
            raise SettingsError([problem]) from None
    return ApiAccess(url, token_file=service_account / "token", ca_file=service_account / "ca.crt")


def _checked(kube_url: str) -> str:
    try:
        parts = urlsplit(kube_url.strip())
        (parts.hostname or "").encode("idna")
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket too many, a part of the name too long
        raise _problem(kube_url) from None
    if not good or "@" in parts.netloc or parts.query or parts.fragment:
        raise _problem(kube_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _problem(kube_url: str) -> SettingsError:
    shown = "***" if "@" in kube_url else kube_url[:100]  # what stands before an @ may be a password
    expected = "an http or https URL without user, query and fragment, e.g. http://127.0.0.1:8001"
    return SettingsError([Problem("WATCHER_KUBE_URL", "settings", shown, expected)])


class Token:
    """The bearer token, read again when its file changes: bound tokens rotate hourly."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: Signature | None = None
        self._value: str | None = None

    @property
    def changed(self) -> bool:
        """Whether the file is another than the one that was read last."""
        return signature(self._path) != self._seen

    def headers(self) -> dict[str, str]:
        """Return the header that carries the token; none without a token's file.

        Raises `Unauthorized` when there should be a token and is none.
        """
        if self._path is None:
            return {}
        if self._value is None or self.changed:
            self._seen = signature(self._path)  # first: what is replaced meanwhile is read once more
            self._value = _read(self._path)
        return {"Authorization": f"Bearer {self._value}"}

    def mask(self, body: bytes) -> bytes:
        """Return what a server or proxy said without the token: some give a request back as they got it."""
        return body.replace(self._value.encode(), b"***") if self._value else body

    def renewed(self) -> bool:
        """Whether the file, read again whatever it looks like, holds another token now."""
        refused, self._value = self._value, None
        with contextlib.suppress(Unauthorized):
            self.headers()
        return self._value not in (None, refused)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise Unauthorized(f"the token can't be read: {path}: {error.strerror}") from error
    # Anything else would be refused by the HTTP library with an error that quotes it.
    if not _TOKEN.fullmatch(text):
        raise Unauthorized(f"the token can't be used: {path} is empty or has characters that no token has")
    return text
