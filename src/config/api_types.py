#!/usr/bin/env python3
"""Writes api_types.txt: the fields of every API type a Job is made of.

Usage: src/config/api_types.py OPENAPI_V3_OF_BATCH_V1 > src/config/api_types.txt
The input is api/openapi-spec/v3/apis__batch__v1_openapi.json of the Go module k8s.io/kubernetes
(tests/local-cluster/go.mod names the version).
"""
import json
import sys

ROOT = "io.k8s.api.batch.v1.Job"
SKIPPED = {("Job", "status")}
BASIC = {"Quantity": "quantity", "IntOrString": "int-or-string", "Time": "time", "FieldsV1": "object"}
schemas = json.load(open(sys.argv[1]))["components"]["schemas"]


def short(name):
    return name.rsplit(".", 1)[-1]


def reference(schema):
    for part in [schema, *schema.get("allOf", [])]:
        if "$ref" in part:
            return part["$ref"].rsplit("/", 1)[-1]
    return None


def kind(schema, found):
    target = reference(schema)
    if target:
        if short(target) in BASIC:
            return BASIC[short(target)]
        found.append(target)
        return short(target)
    if schema.get("type") == "array":
        return "[]" + kind(schema["items"], found)
    if isinstance(schema.get("additionalProperties"), dict):
        return "{}" + kind(schema["additionalProperties"], found)
    return schema.get("type", "object")


done, todo, lines = set(), [ROOT], []
while todo:
    name = todo.pop(0)
    if name in done:
        continue
    done.add(name)
    lines.append(short(name))
    required = set(schemas[name].get("required", []))
    for field, schema in sorted(schemas[name].get("properties", {}).items()):
        if (short(name), field) in SKIPPED:
            continue
        mark = "!" if field in required else ""
        lines.append(f" {field}{mark} {kind(schema, todo)}")
assert len({short(n) for n in done}) == len(done), "two types of one name"
print("\n".join(lines))
