# An image with the watcher and all built-in agents. Another agent is one line in an image of your own:
#
#     FROM kube-log-watcher:0.1.0
#     RUN pip install --no-cache-dir that-agent
#
# The base must have Python 3.11 or newer, with pip. Pin it by digest for builds that can be repeated:
# --build-arg BASE=python:3.13.9-slim-trixie@sha256:...
ARG BASE=python:3.13.9-slim-trixie

FROM ${BASE} AS build
WORKDIR /src
COPY . .
# pip compiles what it installs: nothing has to be, and with a read-only file system can be, later.
RUN python3 -m venv --without-pip /opt/kube-log-watcher \
    && python3 -m pip --python /opt/kube-log-watcher/bin/python install --no-cache-dir \
        ./kube_log_watcher_*/ '.[all]'
# stevedore remembers entry points in a folder that may be missing, or stale after a pip install:
# a file .disable in there switches that off.
RUN mkdir -p /opt/kube-log-watcher/cache/python-entrypoints \
    && touch /opt/kube-log-watcher/cache/python-entrypoints/.disable

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kube-log-watcher" \
    org.opencontainers.image.description="Tells a node's log shippers which container logs to follow and how to label them" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/kube-log-watcher /opt/kube-log-watcher
# PIP_PYTHON: the base's pip installs into the watcher's environment, which has none of its own.
# MALLOC_ARENA_MAX: glibc would keep a heap for each thread; these threads wait most of the time.
ENV PATH=/opt/kube-log-watcher/bin:$PATH \
    PIP_PYTHON=/opt/kube-log-watcher/bin/python \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=1 \
    XDG_CACHE_HOME=/opt/kube-log-watcher/cache
# Log folders and the files in them belong to root, and nobody else may look into them. Root without a
# capability can read what is root's, and nothing else; it needs no writable root file system.
USER 0:0
STOPSIGNAL SIGTERM
ENTRYPOINT ["kube-log-watcher"]
CMD ["run"]
