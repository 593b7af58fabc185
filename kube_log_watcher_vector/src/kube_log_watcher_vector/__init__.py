r"""Tells Vector what each container log is of, for one static configuration over the spool.

Switch it on with ``WATCHER_AGENTS=vector``. It needs ``WATCHER_SPOOL_DIR`` and ``WATCHER_VECTOR_FOLDER``;
``kube-log-watcher agents`` lists all settings. ``python -m kube_log_watcher_vector`` prints the configuration
for Vector. Run it with a file of your own that has sinks, whose inputs are ``[klw_labelled]``::

    vector --watch-config --config /etc/vector/klw.yaml --config /etc/vector/output.yaml

Change the folders in it where yours are others. Vector needs no access to the Kubernetes API, and nobody
reloads it: with ``--watch-config`` it notices by itself that the table has changed, and loads that alone.

What it writes
--------------
``<WATCHER_VECTOR_FOLDER>/kube-log-watcher.csv``, an enrichment table with two columns::

    "container_id","metadata"
    "<container id>","{""application"":""shop"",""container_name"":""main"", ...}"

The configuration's transform finds the row by the id in the segment's name, and makes ``.kubernetes`` of what
its JSON says. A pod's annotations are told where ``WATCHER_VECTOR_ANNOTATIONS`` names them. The table must be
there when Vector starts: the watcher writes it at once, be it without rows. Nothing is expanded in a table.

Nothing lost
------------
A log is shown when Vector may have taken its row up: ``WATCHER_VECTOR_RELOAD_SECONDS`` after it was written.
Vector waits one second for further changes.

How far Vector has read can't be told. It knows a file by a checksum of its first line, and the watcher
reads no line of a log. So segments stay for ``WATCHER_SPOOL_SECONDS`` after they were closed: give that a
day. The spool's bounds on disk space hold anyway, and what was rotated away while Vector was down is still
there.

The fingerprint strategy ``device_and_inode`` would tell it. Then name ``checkpoints.json`` (of the folder
``<data_dir>/klw``) in ``WATCHER_VECTOR_CHECKPOINTS``, with the spool mounted at the same path here as for
Vector. But Vector then takes a new file for an old one whose inode number it got, for a minute after the
old one was removed, and after a restart for good, and loses as many bytes of its beginning as it had read
of the old. The watcher can't keep the kernel from giving a number out again: where each line counts, stay
with the checksum.

Read is not delivered: what is under way is Vector's to keep. Give the sinks ``acknowledgements``, and buffers
on disk.

A pod that asks for redaction (``kubernetes-log-watcher/scalyr-redaction-rules``) is not shipped: this
configuration doesn't do that. Where the annotation comes when the log is being read already, the metadata has
``held``, and the configuration drops what is read from then on.

How it was proven: read, not run. Vector itself was not to be had. The transform was compiled and run by
Vector's own language (the package ``vrl-python``) with rows in place of the table; the table's and the
checkpoints' forms, and what is said above of inodes, are by Vector's sources.
"""

from __future__ import annotations

from kube_log_watcher_vector.agent import VectorAgent
from kube_log_watcher_vector.settings import VectorSettings

__all__ = ["VectorAgent", "VectorSettings"]
