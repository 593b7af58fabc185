r"""Configures the Scalyr agent: an entry of ``agent.json`` per container, and friendly links for people.

Switch it on with ``WATCHER_AGENTS=scalyr``. It needs ``WATCHER_SCALYR_API_KEY`` (or
``WATCHER_SCALYR_API_KEY_FILE``) and ``WATCHER_SCALYR_DEST_PATH``; ``kube-log-watcher agents`` lists all
settings with their variables, defaults and meaning.

What it writes
--------------
``agent.json`` (``WATCHER_SCALYR_CONFIG_PATH``), whole, in one piece, and only when it differs. A new file
has mode 0600, or 0640 and the group ``WATCHER_SCALYR_CONFIG_GROUP``; one that is there keeps its owner,
group and mode. The Scalyr agent runs itself again as the owner of that file, so let that be a user who can
read the logs. Where no file with a JSON object is there at start, one with the key and without logs is
written at once, because the Scalyr agent does not start without; else the file keeps its logs until
everything on the node is known.

``<WATCHER_SCALYR_DEST_PATH>/<container id>/<application>-<version>.log``, a link to the log. The entry in
``agent.json`` names the log's real path and not this link: behind a link to a file, the Scalyr agent loses
lines when the log is rotated.

``WATCHER_SCALYR_LINKED_PATHS=true`` names the link nevertheless, as the original watcher did.

With ``WATCHER_SPOOL_DIR`` the entry names, by a glob, all files of the log that the spool keeps; the link
leads to the live log, and no change waits for the end of a log. ``max_new_log_detection_time`` is 1 s then,
because a rotation shows as a new file, and ``copy_staleness_threshold`` a week, because the files stay until
they are read.

A log's attributes are ``application``, ``component``, ``environment``, ``version`` and ``release`` (the
pod's labels), ``pod``, ``namespace``, ``container``, ``container_id``, ``parser``, the labels that
``WATCHER_LABELS_AS_ATTRIBUTES`` names, and those that the pod asks for. Those without a value, and those
that are the same for the whole node, are left out.

JSON Web Tokens are redacted in every log, and in the journal.

Each change of ``agent.json`` makes the Scalyr agent stop all copying and begin anew. So the first change
after quiet is written at once, and further ones ``WATCHER_SCALYR_WRITE_INTERVAL`` seconds apart. The whole
file is parsed and compared with what was meant before it is put in place; that takes some 5 microseconds
for each log.

When a log is gone
------------------
In the spool its files stay. Without one, the Scalyr agent goes on reading a deleted file that it has open, as
long as the file is configured and the configuration doesn't change. In both cases, mount its data folder into
the watcher, read-only, and name it in ``WATCHER_SCALYR_DATA_PATH``: what is gone then stays until the
checkpoints in there say that all is read, and without a spool at most for ``WATCHER_DRAIN_MAX_SECONDS``.
Without that setting, a segment stays for ``WATCHER_SPOOL_SECONDS``, an entry without a spool for
``WATCHER_DRAIN_SECONDS``.

What a pod can ask for
----------------------
One annotation for each setting, for the pod (``kubernetes-log-watcher/<setting>``) or for one container
(``kubernetes-log-watcher/<setting>.<container>``), which takes the place of the pod's:

========================== ===================================================================================
``scalyr-parser``          the parser's name, as plain text; default ``json``
``scalyr-sampling-rules``  a JSON list of ``match_expression`` and ``sampling_rate``, a number from 0 to 1
``scalyr-redaction-rules`` a JSON list of ``match_expression`` and, if wanted, ``replacement`` and
                           ``hash_salt``
``scalyr-attributes``      a JSON object of text and numbers
``scalyr-line-groupers``   a JSON list of ``start`` and one of ``continueThrough``, ``continuePast``,
                           ``haltBefore`` and ``haltWith``
========================== ===================================================================================

For example::

    kubernetes-log-watcher/scalyr-redaction-rules.main: |
      [{"match_expression": "card=(\\d+)", "replacement": "card=\\H1"}]

A JSON list with a member ``container`` in its objects says it for each container, as in earlier versions:
the first entry for a container counts, and holds the value as ``parser``, ``sampling-rules``,
``redaction-rules``, ``attributes`` or ``line-groupers``.

Every value is checked before it is handed on, because the Scalyr agent refuses its whole configuration, or
stops shipping all logs, for a single bad one. What can't be used is left out, for that container alone,
with one warning in the watcher's log. Expressions must run on every version of Python that the Scalyr agent
runs on: possessive quantifiers and atomic groups are refused, and so is what could take ages to match one
line, and what is too much to be checked for one log. Where a replacement hashes (``\H1``), no group of the
expression may be optional.

A log with anything unusable in its redaction annotation is not shipped at all until that is mended, unless
``WATCHER_SCALYR_BAD_REDACTION=ship``. After more than 15 minutes, the Scalyr agent has forgotten how far it
had read, and ships the log's present file from its start.

Sampling by application
-----------------------
The YAML file may hold rules that replace the pods' annotations; the first that applies counts::

    scalyr:
      sampling_rules:
        - application: shop
          component: api
          probability: 0.5
          value: [{container: main, sampling-rules: [{match_expression: DEBUG, sampling_rate: 0.1}]}]

``value`` may also be the text of an annotation. ``probability`` picks containers by the CRC-32 of their id.

Lines from Docker
-----------------
Docker wraps each message in a JSON record. Records are shipped as they are, but for the parsers that
``WATCHER_SCALYR_PARSE_LINES_JSON`` names (``a``; ``b=c``: parser ``c`` takes the place of ``b``; ``*``: all):
there the Scalyr agent takes the message out, and joins those that Docker cut at 16 KiB. Sampling and
redaction see what is shipped. Logs of CRI runtimes are always decoded.

The journal
-----------
``WATCHER_SCALYR_JOURNALD=true`` adds the monitor that reads it. The Scalyr agent then needs Python's systemd
binding, and the journal's folder at the same path as the watcher names it: without one of them it refuses its
whole configuration, and goes on with its last or doesn't start. Neither can be seen from here for sure;
where the watcher doesn't see the folder, it warns.

Extra fields come besides the Scalyr agent's own. The first of its rules that matches an entry counts, and the
watcher's is for all units: rules in ``agent.d`` come after it, and never to their turn.
"""

from __future__ import annotations

from kube_log_watcher_scalyr.agent import ScalyrAgent

__all__ = ["ScalyrAgent"]
