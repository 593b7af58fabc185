"""Gives Grafana Alloy, Promtail and Prometheus agents their logs and labels, by ``file_sd``.

Switch it on with ``WATCHER_AGENTS=filesd``. It needs ``WATCHER_FILESD_FOLDER``; ``kube-log-watcher agents``
lists all settings. ``python -m kube_log_watcher_filesd`` prints a configuration for Alloy: put it into a
folder together with a file of your own that says where lines go (``loki.write "output" { ... }``).

What it writes
--------------
``<WATCHER_FILESD_FOLDER>/kube-log-watcher.json``, one group of targets for each log::

    [
    {"labels": {"__path__": "/var/log/kube-log-watcher/spool/default_shop-1_<uid>/main-<id>.*.log",
                "namespace": "default", "pod": "shop-1", "container": "main", ...}, "targets": ["localhost"]}
    ]

A change is seen at the shipper's next look: after ``refresh_interval``, which is 5 minutes in Alloy unless
its configuration says otherwise.

Attached to each line are the labels ``namespace``, ``pod``, ``container``, ``node``, ``cluster``,
``environment``, ``application``, ``component``, ``version``, ``release``, ``layout`` (``docker`` or
``cri``: how a line is wrapped), and what ``WATCHER_LABELS_AS_ATTRIBUTES`` asks for. What is not known has
none. Loki takes 15 labels, unless it is told otherwise.

For relabeling only, and not attached, are ``__meta_kubernetes_pod_label_<name>``,
``__meta_kubernetes_pod_annotation_<name>`` (those that ``WATCHER_FILESD_ANNOTATIONS`` names),
``__meta_kubernetes_pod_uid``, ``__meta_kubernetes_pod_container_id`` and
``__meta_kubernetes_pod_container_image``, as Prometheus's own discovery of pods names them: rules for that go
on working. ``__meta_klw_image`` and ``__meta_klw_image_version`` are parts of the last.

Prometheus refuses a whole file for one name with a ``.`` or ``/`` in it, or one value that is no text. Such
characters become ``_``. Where two names of one pod come to the same, the one that has it by itself keeps it,
and the other gets a hash at its end. No pod's label takes the place of ours, or of ``__path__``.

Nothing lost
------------
With ``WATCHER_SPOOL_DIR`` the path is a glob for all files of the log that the spool keeps. Name the file of
positions in ``WATCHER_FILESD_POSITIONS``, and a segment stays until it is read: for Alloy it is
``<storage.path>/loki.source.file.klw/positions.yml``. Its notes have no inodes, but a segment's path is never
used again. They are written every ten seconds. They mean read and not delivered: ask Alloy for a write-ahead
log on disk (``loki.write`` has ``wal``), if what is under way at its end matters.

Without the spool the path is that of the live log, and how far that was read can't be told.

Alloy knows a file by its path *and* its attached labels. A label that changes on a running pod makes it read
again what the spool has of that log. Who can't have that leaves to ``discovery.relabel`` only labels that
don't change, as ``namespace``, ``pod`` and ``container``.

A pod that asks for redaction (``kubernetes-log-watcher/scalyr-redaction-rules``) gets no target: these
shippers are not known to do it.

How it was proven: with Prometheus 2.42, which discovers the file and its changes by itself, and ``promtool``.
Alloy and Promtail were read, not run: their positions are in the form that their sources give, and the
configuration for Alloy is by its documentation.
"""

from __future__ import annotations

from kube_log_watcher_filesd.agent import FilesdAgent
from kube_log_watcher_filesd.settings import FilesdSettings

__all__ = ["FilesdAgent", "FilesdSettings"]
