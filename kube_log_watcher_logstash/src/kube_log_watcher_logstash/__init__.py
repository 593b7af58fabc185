r"""Tells Logstash what each container log is of, for one static configuration over the spool.

Switch it on with ``WATCHER_AGENTS=logstash``. It needs ``WATCHER_SPOOL_DIR`` and
``WATCHER_LOGSTASH_FOLDER``; ``kube-log-watcher agents`` lists all settings. ``python -m
kube_log_watcher_logstash`` prints the configuration for Logstash. Put it into a folder beside a file of
your own with ``output { ... }``, have Logstash read ``*.conf`` in that folder, and change the folders in it
where yours are others. Logstash needs no access to the Kubernetes API, and is never reloaded.

What it writes
--------------
``<WATCHER_LOGSTASH_FOLDER>/kube-log-watcher.json``, the dictionary of the ``translate`` filter, with a row
for each container::

    {
    "<container id>": "{\"application\":\"shop\",\"container_name\":\"main\", ...}"
    }

The value is a text that holds JSON, which the ``json`` filter makes ``[kubernetes]`` of. A pod's
annotations are told where ``WATCHER_LOGSTASH_ANNOTATIONS`` names them. The dictionary must be there when
Logstash starts: the watcher writes it at once, be it empty.

It is text because that is what the filter's documentation promises to take: no nested objects.

Nothing is expanded in a dictionary: ``%{...}`` and ``${...}`` in a label are text in an event.

Nothing lost
------------
A log is shown when Logstash may have seen its row: ``WATCHER_LOGSTASH_REFRESH_INTERVAL``
(``refresh_interval`` of the filter, 2 s) and a second more after it was written. Name the ``sincedb`` in
``WATCHER_LOGSTASH_SINCEDB``, and a segment stays until it is read. That means read, not delivered: set
``queue.type: persisted``.

What Logstash loses by itself
    It knows a file by its inode alone, as long as it runs. Where the file system gives the inode number of
    a removed file to a new one, which takes seconds on ext4, it begins to read the new one where it had
    stopped in the old: the beginning of the new log is lost, or all of it if it is shorter.
    ``sincedb_clean_after`` is no way out: what is forgotten while a file is still there is read once more.
    The watcher can't keep the kernel from it. Where each line counts, choose another shipper.

A pod that asks for redaction (``kubernetes-log-watcher/scalyr-redaction-rules``) is not shipped: this
configuration doesn't do that. Where the annotation comes when the log is being read already, the metadata has
``held``, and the configuration drops what is read from then on.

How it was proven: read, not run. Logstash itself was not to be had. Its file input's own code (4.4, under
Ruby, with stand-ins for Logstash's classes) wrote the ``sincedb`` that the tests read, and showed what is
said above of inodes; the configuration passes Logstash's own grammar.
"""

from __future__ import annotations

from kube_log_watcher_logstash.agent import LogstashAgent
from kube_log_watcher_logstash.settings import LogstashSettings

__all__ = ["LogstashAgent", "LogstashSettings"]
