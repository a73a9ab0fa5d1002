"""Runs on a cluster, beside a shell with kubectl and beside the genuine Mage server.

Times are the API server's, from its audit log; so are requests. Stand-in pods run on virtual nodes
(`local-cluster virtual-nodes`), where a pod takes its own time and no more: what is left is overhead.
"""

import contextlib
import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from audit import Audit, by_order, from_first_to_last, overheads
from measure import LOCAL_CLUSTER, OURS, NotMeasured, milliseconds, spawn, take_turns

# Ours divided by theirs may be this at most. To be ahead is 1.
RUNS_TARGET = 1 / 3
OVERHEAD_TARGET = 1 / 3
WALL_TARGET = 1
MAGE_OVERHEAD_TARGET = 1 / 40
MAGE_WALL_TARGET = 1
CPU_TARGET = 1 / 3

RUN_MEMORY_TARGET_MB = 60
REQUESTS_PER_BLOCK_TARGET = 8

CHAIN_BLOCKS = 20
FAN_BLOCKS = 100
GENUINE_BLOCKS = 5
LARGE_LAYERS, LARGE_WIDTH = 10, 50
RUNS_SIDE_BY_SIDE, BLOCKS_SIDE_BY_SIDE = 50, 10
REPETITIONS = 3
PENDING_TARGET_SECONDS = 2

SECONDS_OF_A_POD = 1
NODES = "bench-virtual"
IMAGE = "localhost/mage-stand-in:1"


def runs(machine, table):
    what = "list: runs in an empty namespace"
    namespace = "bench-empty"
    try:
        environment = machine.with_cluster()
        create_namespace(machine, namespace)
        theirs = [machine.kubectl, "get", "jobs", "-n", namespace]
        medians = take_turns(machine, [OURS, "runs", "-n", namespace], theirs, "", environment, 30)
        table.ratio(what, *medians, "kubectl get jobs", RUNS_TARGET)
    except NotMeasured as why:
        table.missing(what, why)


def chain(machine, table):
    blocks = {f"b{number}": [f"b{number - 1}"] if number else [] for number in range(CHAIN_BLOCKS)}
    beside_a_shell(machine, table, f"chain of {CHAIN_BLOCKS}", blocks, longest_path=CHAIN_BLOCKS)


def fan(machine, table):
    leaves = [f"b{number}" for number in range(1, FAN_BLOCKS - 1)]
    blocks = {"b0": []} | {leaf: ["b0"] for leaf in leaves} | {f"b{FAN_BLOCKS - 1}": leaves}
    beside_a_shell(machine, table, f"fan of {FAN_BLOCKS}", blocks, longest_path=3)


def beside_a_shell(machine, table, what, blocks, longest_path):
    """`run` and a shell loop of `kubectl apply` and `kubectl wait` take turns with the same Jobs.

    Overhead: from the moment that the last of a block's upstream Jobs is complete to the POST of its
    own. Wall time: of the whole command, less the time that the pods on the longest path work.
    """
    try:
        environment = machine.with_cluster()
        audit = Audit(machine.kubeconfig)
        project = write_graph(machine.folder / what.replace(" ", "-"), blocks)
        ours, theirs = Side(), Side()
        pods_own = longest_path * SECONDS_OF_A_POD
        with virtual_nodes(machine):
            for _ in range(REPETITIONS):
                namespace = fresh_namespace(machine)
                audit.begin()
                command = [OURS, "run", "graph", "--project", project, "--namespace", namespace, "--image", IMAGE, "--server-pod", "none", "--parallel", str(len(blocks))]
                ours.walls.append(spawn(command, environment) - pods_own)
                times = audit.jobs(namespace, len(blocks))
                jobs = jobs_by_block(machine, namespace, blocks, environment)
                ours.overheads += overheads({block: times[job["metadata"]["name"]] for block, job in jobs.items()}, blocks)
                shell = fresh_namespace(machine)
                audit.begin()
                theirs.walls.append(wait_and_apply(machine, shell, jobs, blocks, environment) - pods_own)
                theirs.overheads += overheads(audit.jobs(shell, len(blocks)), blocks)
        name = "kubectl apply + wait"
        table.ratio(f"{what}: overhead per block", ours.overhead(), theirs.overhead(), name, OVERHEAD_TARGET)
        table.ratio(f"{what}: run less its pods' time", ours.wall(), theirs.wall(), name, WALL_TARGET)
    except (NotMeasured, subprocess.TimeoutExpired) as why:
        table.missing(what, why)


