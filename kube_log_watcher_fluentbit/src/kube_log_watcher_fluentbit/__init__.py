"""An agent of kube-log-watcher for Fluent Bit: it ships all logs of a node by one static configuration.

Fluent Bit reads the spool by one pattern, and learns from a file for each pod whose a line is. It needs no
access to the Kubernetes API, is never reloaded, and nothing of its configuration is written for a
container. Switch the agent on with ``fluentbit`` in ``WATCHER_AGENTS``, and the spool with
``WATCHER_SPOOL_DIR``: without it there is nothing that Fluent Bit could read safely, and the watcher
refuses to start.

Start in five lines
-------------------

::

    pip install 'kube-log-watcher[fluentbit]'
    python -m kube_log_watcher_fluentbit > /etc/fluent-bit/fluent-bit.yaml   # outputs: output.yaml beside it
    export WATCHER_AGENTS=fluentbit WATCHER_SPOOL_DIR=/var/log/kube-log-watcher/spool
    export WATCHER_FLUENTBIT_FOLDER=/var/log/kube-log-watcher/fluentbit
    export WATCHER_FLUENTBIT_DATABASE=/var/lib/fluent-bit/tail.db

``python -m kube_log_watcher_fluentbit`` prints the static configuration. It is the operator's: change in it
what you like, but leave ``db.compare_filename``, ``cache_use_docker_id`` and the names of paths as they
are, for these make the promise. What Fluent Bit ships to is in ``output.yaml`` beside it, say::

    pipeline:
      outputs:
        - {name: forward, match: "*", host: logs.example.org, retry_limit: no_limits}

Settings
--------

``WATCHER_FLUENTBIT_FOLDER``
    the folder that ``kube_meta_preload_cache_dir`` names. It must be there and be mounted read-write.

``WATCHER_FLUENTBIT_DATABASE``
    the file that ``db`` names. It is only read: a segment goes when the offset that stands there for its
    path *and* its inode is its size. While it can't be read nothing goes: it may be locked, or Fluent Bit
    is down and the folder is mounted read-only (after a clean stop the ``-wal`` is gone, and SQLite needs
    to make one). Without this setting segments go ``WATCHER_SPOOL_SECONDS`` after their end, read or not.
    ``db.locking`` must be off, as it is by default.

``WATCHER_FLUENTBIT_CONFIG``
    Fluent Bit's configuration. ``kube-log-watcher check``, and the start, see whether it names the spool,
    the folder and the database.

``WATCHER_FLUENTBIT_ANNOTATIONS``
    names of annotations that go with each line. None does by default but those that Fluent Bit acts on.

What is written
---------------

``<namespace>_<pod>.meta`` for each pod: uid, labels, node, the containers' images, and annotations, as the
API has them, bounded: values end after 1,000 characters, and beyond 32 KiB the chosen annotations go, then
the labels; the annotation ``kubernetes-log-watcher/truncated`` says so. A changed label is in the lines
within ``kube_meta_cache_ttl`` (5 s).

Order
-----

A log is shown when its pod's file stands: no line is without its labels. Pods of a StatefulSet have one
name after the other: the next one's logs wait, unread but kept, until the predecessor's last segment has
gone; then its own file takes the place. That holds over restarts of the watcher too, for the folder itself
says who has the name, and the spool who has segments, should the watcher's state be lost.

What a pod can ask for
----------------------

``fluentbit.io/parser[_stream][-container]``
    one of the operator's parsers, by its name; what it finds is in ``parsed``.

``fluentbit.io/exclude[_stream][-container]``
    ``"true"``: Fluent Bit reads the lines and drops them. ``kubernetes-log-watcher/exclude`` doesn't show
    them; where it comes later, Fluent Bit has the file open and reads on, so that the pod's file excludes the
    container, until its log has gone from the node.

``kubernetes-log-watcher/fluentbit-multiline``
    ``java``, ``python``, ``go`` or ``ruby``: stack traces of the whole pod are put together. Fluent Bit then
    holds the lines of one for a moment in memory, and loses these at a SIGKILL.

Redaction
    can't be promised. A log whose pod asks for it is not shown, and a warning says so; one that was shown
    before is excluded by its file: no line of it passes any more, at the latest after the TTL.

What is Fluent Bit's own
------------------------

It loses an unfinished partial line at SIGKILL, ships a partial line that a rotation splits as two records,
and may send a chunk twice after SIGKILL. It sees another state of a pod's file after the TTL: so long lines
still come of a log that has just been excluded, and none of one that is included again, of which the
present file is shipped once more at Fluent Bit's next start. A lost database is a new beginning: everything
that is there is shipped again.

Fluent Bit 5.1.1 took 18 MB with 110 containers and 52 MB with 1,000, and one inotify instance. The first
record of a new pod came 1.6 s after it at the median, on two cores with much other work.
"""

from __future__ import annotations

from kube_log_watcher_fluentbit.agent import FluentBitAgent
from kube_log_watcher_fluentbit.database import TailDatabase
from kube_log_watcher_fluentbit.settings import FluentBitSettings

__all__ = ["FluentBitAgent", "FluentBitSettings", "TailDatabase"]
