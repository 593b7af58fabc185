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

A log's attributes are ``application``, ``component``, ``environment``, ``version`` and ``release`` (the
pod's labels), ``pod``, ``namespace``, ``container``, ``container_id``, ``parser``, and the labels that
``WATCHER_LABELS_AS_ATTRIBUTES`` names. Those without a value, and those that are the same for the whole
node, are left out.

JSON Web Tokens are redacted in every log, and in the journal.

What a pod can ask for
----------------------
Annotations hold a JSON list with an object for each container; the first one for a container counts.

========================================== ==================== =============================================
annotation                                 member               value
========================================== ==================== =============================================
``kubernetes-log-watcher/scalyr-parser``   ``parser``           the parser's name; default ``json``
``.../scalyr-sampling-rules``              ``sampling-rules``   a list of ``match_expression`` and
                                                                ``sampling_rate``, a number from 0 to 1
``.../scalyr-redaction-rules``             ``redaction-rules``  a list of ``match_expression`` and, if wanted,
                                                                ``replacement`` and ``hash_salt``
========================================== ==================== =============================================

For example::

    kubernetes-log-watcher/scalyr-redaction-rules: |
      [{"container": "main", "redaction-rules": [
        {"match_expression": "card=(\\d+)", "replacement": "card=\\H1"}]}]

Every rule is checked before it is handed on, because the Scalyr agent refuses its whole configuration, or
stops shipping all logs, for a single bad one. A rule that can't be used is left out, for that container
alone, with one warning in the watcher's log. Rules must run on every version of Python that the Scalyr
agent runs on: possessive quantifiers and atomic groups are refused. Where a replacement hashes (``\H1``),
no group of the expression may be optional.

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
whole configuration.
"""

from __future__ import annotations

from kube_log_watcher_scalyr.agent import ScalyrAgent

__all__ = ["ScalyrAgent"]