@dataclass
class Side:
    """What was measured of one side, in seconds."""

    walls: list = field(default_factory=list)
    overheads: list = field(default_factory=list)

    def wall(self):
        return statistics.median(self.walls)

    def overhead(self):
        return statistics.median(self.overheads)


def pending(machine, table):
    """From the scheduler's word that a pod fits nowhere to the line that says why a block is pending."""
    what = "pending: condition to the line that tells"
    try:
        environment = machine.with_cluster()
        audit = Audit(machine.kubeconfig)
        project = write_graph(machine.folder / "pending", {"b0": []})
        took = []
        for _ in range(REPETITIONS):
            namespace = fresh_namespace(machine)
            audit.begin()
            # No virtual node is there.
            command = [OURS, "run", "graph", "--project", project, "--namespace", namespace, "--image", IMAGE, "--server-pod", "none", "-o", "json"]
            with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
                told = next((datetime.now(timezone.utc) for line in run.stdout if json.loads(line)["reason"] == "Unschedulable"), None)
                run.terminate()
            if told is None:
                raise NotMeasured("no line told why")
            took.append((told - audit.unschedulable(namespace)).total_seconds())
        slowest = max(took)
        table.verdict(slowest <= PENDING_TARGET_SECONDS, what, milliseconds(slowest), f"the slowest of {REPETITIONS}", "", f"{PENDING_TARGET_SECONDS} s")
    except (NotMeasured, subprocess.TimeoutExpired) as why:
        table.missing(what, why)


def genuine(machine, table):
    """A chain of genuine Mage blocks: `run`, and the Mage server with its own k8s executor."""
    what = f"{GENUINE_BLOCKS} genuine blocks"
    try:
        environment = machine.with_cluster()
        audit = Audit(machine.kubeconfig)
        blocks = {f"b{number}": [f"b{number - 1}"] if number else [] for number in range(GENUINE_BLOCKS)}
        namespace = fresh_namespace(machine)
        project = write_graph(machine.folder / "genuine", blocks, virtual=False)
        (Path(project) / "pipelines/graph/triggers.yaml").write_text(
            "triggers:\n- {name: first, pipeline_uuid: graph, schedule_type: time, schedule_interval: '@once', "
            "start_time: 2026-01-01 00:00:00, status: active, variables: {}}\n"
        )
        audit.begin()
        machine.output(
            [LOCAL_CLUSTER / "mage-server", "--name", Path(machine.kubeconfig).parent.name, "--project", project, "--namespace", namespace],
            os.environ,
        )
        theirs = Side()
        times = audit.deleted_jobs(namespace, len(blocks))
        theirs.overheads, theirs.walls = overheads(times, by_order(times)), [from_first_to_last(times)]
        ours = Side()
        for _ in range(REPETITIONS):
            audit.begin()
            machine.output([OURS, "run", "graph", "--project", project, "--namespace", namespace, "--edition", "oss"], environment, timeout=600)
            times = audit.jobs(namespace, len(blocks))
            ours.overheads += overheads(times, by_order(times))
            ours.walls.append(from_first_to_last(times))
        name = "the Mage server"
        table.ratio(f"{what}: overhead per block", ours.overhead(), theirs.overhead(), name, MAGE_OVERHEAD_TARGET)
        table.ratio(f"{what}: first POST to last end", ours.wall(), theirs.wall(), name, MAGE_WALL_TARGET)
    except (NotMeasured, subprocess.TimeoutExpired) as why:
        table.missing(what, why)


