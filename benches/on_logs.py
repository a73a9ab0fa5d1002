"""Logs, beside `kubectl logs -f` and stern: the same pods, in turns, in one run.

Processor time is user and system time of the client alone; memory is what `/proc` says of it.
"""

import os
import re
import signal
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field

from log_pods import CLOCK_SCRIPT, GIBIBYTE_SCRIPT, QUIET_SCRIPT, FarAway, await_pods, end_job, followers, start_job
from measure import ROOT, NotMeasured, milliseconds

# Ours divided by theirs may be this at most.
CPU_OF_STERN, CPU_OF_KUBECTL = 1 / 3, 1
MEMORY_OF_KUBECTL = 1 / 3
# How much more memory there may be at any later quarter of a log than at the first.
FLAT = 1.1
LATENCY_OF_STERN = 1
FOLLOW_CPU_OF_STERN = 1
ROUND_TRIPS_TARGET = 2

REPETITIONS = 3
# A minute each, so that once has to do.
GIBIBYTES = 1
LATENCY_SECONDS = 15
FOLLOWED_PODS = 100
FOLLOWED_SECONDS = 60
ROUND_TRIP = 0.12


@dataclass
class Read:
    """What a tool used to read a log to its end."""

    seconds: float
    wall: float
    bytes: int = 0
    megabytes: list = field(default_factory=list)
    peak: float = 0


def logs(machine, table):
    """A gibibyte of a Job that has ended."""
    what = "log of 1 GiB"
    try:
        environment = machine.with_cluster()
        namespace = start_job(machine, "gibibyte", GIBIBYTE_SCRIPT)
        pods = await_pods(machine, namespace, 1, "Succeeded", 600)
        tools = followers(machine, namespace, "gibibyte", pods, ["--no-follow"])
        nowhere, piped = {}, {}
        for _ in range(GIBIBYTES):
            for tool in tools:
                nowhere.setdefault(tool.name, []).append(read_to_null(tool.command, environment))
                piped.setdefault(tool.name, []).append(read_by_pipe(tool.command, environment))
        for name, reads in piped.items():
            least = min(read.bytes for read in reads)
            if least < 1 << 30 or (name == "tail -o raw" and {read.bytes for read in reads} != {read.bytes for read in piped["kubectl logs -f"]}):
                raise NotMeasured(f"{name} printed {least} bytes")
        end_job(machine, namespace)
        for sink, reads in (("/dev/null", nowhere), ("a pipe", piped)):
            seconds = {name: statistics.median(read.seconds for read in all_reads) for name, all_reads in reads.items()}
            compare(table, f"{what} to {sink}: processor time", seconds, {"stern": CPU_OF_STERN, "kubectl logs -f": CPU_OF_KUBECTL}, seconds_used)
        peaks = {name: max(read.peak for read in reads) for name, reads in piped.items()}
        compare(table, f"{what}: peak memory", peaks, {"kubectl logs -f": MEMORY_OF_KUBECTL}, megabytes)
        for name, reads in piped.items():
            quarters = [max(read.megabytes[at] for read in reads) for at in range(4)]
            shown = " ".join(f"{each:.1f}" for each in quarters) + " MB"
            if name.startswith("tail"):
                table.verdict(max(quarters) <= FLAT * quarters[0], f"{what}: memory at quarters, {name}", shown, "", "", as_times(FLAT))
            else:
                table.row(f"{what}: memory at quarters", "", f"{name} {shown}", "", "", "")
    except (NotMeasured, subprocess.TimeoutExpired) as why:
        table.missing(what, why)


def latency(machine, table):
    """From a line written, by the clock in it, to the line printed."""
    what = "line written to line printed"
    try:
        environment = machine.with_cluster()
        namespace = start_job(machine, "clock", CLOCK_SCRIPT)
        pods = await_pods(machine, namespace, 1, "Running", 60)
        found = {}
        for _ in range(REPETITIONS):
            for tool in followers(machine, namespace, "clock", pods, ["--tail", "0"]):
                found.setdefault(tool.name, []).extend(latencies(tool.command, environment))
        end_job(machine, namespace)
        medians = {name: statistics.median(all_found) for name, all_found in found.items()}
        compare(table, f"{what}, median", medians, {"stern": LATENCY_OF_STERN})
        late = {name: statistics.quantiles(all_found, n=100)[98] for name, all_found in found.items()}
        compare(table, f"{what}, 99th of 100", late, {})
    except (NotMeasured, subprocess.TimeoutExpired) as why:
        table.missing(what, why)


def follow(machine, table):
    """Many pods that write a line a second each."""
    what = f"{FOLLOWED_PODS} pods for {FOLLOWED_SECONDS} s: processor time"
    try:
        environment = machine.with_cluster()
        namespace = start_job(machine, "quiet", QUIET_SCRIPT, FOLLOWED_PODS)
        pods = await_pods(machine, namespace, FOLLOWED_PODS, "Running", 600)
        seconds = {}
        for tool in followers(machine, namespace, "quiet", pods):
            if tool.name != "tail -o raw":
                seconds[tool.name] = used_in(tool.command, environment, FOLLOWED_SECONDS)
        end_job(machine, namespace)
        compare(table, what, seconds, {"stern": FOLLOW_CPU_OF_STERN}, seconds_used)
    except (NotMeasured, subprocess.TimeoutExpired) as why:
        table.missing(what, why)


