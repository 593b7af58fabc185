"""A certificate authority and a server's certificate for loopback, made by the openssl command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_AUTHORITY = """\
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = fake-kubernetes-ca
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""

_SERVER = """\
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

LOOPBACK = ("IP:127.0.0.1", "DNS:localhost")


@dataclass(frozen=True)
class Certificate:
    """The files that a server and its clients need."""

    ca_file: Path
    certificate_file: Path
    key_file: Path

    def server_context(self) -> ssl.SSLContext:
        """Return what a server wraps its connections with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate_file, self.key_file)
        return context


def openssl_missing() -> bool:
    """Whether the openssl command is missing, so that `make_certificate` can't work."""
    return shutil.which("openssl") is None


def make_certificate(folder: Path, *, names: Sequence[str] = LOOPBACK, days: int = 2) -> Certificate:
    """Make an authority of its own, and a certificate for these names (as openssl has them) signed by it.

    With ``days`` below zero, the certificate has expired.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "authority.cnf").write_text(_AUTHORITY)
    (folder / "server.ext").write_text(f"{_SERVER}subjectAltName = {','.join(names)}\n")
    made = Certificate(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    authority = ["-config", "authority.cnf", "-keyout", "ca.key"]
    _openssl(folder, "req", "-x509", "-days", "2", *key, *authority, "-out", "ca.crt")
    request = ["-config", "authority.cnf", "-subj", "/CN=fake-kubernetes"]
    _openssl(folder, "req", "-new", *key, *request, "-keyout", "server.key", "-out", "server.csr")
    signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "server.ext"]
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-days", str(days), *signing, "-out", "server.crt")
    return made


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)
