"""What holds for every agent of a shipper with one static configuration holds for Fluent Bit's."""

from __future__ import annotations

from pathlib import Path

from static_rules import SPOOL, StaticRules


class TestFluentBit(StaticRules):
    """Its positions are a database."""

    name = "fluentbit"
    file = "fluent-bit.yaml"
    positions = ("database", Path("/var/lib/fluent-bit/tail.db"))
    named = (str(SPOOL), "/var/log/kube-log-watcher/fluentbit", "/var/lib/fluent-bit/tail.db")
