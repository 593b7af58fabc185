"""The shippers that are churned: each a real program, and a receiver that takes what it ships."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.churn.shippers.fluentbit import FluentBit
from benchmarks.churn.shippers.fluentd import Fluentd
from benchmarks.churn.shippers.logstash import Logstash
from benchmarks.churn.shippers.rsyslog import Rsyslog
from benchmarks.churn.shippers.scalyr import Scalyr
from benchmarks.churn.shippers.shipper import Shipper
from benchmarks.churn.shippers.syslogng import Syslogng
from benchmarks.churn.shippers.vector import Vector

SHIPPERS: Mapping[str, type[Shipper]] = {
    each.name: each for each in (Scalyr, FluentBit, Fluentd, Rsyslog, Syslogng, Logstash, Vector)
}