def scale(machine, table):
    """One large run, and many runs side by side: requests, memory, and processor time per block."""
    count = LARGE_LAYERS * LARGE_WIDTH
    blocks = {f"b{layer}-{at}": [f"b{layer - 1}-{at}"] if layer else [] for layer in range(LARGE_LAYERS) for at in range(LARGE_WIDTH)}
    measure_scale(machine, table, f"run of {count} blocks", blocks, 1)
    blocks = {f"b{number}": [f"b{number - 1}"] if number else [] for number in range(BLOCKS_SIDE_BY_SIDE)}
    measure_scale(machine, table, f"{RUNS_SIDE_BY_SIDE} runs of {BLOCKS_SIDE_BY_SIDE} blocks", blocks, RUNS_SIDE_BY_SIDE)


def measure_scale(machine, table, what, blocks, runs_at_once):
    try:
        environment = machine.with_cluster()
        audit = Audit(machine.kubeconfig)
        project = write_graph(machine.folder / what.replace(" ", "-"), blocks)
        apply = processor_time_of_apply(machine, environment)
        with virtual_nodes(machine):
            namespace = fresh_namespace(machine)
            audit.begin()
            command = [OURS, "run", "graph", "--project", project, "--namespace", namespace, "--image", IMAGE, "--server-pod", "none", "--parallel", str(len(blocks))]
            usages = used_by([command] * runs_at_once, machine, environment)
            total = len(blocks) * runs_at_once
            audit.jobs(namespace, total)
            requests = audit.requests("kubectl-mage/")
        table.memory(f"{what}: peak memory of a process", max(usage.megabytes for usage in usages), RUN_MEMORY_TARGET_MB)
        each = sum(usage.seconds for usage in usages) / total
        table.ratio(f"{what}: processor time per block", each, apply, "one kubectl apply", CPU_TARGET)
        rate = sum(requests.values()) / total
        kinds = ", ".join(f"{count / total:.2f} {kind}" for kind, count in requests.most_common(5))
        table.verdict(rate <= REQUESTS_PER_BLOCK_TARGET, f"{what}: requests per block", f"{rate:.2f}", kinds, "", str(REQUESTS_PER_BLOCK_TARGET))
    except (NotMeasured, subprocess.TimeoutExpired) as why:
        table.missing(what, why)


@dataclass
class Usage:
    seconds: float
    megabytes: float