def first(machine, table):
    """How many round trips there are from the end of the TLS handshake to the first line."""
    what = f"first line at {milliseconds(ROUND_TRIP)} of round trip"
    try:
        machine.with_cluster()
        namespace = start_job(machine, "clock", CLOCK_SCRIPT)
        pods = await_pods(machine, namespace, 1, "Running", 60)
        trips = {}
        for tool in followers(machine, namespace, "clock", pods):
            trips[tool.name] = statistics.median(round_trips(machine, tool.command) for _ in range(REPETITIONS))
        end_job(machine, namespace)
        for name, count in trips.items():
            if name.startswith("tail"):
                table.verdict(round(count) <= ROUND_TRIPS_TARGET, f"{what}, {name}", f"{count:.2f}", "round trips after TLS", "", str(ROUND_TRIPS_TARGET))
            else:
                table.row(what, "", f"{name} {count:.2f} round trips", "", "", "")
    except (NotMeasured, subprocess.TimeoutExpired) as why:
        table.missing(what, why)


def lost(machine, table):
    """Which tool loses what where connections break: a table of its own."""
    command = ["cargo", "test", "--locked", "--quiet", "--test", "cluster", "lost::who_loses_what", "--", "--ignored", "--nocapture", "--exact"]
    environment = {"KUBECTL_MAGE_TEST_LINES": "100000"} | os.environ
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
    table.verdict(done.returncode == 0, "lines lost by faults", "see above", "", "", "none")


# ---- how -----------------------------------------------------------------------------


def compare(table, what, values, targets, shown=milliseconds):
    """Adds a row for each of ours with each of theirs; without a target it is only shown."""
    theirs = {name: value for name, value in values.items() if not name.startswith("tail")}
    mine = {name: value for name, value in values.items() if name not in theirs}
    for name, value in theirs.items():
        if not mine:
            table.row(what, "not there", f"{name} {shown(value)}", "", "", "")
        for own, own_value in mine.items():
            row = f"{what}, {own}"
            ratio = own_value / value
            if name in targets:
                table.verdict(ratio <= targets[name], row, shown(own_value), f"{name} {shown(value)}", as_times(ratio), as_times(targets[name]))
            else:
                table.row(row, shown(own_value), f"{name} {shown(value)}", as_times(ratio), "", "")


def seconds_used(value):
    return f"{value:.2f} s"


def megabytes(value):
    return f"{value:.1f} MB"


def as_times(ratio):
    return f"{ratio:.2f}x"


def started(command, environment, stdout):
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL)


def ended(process, code=0):
    """Waits for a process and returns its processor time in seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if code is not None and process.returncode != code:
        raise NotMeasured(f"`{' '.join(process.args)[:100]}` ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def read_to_null(command, environment):
    begun = time.perf_counter()
    seconds = ended(started(command, environment, subprocess.DEVNULL))
    return Read(seconds, time.perf_counter() - begun)


def read_by_pipe(command, environment):
    """Reads what is printed by a pipe, and looks at the memory at each quarter of the gibibyte."""
    begun = time.perf_counter()
    process = started(command, environment, subprocess.PIPE)
    pipe, sink = process.stdout.fileno(), os.open("/dev/null", os.O_WRONLY)
    count, quarters, peak = 0, [], 0
    while moved := os.splice(pipe, sink, 1 << 16):
        count += moved
        if count >= (len(quarters) + 1) << 28 and len(quarters) < 4:
            now, peak = memory_of(process.pid)
            quarters.append(now)
    os.close(sink)
    quarters += quarters[-1:] * (4 - len(quarters))
    seconds = ended(process)
    return Read(seconds, time.perf_counter() - begun, count, quarters, peak)


def memory_of(pid):
    """Returns the memory of a process and its peak, in MB."""
    with open(f"/proc/{pid}/status") as status:
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status.read(), re.MULTILINE))
    return int(found["VmRSS"]) / 1024, int(found["VmHWM"]) / 1024


def latencies(command, environment):
    """Returns the seconds from the time in each line to its coming."""
    process = started(command, environment, subprocess.PIPE)
    timer = threading.Timer(LATENCY_SECONDS, process.send_signal, [signal.SIGTERM])
    timer.start()
    found = []
    for line in process.stdout:
        now = time.time()
        if at := re.search(rb"(\d+\.\d{6}) written", line):
            found.append((now, float(at[1])))
    timer.cancel()
    ended(process, None)
    # What stood in the log before comes at once; a second after the first line it is the present.
    present = [now - at for now, at in found if at > found[0][0] + 1]
    if not present:
        raise NotMeasured(f"`{' '.join(command)[:100]}` printed no line")
    return present


def used_in(command, environment, seconds):
    """Returns the processor time of a tool that follows for so long."""
    process = started(command, environment, subprocess.PIPE)
    timer = threading.Timer(seconds, process.send_signal, [signal.SIGTERM])
    timer.start()
    lines = sum(1 for _ in process.stdout)
    timer.cancel()
    used = ended(process, None)
    if lines < FOLLOWED_PODS * seconds / 2:
        raise NotMeasured(f"`{' '.join(command)[:100]}` printed {lines} lines")
    return used


def round_trips(machine, command):
    """Returns the round trips from a tool's first connection to its first line, less one for TLS."""
    far_away = FarAway(machine.kubeconfig, ROUND_TRIP)
    environment = machine.environment | {"KUBECONFIG": far_away.kubeconfig(machine.folder)}
    process = started(command, environment, subprocess.PIPE)
    line = process.stdout.readline()
    now = time.perf_counter()
    process.kill()
    process.stdout.close()
    ended(process, None)
    if not line:
        raise NotMeasured(f"`{' '.join(command)[:100]}` printed no line")
    return (now - far_away.connected) / ROUND_TRIP - 1
