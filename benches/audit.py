"""The API server's audit log: what clients asked it, and when."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from measure import NotMeasured

PATIENCE_SECONDS = 300


@dataclass
class Times:
    """When a Job's POST came in, and when the Job controller had last written its status."""

    posted: datetime
    finished: datetime


class Audit:
    def __init__(self, kubeconfig):
        self.log = Path(kubeconfig).with_name("audit.log")
        if not self.log.exists():
            raise NotMeasured("the cluster has no audit log here")
        self.offset = 0

    def begin(self):
        """Forgets what has been."""
        self.offset = self.log.stat().st_size

    def entries(self):
        with self.log.open("rb") as log:
            log.seek(self.offset)
            for line in log:
                if line.endswith(b"\n"):  # the last may still be being written
                    yield json.loads(line)

    def jobs(self, namespace, count):
        """Returns the Times of so many Jobs, all of which have ended, by name."""
        times, _ = self.look(namespace)
        if len(times) != count:
            raise NotMeasured(f"the audit log has {len(times)} Jobs in {namespace} and not {count}")
        return times

    def deleted_jobs(self, namespace, count):
        """Waits until so many Jobs have been deleted, which the Mage server does after their end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.look(namespace)[1]) < count:
            if time.monotonic() > deadline:
                raise NotMeasured(f"the Mage server did not run {count} Jobs within {PATIENCE_SECONDS} s")
            time.sleep(0.5)
        return self.jobs(namespace, count)

    def look(self, namespace):
        """Returns the Times of the Jobs by name, and the names of those deleted."""
        posted, finished, deleted = {}, {}, set()
        for entry in self.entries():
            subject = entry.get("objectRef") or {}
            if subject.get("resource") != "jobs" or subject.get("namespace") != namespace:
                continue
            code = (entry.get("responseStatus") or {}).get("code")
            name, part = subject.get("name"), subject.get("subresource")
            if part is None and entry["verb"] == "create" and code == 201:
                posted.setdefault(name, moment(entry, "requestReceivedTimestamp"))
            elif part is None and entry["verb"] == "delete" and code == 200:
                deleted.add(name)
            elif part == "status" and code == 200 and entry["verb"] in ("update", "patch"):
                finished[name] = moment(entry, "stageTimestamp")
        return {name: Times(posted[name], finished[name]) for name in posted.keys() & finished.keys()}, deleted

    def unschedulable(self, namespace):
        """Returns when the scheduler first wrote the status of a pod: it writes none of a pod that it places."""
        for entry in self.entries():
            subject = entry.get("objectRef") or {}
            writes = entry["user"]["username"] == "system:kube-scheduler" and subject.get("subresource") == "status"
            if writes and subject.get("namespace") == namespace:
                return moment(entry, "stageTimestamp")
        raise NotMeasured(f"the scheduler said nothing of a pod in {namespace}")

    def requests(self, agent):
        """Counts the requests of one client by what they ask for."""
        asked = {entry["auditID"]: entry for entry in self.entries() if entry.get("userAgent", "").startswith(agent)}
        return Counter(kind(entry) for entry in asked.values())


def moment(entry, stage):
    return datetime.fromisoformat(entry[stage].replace("Z", "+00:00"))


def kind(entry):
    subject = entry.get("objectRef") or {}
    parts = [subject.get("resource"), subject.get("subresource")]
    return f"{entry['verb']} {'/'.join(part for part in parts if part)}"


def overheads(times, blocks):
    """Returns the seconds from the end of each block's last upstream Job to the POST of its own."""
    return [
        (times[block].posted - max(times[other].finished for other in upstream)).total_seconds()
        for block, upstream in blocks.items()
        if upstream
    ]


def by_order(times):
    """Takes Jobs for a chain in the order in which they were posted."""
    names = sorted(times, key=lambda name: times[name].posted)
    return {name: [before] for before, name in zip(names, names[1:])}


def from_first_to_last(times):
    """Returns the seconds from the first POST to the end of the last Job."""
    return (max(one.finished for one in times.values()) - min(one.posted for one in times.values())).total_seconds()
