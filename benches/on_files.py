"""Commands that ask no cluster, beside kubectl, Helm, PyYAML and genuine Mage."""

import os
import shutil
import statistics
import subprocess

from measure import LOCAL_CLUSTER, OURS, ROOT, NotMeasured, memory, spawn, take_turns

# Ours divided by theirs may be this at most.
START_TARGET = 1 / 10
RENDER_TARGET = 1 / 8
RENDER_MEMORY_TARGET_MB = 20
MANY_TARGET = 1 / 2
MANY_MEMORY_TARGET_MB = 150
LINT_TARGET = 1 / 3
LINT_MEMORY_TARGET_MB = 300
EXPLAIN_TARGET = 2
ASK_MAGE_TARGET = 1 / 100

MANY_BLOCKS = 10_000
LINT_PIPELINES = 1000
LINT_BLOCKS = 10


def start(machine, table):
    what = "start: version"
    try:
        theirs = [machine.kubectl, "version", "--client"]
        medians = take_turns(machine, [OURS, "version"], theirs, ".", machine.environment, 40)
        table.ratio(what, *medians, "kubectl", START_TARGET)
    except NotMeasured as why:
        table.missing(what, why)


def render(machine, table):
    project = ROOT / "examples/shop"
    ours = [OURS, "render", "orders/clean_orders", "--project", str(project), "--offline", "--server-pod", "none", "--image", "mageai/mageai:0.9.80"]
    what = "render: one block, offline"
    try:
        theirs = [helm(), "template", "block", str(ROOT / "benches/chart")]
        medians = take_turns(machine, ours, theirs, "kind: Job", machine.environment, 30)
        table.ratio(what, *medians, "helm template", RENDER_TARGET)
    except NotMeasured as why:
        table.missing(what, why)
    memory(machine, table, "render: peak memory", ours, RENDER_MEMORY_TARGET_MB)


def many(machine, table):
    """Renders a pipeline of many blocks, and as many Jobs of a chart."""
    what = f"render: {MANY_BLOCKS} blocks, offline"
    project = machine.folder / "many"
    write_project(project, 1, MANY_BLOCKS)
    ours = [OURS, "render", "pipeline_0", "--project", str(project), "--offline", "--server-pod", "none"]
    try:
        theirs = [helm(), "template", "block", str(ROOT / "benches/chart"), "--set", f"count={MANY_BLOCKS}"]
        medians = take_turns(machine, ours, theirs, "kind: Job", machine.environment, 3)
        table.ratio(what, *medians, "helm template", MANY_TARGET)
    except NotMeasured as why:
        table.missing(what, why)
    memory(machine, table, f"render: {MANY_BLOCKS} blocks, peak memory", ours, MANY_MEMORY_TARGET_MB)


def lint(machine, table):
    """Lints a large project; PyYAML's C parser merely reads the same files, and only that is timed."""
    what = f"lint: {LINT_PIPELINES} pipelines of {LINT_BLOCKS} blocks"
    project = machine.folder / "large"
    write_project(project, LINT_PIPELINES, LINT_BLOCKS)
    ours = [OURS, "lint", "--project", str(project), "--offline", "--server-pod", "none"]
    try:
        machine.output(ours, machine.environment)
        theirs = [mage_python(machine), str(ROOT / "benches/load_yaml.py"), str(project)]
        pairs = []
        for _ in range(5):
            pairs.append((spawn(ours, machine.environment), float(machine.output(theirs, machine.environment))))
        medians = tuple(statistics.median(side) for side in zip(*pairs))
        table.ratio(what, *medians, "PyYAML's CLoader", LINT_TARGET)
    except NotMeasured as why:
        table.missing(what, why)
    memory(machine, table, f"{what}, peak memory", ours, LINT_MEMORY_TARGET_MB)


def explain(machine, table):
    project = machine.folder / "shop"
    shutil.copytree(ROOT / "examples/shop", project)
    flags = ["orders/clean_orders", "--project", str(project), "--offline", "--server-pod", "none", "--image", "mageai/mageai:0.9.80"]
    ours = [OURS, "explain-config", *flags]
    try:
        theirs = [OURS, "render", *flags]
        medians = take_turns(machine, ours, theirs, "mageai/mageai:0.9.80", machine.environment, 30)
        table.ratio("explain-config: one block", *medians, "render of it", EXPLAIN_TARGET)
        theirs = [mage_python(machine), str(ROOT / "benches/ask_mage.py"), str(project), "orders", "clean_orders"]
        medians = take_turns(machine, ours, theirs, "resource_limits", machine.environment, 3)
        table.ratio("explain-config: one block", *medians, "asking genuine Mage", ASK_MAGE_TARGET)
    except NotMeasured as why:
        table.missing("explain-config: one block", why)


def helm():
    """Builds Helm, once a machine, and returns its path."""
    done = subprocess.run([ROOT / "benches/helm/build"], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise NotMeasured("Helm could not be built")
    return done.stdout.strip()


def mage_python(machine):
    """Returns the Python of the environment that has genuine Mage and its PyYAML."""
    return machine.output([LOCAL_CLUSTER / "mage-venv"], os.environ).strip() + "/bin/python"


def write_project(project, pipelines, blocks):
    """Writes a project whose pipelines look as Mage writes them, every block with settings."""
    (project / "data_loaders").mkdir(parents=True)
    (project / "metadata.yaml").write_text(
        "project_type: standalone\nremote_variables_dir: s3://bucket/mage\nk8s_executor_config:\n"
        "  job_name_prefix: data-prep\n  namespace: default\n  service_account_name: default\n"
        "  resource_limits:\n    cpu: 1000m\n    memory: 2048Mi\n"
        "  resource_requests:\n    cpu: 500m\n    memory: 1024Mi\n"
        "  container_config:\n    image: mageai/mageai:0.9.80\n"
    )
    for block in range(blocks):
        (project / f"data_loaders/block_{block}.py").write_text("\n")
    for pipeline in range(pipelines):
        folder = project / f"pipelines/pipeline_{pipeline}"
        folder.mkdir(parents=True)
        text = [f"created_at: null\ndescription: null\nexecutor_count: 1\nexecutor_type: k8s\nname: pipeline_{pipeline}\nnotification_config: {{}}\nblocks:\n"]
        for block in range(blocks):
            upstream = f"\n  - block_{block - 1}" if block else " []"
            text.append(
                "- all_upstream_blocks_executed: true\n  color: null\n  configuration: {}\n  downstream_blocks: []\n"
                "  executor_config:\n    resource_limits:\n      cpu: 1000m\n      memory: 4096Mi\n"
                f"  executor_type: k8s\n  has_callback: false\n  language: python\n  name: block_{block}\n  retry_config: null\n"
                f"  status: updated\n  timeout: null\n  type: data_loader\n  upstream_blocks:{upstream}\n  uuid: block_{block}\n"
            )
        text.append(f"retry_config: {{}}\nspark_config: {{}}\ntags: []\ntype: python\nuuid: pipeline_{pipeline}\nwidgets: []\n")
        (folder / "metadata.yaml").write_text("".join(text))
