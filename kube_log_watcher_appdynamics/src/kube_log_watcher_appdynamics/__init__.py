"""An agent of kube-log-watcher that writes job files for the AppDynamics analytics agent.

Switch it on with ``appdynamics`` in ``WATCHER_AGENTS``. It needs one setting:

``WATCHER_APPDYNAMICS_DEST_PATH``
    (YAML: ``appdynamics: {dest_path: ...}``) the folder of job files, ``conf/job`` of the analytics
    agent. It must be there already and be mounted read-write; mount the folder and not single files.

What is written
    For each log one file ``container-<container id>-jobfile.job``. It goes when the container goes.
    Files of this form of name belong to the watcher, also those of earlier versions; all others in
    the folder are left alone. A file is replaced in one step, and only when its content changes;
    while it is made, its name starts with a dot and doesn't end in ``.job``.

Fields of every event
    ============================ ===============================================================
    ``sourceType``               ``application-`` and the application
    ``nodeName``                 the node, ``unknown`` when it isn't known
    ``LogFile``                  the log's file name
    ``application_id``           label ``application``, else the pod's name
    ``application_version``      label ``version``, else ``none``
    ``application_release``      label ``release``; left out without it
    ``application_pod``          the pod's name
    ``application_namespace``    the pod's namespace
    ``container_name``           the container's name
    ``kubernetes_cluster``       ``WATCHER_CLUSTER_ID``; left out without it
    ``tierName``                 label ``appdynamics_tier``; left out without it
    ``appName``                  label ``appdynamics_app``; left out without it
    ============================ ===============================================================

    Labels that ``WATCHER_LABELS_AS_ATTRIBUTES`` names become fields under their own names, except
    where a name means something already: a pod can't pass a label off as one of the fields above.

    The grok pattern adds ``logMessage``, ``logStream``, ``logTimestamp`` and, for CRI, ``logTag``
    (``F``: a whole line or the end of one; ``P``: a piece that goes on in the next event). Docker's
    messages stay escaped as in JSON, without the newline that ends each.

Time
    Runtimes write UTC with up to nine digits behind the second. The pattern names the zone: without
    it the analytics agent would take the times for its own local ones. A record written at exactly
    a full second, which has no fraction at all, doesn't fit it.

Not known of the analytics agent, which is not free software: how soon it takes up new and changed
files; what it does when a file goes while lines are unread; what one broken file does to the others;
how it finds the time in a record; how it follows a log that is rotated by renaming; which names of
fields it accepts (labels have ``.`` and ``/`` in theirs); how one escapes special characters in
``nameGlob`` (none are written). The watcher's part is tested: files are read back with an independent
parser, and the patterns run over recorded logs of Docker and containerd.
"""

from __future__ import annotations

from kube_log_watcher_appdynamics.agent import AppDynamicsAgent
from kube_log_watcher_appdynamics.settings import AppDynamicsSettings

__all__ = ["AppDynamicsAgent", "AppDynamicsSettings"]
