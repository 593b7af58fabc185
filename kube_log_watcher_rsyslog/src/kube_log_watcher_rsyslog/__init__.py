r"""Gives rsyslog the metadata of pods as a lookup table, and shows it no log before that is loaded.

Switch it on with ``WATCHER_AGENTS=rsyslog``. It needs ``WATCHER_RSYSLOG_FOLDER`` and the spool
(``WATCHER_SPOOL_DIR``); ``kube-log-watcher agents`` lists all settings. ``python -m
kube_log_watcher_rsyslog`` prints the one configuration that rsyslog needs. It is never changed for a
container, and nobody reloads or restarts rsyslog. It includes ``/etc/kube-log-watcher/output.conf``,
which is yours and says where lines go. The folders in it are the defaults of the chart:
``WATCHER_RSYSLOG_CONFIG`` has ``check`` look whether yours are named.

What is written
---------------
In ``WATCHER_RSYSLOG_FOLDER``, which both mount read-write:

``table.json``
    rsyslog's lookup table: for each container its id, and what is known of its pod as JSON. One more row
    names the table itself, by a hash of the others. With the shipped configuration rsyslog doesn't start
    without it: it would ship what the spool has without labels.
``control``
    the request to load the table. It is replaced with each table, and rsyslog reads the new file at once.
``ack``
    rsyslog's answer: the names of the tables that it has loaded, each on a line. The watcher empties it from
    64 KiB on.

A table is loaded some 10 ms after it is written, with a thousand rows too. A log is shown to rsyslog when
its row is loaded, and not before; while rsyslog is down, or doesn't answer, new logs wait in the spool,
and ``kube-log-watcher explain`` says so after ten seconds. As long as rsyslog answers, one table is
answered for before the next is written. A label that changes on a running pod is attached to what is read
from then on.

What arrives
------------
One JSON object for each line::

    {"log": "2026-11-25T03:00:00.000000000Z stdout F ...",
     "kubernetes": {"namespace_name": "default", "pod_name": "shop-1", "labels": {...}, ...},
     "metadata": {"filename": "/var/log/kube-log-watcher/spool/...", "fileoffset": "0"}}

``log`` is the line as the runtime wrote it, with its head. Parts of a long line of a CRI runtime are one
record, joined by the two characters ``\n``, each with its head. Annotations are told that
``WATCHER_RSYSLOG_ANNOTATIONS`` names. A NUL in a value is replaced (U+FFFD): rsyslog's texts end there.

Nothing lost
------------
Name rsyslog's ``workDirectory`` in ``WATCHER_RSYSLOG_STATE_DIR``, read-only, and a segment stays until
rsyslog has handed on all of it, by its own notes (``imfile-state:<inode>:...``). They count for the path and
inode that they name. Unset, a segment stays for ``WATCHER_SPOOL_SECONDS`` after its end.

A line counts as read when the last ruleset has taken it: ``main_queue(queue.type="Direct")`` and
``maxSubmitAtOnce="1"``. With more at once, rsyslog notes up to a thousand lines as read that its output
has not taken, and a SIGKILL loses them; ``persistStateAfterSubmission`` doesn't help against that. An
action with a queue of its own in memory loses that with the process; give it a queue on disk.

Its own affairs are these. A SIGKILL while it catches up, or a SIGTERM while its receiver refuses, ships
up to ten lines again (``persistStateInterval``; it is a matter of speed). A last line without an end, as
a crash of a node leaves it, is never shipped.

A pod that asks for redaction (``kubernetes-log-watcher/scalyr-redaction-rules``) is held: rsyslog is not
known to do it. One that asks while its log is read already has ``held`` in its row, and the configuration
drops what is read from then on.

How it was proven: with Debian's rsyslog 8.2302, ended by SIGTERM and SIGKILL while logs rotated and pods came
and went, the watcher killed, and a receiver that refused (``python -m benchmarks.churn --shipper rsyslog``).
"""

from __future__ import annotations

from kube_log_watcher_rsyslog.agent import RsyslogAgent
from kube_log_watcher_rsyslog.settings import RsyslogSettings

__all__ = ["RsyslogAgent", "RsyslogSettings"]
