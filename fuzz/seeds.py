"""Writes what the tests already have as inputs for the fuzz targets: `seeds.py FOLDER`."""

import hashlib
import json
import pathlib
import sys

FIXTURES = pathlib.Path(__file__).parent.parent / "tests" / "fixtures"
PATHS = [
    '.spec.template.spec.containers[0].resources.limits["nvidia.com/gpu"]',
    "pod.node_selector",
    '.metadata.labels["a.b/c"]',
    "container_config.env[2].name",
]


def main(folder):
    def put(target, content):
        name = hashlib.sha256(content).hexdigest()[:16]
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / name).write_bytes(content)

    for row in json.loads((FIXTURES / "yaml/pyyaml.json").read_text())["rows"]:
        put("yaml", row["text"].encode(errors="surrogatepass"))
    for row in json.loads((FIXTURES / "project/jinja.json").read_text())["rows"]:
        # The first byte says what becomes of missing values.
        put("jinja", b"\0" + row["template"].encode())
    for file in sorted(FIXTURES.rglob("*.yaml")):
        put("yaml", file.read_bytes())
        put("jinja", b"\0" + file.read_bytes())
    for path in PATHS:
        put("path", path.encode())


main(pathlib.Path(sys.argv[1]))