def used_by(commands, machine, environment):
    """Runs commands side by side to their ends, and returns what each used."""
    # Measured by a small parent: a child counts what its parent held when it was forked.
    reports = [machine.folder / f"usage-{number}" for number in range(len(commands))]
    started = [
        subprocess.Popen(
            ["time", "--format", "%U %S %M", "--output", str(report), *command],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for report, command in zip(reports, commands)
    ]
    usages = []
    for process, report in zip(started, reports):
        _, said = process.communicate(timeout=1200)
        if process.returncode != 0:
            raise NotMeasured(f"a run ended with {process.returncode}: {said.decode()[-200:]}")
        user, system, kilobytes = map(float, report.read_text().split())
        usages.append(Usage(user + system, kilobytes / 1024))
    return usages


def processor_time_of_apply(machine, environment):
    """Returns the processor time of a `kubectl apply` of one Job in seconds, as a mean over 20."""
    namespace = fresh_namespace(machine)
    manifests = []
    for number in range(20):
        file = machine.folder / f"apply-{number}.json"
        container = {"name": "block", "image": IMAGE}
        spec = {"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
        file.write_text(json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": f"b{number}", "namespace": namespace}, "spec": spec}))
        manifests.append(str(file))
    usages = [used_by([[machine.kubectl, "apply", "-f", file]], machine, environment)[0] for file in manifests]
    return statistics.mean(usage.seconds for usage in usages)


# ---- the cluster ---------------------------------------------------------------------


@contextlib.contextmanager
def virtual_nodes(machine):
    """Four virtual nodes, as long as the context lasts."""
    state = Path(machine.kubeconfig).parent
    program = state / "bin/local-cluster"
    if not program.exists():
        raise NotMeasured("virtual nodes need a cluster of tests/local-cluster")
    command = [program, "virtual-nodes", "--kubeconfig", machine.kubeconfig, "--tls", state / "tls", "--count", "4", "--prefix", NODES]
    log = (machine.folder / "virtual-nodes.log").open("w")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as nodes:
        try:
            if nodes.stdout.readline() != "ready\n":
                raise NotMeasured(f"virtual nodes did not start, see {log.name}")
            yield
        finally:
            # They go with the end of their input.
            nodes.stdin.close()
            nodes.wait(timeout=60)


def create_namespace(machine, name):
    manifest = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    machine.output([machine.kubectl, "apply", "-f", "-"], machine.with_cluster(), input=manifest)


def fresh_namespace(machine):
    name = f"bench-{time.time_ns()}"
    create_namespace(machine, name)
    environment = machine.with_cluster()
    # Pods are refused as long as the namespace has no account.
    machine.output([machine.kubectl, "wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=30s"], environment)
    return name


def write_graph(project, blocks, virtual=True):
    """Writes a Mage project with a pipeline `graph`: each block with the blocks it waits for."""
    pipeline = project / "pipelines/graph"
    pipeline.mkdir(parents=True)
    (project / "transformers").mkdir()
    settings = "project_type: standalone\nhelp_improve_mage: false\n"
    if virtual:
        settings += (
            "remote_variables_dir: s3://bucket/mage\n"
            "k8s_executor_config:\n"
            "  container_config:\n"
            f"    env: [{{name: STANDIN_SLEEP, value: '{SECONDS_OF_A_POD}'}}]\n"
            "  pod:\n"
            f"    node_selector: {{local-cluster/virtual: {NODES}}}\n"
            f"    tolerations: [{{key: local-cluster/virtual, operator: Equal, value: {NODES}, effect: NoSchedule}}]\n"
        )
    else:
        settings += "variables_dir: /data\n"
    (project / "metadata.yaml").write_text(settings)
    text = "uuid: graph\nname: graph\ntype: python\nexecutor_type: k8s\nblocks:\n"
    for block, upstream in blocks.items():
        downstream = [other for other, its in blocks.items() if block in its]
        text += (
            f"- {{uuid: {block}, name: {block}, type: transformer, language: python, executor_type: k8s, "
            f"upstream_blocks: [{', '.join(upstream)}], downstream_blocks: [{', '.join(downstream)}]}}\n"
        )
        (project / f"transformers/{block}.py").write_text("@transformer\ndef work(*args, **kwargs):\n    return 1\n")
    (pipeline / "metadata.yaml").write_text(text)
    return str(project)


def jobs_by_block(machine, namespace, blocks, environment):
    """Returns the Jobs that a run left."""
    listed = json.loads(machine.output([machine.kubectl, "get", "jobs", "-n", namespace, "-o", "json"], environment))
    jobs = {job["metadata"]["annotations"]["kubectl-mage/block"]: job for job in listed["items"]}
    if len(jobs) != len(blocks):
        raise NotMeasured(f"the run left {len(jobs)} Jobs and not {len(blocks)}")
    return jobs


def wait_and_apply(machine, namespace, jobs, blocks, environment):
    """What a shell script with kubectl does: it applies what can run, waits for it, and goes on.

    The Jobs are those of a run, under names of their own. Returns the seconds it took.
    """
    files = {}
    for block, job in jobs.items():
        spec = job["spec"]
        spec.pop("selector", None)
        spec["template"]["metadata"] = {}
        files[block] = machine.folder / f"{namespace}-{block}.json"
        metadata = {"name": block, "namespace": namespace}
        files[block].write_text(json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}))
    started = time.perf_counter()
    done = set()
    while len(done) < len(blocks):
        able = [block for block, upstream in blocks.items() if block not in done and done.issuperset(upstream)]
        for block in able:
            spawn([machine.kubectl, "apply", "-f", str(files[block])], environment)
        for block in able:
            spawn([machine.kubectl, "wait", "--for=condition=complete", "--timeout=120s", "-n", namespace, f"job/{block}"], environment)
        done.update(able)
    return time.perf_counter() - started
