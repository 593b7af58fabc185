"""``kubectl log-watcher``: asks the watcher of a pod's node, from wherever `kubectl` works.

It has no rights and no settings of its own: everything is a call of ``kubectl``, with the context and the
kubeconfig that were given. It needs to get pods (and nodes, for ``status --all-nodes``), and to exec into the
watcher's pods.

``explain POD...``
    prints what ``kube-log-watcher explain`` says on the node of each pod. Of a pod that is gone the API
    doesn't tell the node: then every watcher is asked, and those that remember the pod answer.
``status``
    one node's, by ``--node``, or with ``--all-nodes`` a table of all: also of nodes without a watcher, and of
    those whose watcher does not answer.
``agents``
    the agents of one node's watcher.

Exit codes are those of the watcher's commands, the worst of several; 69 where no watcher answers.
"""
