"""What pods' authors try who would have another's log, or spoil it. None of it may change anything."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from benchmarks.fuzz.happenings import Happening
from benchmarks.fuzz.model import PREFIX, PodModel
from benchmarks.fuzz.pods import HASH, MIRROR, Pods
from benchmarks.fuzz.site import Site
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import ContainerStatus, pod_object

THEIRS = {"application": "stranger", "version": "v0", "release": "stranger"}


class Hostilities:
    """Does to a site what strangers could do."""

    def __init__(self, site: Site, victims: Pods, rng: random.Random) -> None:
        self._site = site
        self._victims = victims
        self._rng = rng
        self._count = 0
        self.bag: Mapping[Happening, int] = {self.a_hash_is_claimed: 2, self.junk_is_put: 1}
        if site.layout is Layout.CRI:
            self.bag = {
                **self.bag,
                self.an_id_is_claimed: 2,
                self.a_log_is_a_link: 2,
                self.a_folder_is_a_link: 1,
                self.a_folder_leads_to_itself: 1,
            }

    def _victim(self) -> PodModel | None:
        return self._victims.any_pod(lambda pod: bool(pod.runs))

    def _stranger(self, *, uid: str | None = None, annotations: Mapping[str, str] | None = None) -> str:
        """Let the API show a pod of a stranger, with one container that has no log; give its uid."""
        self._count += 1
        uid = uid or str(uuid.UUID(int=self._rng.getrandbits(128)))
        self._site.api.add(
            pod_object(
                f"stranger-{self._count}",
                namespace="strangers",
                uid=uid,
                labels=THEIRS,
                annotations=annotations,
                containers=[ContainerStatus(f"none-{self._count}")],
            )
        )
        return uid

    def a_hash_is_claimed(self) -> str | None:
        """Let a pod claim by an annotation to be the one whose folder goes by that hash or uid."""
        victim = self._victim()
        if victim is None:
            return None
        annotations = {HASH: victim.folder_uid, f"{PREFIX}exclude": self._rng.choice(["true", "false"])}
        if self._rng.random() < 0.5:
            annotations[MIRROR] = victim.folder_uid
        self._stranger(annotations=annotations)
        return f"a stranger claims the hash of {victim.key}: {sorted(annotations)}"

    def an_id_is_claimed(self) -> str | None:
        """Give a link to one's own log a name with another's id, which the API has shown to be another's."""
        shown = self._site.model.shown_ids
        victim = self._victims.any_pod(
            lambda pod: pod.in_api and bool(pod.runs) and pod.runs[-1].files.id in shown
        )
        own = self._victim()
        if victim is None or own is None or victim is own:
            return None
        run, stolen = own.runs[-1], victim.runs[-1].files.id
        with self._site.lock:
            self._site.model.touch(own)
            run.contested = run.may_be_nameless = True
        name = f"{own.name[:50]}_{own.namespace}_{run.files.name}-{stolen}.log"
        with suppress(FileExistsError):
            (self._links / name).symlink_to(run.files.log)
        return f"{own.key} claims the id of {victim.key}"

    def a_log_is_a_link(self) -> str | None:
        """Let a log in one's own folder lead to another's."""
        victim = self._victim()
        if victim is None:
            return None
        uid = self._stranger()
        folder = self._pods / f"strangers_stranger-{self._count}_{uid}" / f"none-{self._count}"
        folder.mkdir(parents=True)
        (folder / "0.log").symlink_to(victim.runs[-1].files.log)
        return f"a stranger's log leads to that of {victim.key}"

    def a_folder_is_a_link(self) -> str | None:
        """Let one's own folder lead to another's."""
        victim = self._victim()
        if victim is None:
            return None
        uid = self._stranger()
        folder = self._pods / f"strangers_stranger-{self._count}_{uid}"
        folder.symlink_to(victim.runs[-1].files.log.parent.parent)
        return f"a stranger's folder leads to that of {victim.key}"

    def a_folder_leads_to_itself(self) -> str:
        """Let links lead to the folders that they lie in."""
        uid = self._stranger()
        with suppress(FileExistsError):
            (self._pods / f"strangers_stranger-{self._count}_{uid}").symlink_to(self._pods)
        with suppress(FileExistsError):
            (self._links / "self.log").symlink_to(self._links)
        return "links lead to the folders that they are in"

    def junk_is_put(self) -> str:
        """Put something among the containers that is none."""
        self._count += 1
        at = self._site.node.containers_path
        way = self._rng.randrange(5)
        if way == 0:
            os.mkfifo(at / f"junk_fifo-{self._count}_x")
        elif way == 1:
            (at / f"junk_dangling-{self._count}_x").symlink_to("/nonexistent/0.log")
        elif way == 2:
            os.mkdir(os.fsencode(at) + b"/junk_\xff_%d" % self._count)
        elif way == 3:
            (at / f"junk-{self._count}").mkdir()
            (at / f"junk-{self._count}" / "config.v2.json").write_text('{"ID": 7')
        else:
            folder = at / f"junk_fifo-log_{uuid.UUID(int=self._rng.getrandbits(128))}" / "main"
            folder.mkdir(parents=True)
            os.mkfifo(folder / "0.log")
        return f"junk of kind {way} is put among the containers"

    @property
    def _pods(self) -> Path:
        return self._site.node.containers_path

    @property
    def _links(self) -> Path:
        return self._pods.parent / "containers"
