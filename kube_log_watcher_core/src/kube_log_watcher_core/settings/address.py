"""The kind of setting that names an address to listen on."""

from __future__ import annotations

import ipaddress
import re

import attrs

from kube_log_watcher_core.settings.kinds import Kind, yaml_text

_FORM = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", re.ASCII)


@attrs.frozen
class Address:
    """A host and a port."""

    host: str
    """A name, or an IP address; IPv6 without brackets."""
    port: int
    """0: the kernel chooses one."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _address(text: str) -> Address:
    found = _FORM.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        raise ValueError(text)
    if found["six"] is not None:
        return Address(str(ipaddress.IPv6Address(found["six"])), int(found["port"]))
    found["host"].encode("idna")  # raises on what the resolver would: a label that is empty or too long
    return Address(found["host"], int(found["port"]))


ADDRESS: Kind[Address] = Kind(
    "HOST:PORT to listen on, IPv6 in brackets, e.g. 0.0.0.0:9090 or [::]:9090",
    _address,
    lambda value: _address(yaml_text(value)),
    metavar="HOST:PORT",
)
