"""Gives syslog-ng the metadata of pods as a pattern database, and shows it no log before that is loaded.

Switch it on with ``WATCHER_AGENTS=syslogng``. It needs ``WATCHER_SYSLOGNG_FOLDER`` and the spool
(``WATCHER_SPOOL_DIR``); ``kube-log-watcher agents`` lists all settings. ``python -m
kube_log_watcher_syslogng`` prints the one configuration that syslog-ng needs. It is never changed for a
container, and nobody reloads or restarts syslog-ng. It includes ``/etc/kube-log-watcher/output.conf``,
which is yours and says where lines go. The folders in it are the defaults of the chart:
``WATCHER_SYSLOGNG_CONFIG`` has ``check`` look whether yours are named. Start syslog-ng in the foreground
(``--foreground``) and without ``--stderr``, by which it would not say to the watcher which table it has.

What is written
---------------
In ``WATCHER_SYSLOGNG_FOLDER``, which both mount read-write:

``table.xml``
    a pattern database (``db-parser``) with a rule for each container, by its id, that attaches what is
    known of its pod as JSON. syslog-ng takes such values for templates; a ``$`` is written twice, so
    that nothing in it is expanded. One more rule names the table itself, by a hash of the others.
``present.conf``
    a comment. The configuration includes it, so that syslog-ng doesn't start before there is a table:
    it would ship what the spool has without labels.
``ack``
    syslog-ng's answer, once a second: the name of the table that it has. The watcher empties it from 64
    KiB on.

syslog-ng looks at the table by itself, every five seconds. A log is shown to it when it has said that it
has the log's rule, and not before: some six seconds later at the most. While it is down, or doesn't
answer, new logs wait in the spool, and ``kube-log-watcher explain`` says so after ten seconds. A label
that changes on a running pod is attached as soon.

What arrives
------------
One JSON object for each line, where ``output.conf`` uses ``template(t_klw_json)``::

    {"kubernetes": {"namespace_name": "default", "pod_name": "shop-1", "labels": {...}, ...},
     "filename": "/var/log/kube-log-watcher/spool/...",
     "log": "2026-11-25T03:00:00.000000000Z stdout F ..."}

``log`` is the line as the runtime wrote it, with its head; parts of a long line of a CRI runtime (``P``)
arrive as they are. The metadata are passed on as they were written: taken apart into syslog-ng's own
values, a label whose name has a dot in it would become another. Annotations are told that
``WATCHER_SYSLOGNG_ANNOTATIONS`` names.

Nothing lost
------------
``WATCHER_SYSLOGNG_PERSIST_FILE`` is syslog-ng's persist file, and a segment stays until syslog-ng has
read all of it, and its destination has taken that. It goes for no other reason, save that the spool is
full: syslog-ng loses lines, or ends, when a file is taken from it that it has not read. So a last line
without an end, as a crash of a node leaves it, keeps its segment, and so does a persist file that can't
be read.

Don't reload syslog-ng for the watcher's sake. syslog-ng 3.38 ends by a fault of its own when it is reloaded
while lines are on their way and folders of the spool come or go (a use after free in its ``wildcard-file``).
It does so now and then without a reload, too (``log_pipe_queue: assertion failed``, in one short churn of
three here). It is then started again, as a kubelet does, and goes on where its persist file says.

A pod that asks for redaction (``kubernetes-log-watcher/scalyr-redaction-rules``) is held: syslog-ng is not
known to do it. One that asks while its log is read already has ``held`` in its row, and the configuration
drops what is read from then on.

How it was proven: with Debian's syslog-ng 3.38.1, ended by SIGTERM and SIGKILL while logs rotated and
pods came and went, the watcher killed, and a receiver that refused (``python -m benchmarks.churn
--shipper syslogng``).
"""

from __future__ import annotations

from kube_log_watcher_syslogng.agent import SyslogngAgent
from kube_log_watcher_syslogng.settings import SyslogngSettings

__all__ = ["SyslogngAgent", "SyslogngSettings"]
