"""What every benchmark needs: where commands run, the table of ratios, times and memory."""

import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = os.environ.get("KUBECTL_MAGE", str(ROOT / "target/release/kubectl-mage"))
LOCAL_CLUSTER = ROOT / "tests/local-cluster"


class NotMeasured(Exception):
    """Why a number is missing."""


class Table:
    """The rows as they are measured, and whether all is well."""

    def __init__(self):
        self.fine = True
        self.row("", "kubectl-mage", "compared with", "ratio", "target", "")

    def row(self, what, ours, theirs, ratio, target, verdict):
        print(f"{what:<42} {ours:>12}  {theirs:<28} {ratio:>8}  {target:<8} {verdict}".rstrip(), flush=True)

    def ratio(self, what, ours, theirs, name, target):
        """Adds a comparison of two times in seconds."""
        ratio = ours / theirs
        self.verdict(ratio <= target, what, milliseconds(ours), f"{name} {milliseconds(theirs)}", as_ratio(ratio), as_ratio(target))

    def memory(self, what, megabytes, target):
        self.verdict(megabytes <= target, what, f"{megabytes:.1f} MB", "", "", f"{target} MB")

    def verdict(self, reached, what, ours, theirs, ratio, target):
        self.fine &= reached
        self.row(what, ours, theirs, ratio, f"≤ {target}", "ok" if reached else "MISSED")

    def missing(self, what, why):
        self.fine = False
        self.row(what, "not measured", str(why), "", "", "")


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms"


def as_ratio(ratio):
    return f"1/{1 / ratio:.3g}" if 0 < ratio < 1 else f"{ratio:.3g}"


class Machine:
    """Where commands run: a home folder of their own, and only the variables they need."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.kubectl = shutil.which("kubectl")
        self.kubeconfig = os.environ.get("KUBECONFIG")
        home = self.folder / "home"
        home.mkdir()
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def with_cluster(self):
        if not self.kubeconfig:
            raise NotMeasured("KUBECONFIG names no cluster")
        return self.environment | {"KUBECONFIG": self.kubeconfig}

    def output(self, command, environment, **options):
        """Runs a command that has to succeed and returns its stdout."""
        done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=options.pop("stdin", subprocess.DEVNULL) if "input" not in options else None, **options)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[0]
            raise NotMeasured(f"`{' '.join(map(str, command))[:100]}` ended with {done.returncode}: {said}")
        return done.stdout


def spawn(command, environment):
    """Runs a command to its end and returns the seconds it took, as a shell would see them."""
    nowhere = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    started = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment, file_actions=nowhere)
    _, status = os.waitpid(process, 0)
    took = time.perf_counter() - started
    if status != 0:
        raise NotMeasured(f"`{' '.join(command)[:100]}` failed")
    return took


def take_turns(machine, ours, theirs, says, environment, repetitions):
    """Returns the medians of two commands, in seconds; `says` has to be in what both print."""
    for command in (ours, theirs):
        if says not in machine.output(command, environment):
            raise NotMeasured(f"`{' '.join(command)[:100]}` does not print `{says}`")
        spawn(command, environment)
    pairs = [(spawn(ours, environment), spawn(theirs, environment)) for _ in range(repetitions)]
    return tuple(statistics.median(side) for side in zip(*pairs))


def memory(machine, table, what, command, target):
    try:
        # Measured by a small parent: a child counts what its parent held when it was forked.
        report = machine.folder / "memory"
        machine.output(["time", "--format", "%M", "--output", str(report), *command], machine.environment)
        table.memory(what, int(report.read_text()) / 1024, target)
    except (NotMeasured, OSError) as why:
        table.missing(what, why)
