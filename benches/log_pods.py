"""Pods whose logs are followed, the tools that follow them, and a proxy that is far away."""

import json
import queue
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from measure import LOCAL_CLUSTER, OURS, NotMeasured
from on_cluster import IMAGE, fresh_namespace

# A gibibyte of lines of 100 to 200 bytes.
GIBIBYTE_SCRIPT = """awk 'BEGIN {
  text = "the quick brown fox jumps over the lazy dog, "
  while (length(text) < 200) text = text text
  for (bytes = 0; bytes < 1073741824; bytes += length(line) + 1) {
    line = sprintf("%08d %s", ++n, substr(text, 1, 90 + n * 37 % 101))
    print line
  }
}'"""
# Each line holds the pod's own clock, in microseconds.
CLOCK_SCRIPT = "while :; do echo written | ts %.s; usleep 20000; done"
QUIET_SCRIPT = "n=0; while :; do n=$((n + 1)); echo \"line $n of a quiet pod\"; sleep 1; done"


def start_job(machine, name, script, pods=1):
    """Starts a Job whose pods run a script, in a namespace of its own, and returns the namespace."""
    namespace = fresh_namespace(machine)
    container = {"name": "writer", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": ["/bin/sh", "-c", script]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}}
    spec = {"backoffLimit": 0, "parallelism": pods, "completions": pods, "template": template}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    machine.output([machine.kubectl, "apply", "-f", "-"], machine.with_cluster(), input=json.dumps(job))
    return namespace


def await_pods(machine, namespace, pods, phase, seconds):
    """Waits until all pods are in a phase, and returns their names."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        listed = json.loads(machine.output([machine.kubectl, "get", "pods", "-n", namespace, "-o", "json"], machine.with_cluster()))["items"]
        names = [pod["metadata"]["name"] for pod in listed if pod["status"].get("phase") == phase]
        if len(names) == pods:
            return names
        time.sleep(0.5)
    raise NotMeasured(f"{len(names)} of {pods} pods were {phase} after {seconds} s")


def end_job(machine, namespace):
    machine.output([machine.kubectl, "delete", "namespace", namespace, "--wait=false"], machine.with_cluster())


# ---- the tools -----------------------------------------------------------------------


@dataclass
class Tool:
    name: str
    command: list


def stern():
    """Builds stern once a machine, and returns its path."""
    done = subprocess.run([LOCAL_CLUSTER / "stern"], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise NotMeasured("stern could not be built")
    return done.stdout.strip()


def followers(machine, namespace, job, pods, stern_flags=()):
    """Returns what follows the pods of a Job, each tool in its natural form, and ours in bytes too."""
    here = ["-n", namespace]
    which = [pods[0]] if len(pods) == 1 else ["-l", f"app={job}", "--prefix", "--max-log-requests", str(len(pods))]
    peers = [
        Tool("kubectl logs -f", [machine.kubectl, "logs", "-f", *which, *here]),
        Tool("stern", [stern(), f"job/{job}", *here, "--max-log-requests", str(max(len(pods), 50)), *stern_flags]),
    ]
    return peers + ours(machine, namespace, job)


def ours(machine, namespace, job):
    if subprocess.run([OURS, "tail", "--help"], env=machine.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        return []
    command = [OURS, "tail", f"job/{job}", "-n", namespace]
    return [Tool("tail", command), Tool("tail -o raw", [*command, "-o", "raw"])]


# ---- far away ------------------------------------------------------------------------


class FarAway:
    """A proxy of bytes before the API server: each direction takes half of the round trip."""

    def __init__(self, kubeconfig, seconds):
        self.one_way = seconds / 2
        self.connected = None
        self.near = Path(kubeconfig).read_text()
        self.server = next(line.split('"')[1] for line in self.near.splitlines() if "server:" in line)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.in_thread(self.accept)

    def kubeconfig(self, folder):
        """Writes a kubeconfig that goes by way of the proxy, and returns its path."""
        path = Path(folder) / "far-away.kubeconfig"
        path.write_text(self.near.replace(self.server, f"https://127.0.0.1:{self.listener.getsockname()[1]}"))
        return str(path)

    def in_thread(self, what, *arguments):
        threading.Thread(target=what, args=arguments, daemon=True).start()

    def accept(self):
        host, port = self.server.removeprefix("https://").split(":")
        while True:
            here, _ = self.listener.accept()
            self.connected = self.connected or time.perf_counter()
            there = socket.create_connection((host, int(port)))
            for one, other in ((here, there), (there, here)):
                other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                held = queue.SimpleQueue()
                self.in_thread(self.hold, one, held)
                self.in_thread(self.release, held, other)

    def hold(self, source, held):
        data = b"first"
        while data:
            try:
                data = source.recv(1 << 16)
            except OSError:
                data = b""
            held.put((time.perf_counter() + self.one_way, data))

    def release(self, held, sink):
        while True:
            due, data = held.get()
            time.sleep(max(0, due - time.perf_counter()))
            try:
                if not data:
                    return sink.shutdown(socket.SHUT_WR)
                sink.sendall(data)
            except OSError:
                return None
