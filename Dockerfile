# An image with all built-in agents. To add one of your own: FROM this image, then RUN pip install it.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
COPY . /src
WORKDIR /src
RUN python3 -m venv /opt/kube-log-watcher \
    && /opt/kube-log-watcher/bin/pip install --no-cache-dir \
        ./kube_log_watcher_core ./kube_log_watcher_scalyr ./kube_log_watcher_appdynamics \
        ./kube_log_watcher_symlinker '.[all]'

FROM ${BASE}
COPY --from=build /opt/kube-log-watcher /opt/kube-log-watcher
# stevedore remembers entry points in a folder that may be missing, or stale after a pip install:
# a file .disable in there switches that off.
ENV PATH=/opt/kube-log-watcher/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/opt/kube-log-watcher/cache
RUN mkdir -p "$XDG_CACHE_HOME/python-entrypoints" && touch "$XDG_CACHE_HOME/python-entrypoints/.disable"
# Log folders and the files in them belong to root, and nobody else may look into them.
USER 0
ENTRYPOINT ["kube-log-watcher"]
CMD ["run"]
