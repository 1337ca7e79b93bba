#!/usr/bin/env python3
"""The metrics that a live walrelay exports are those that docs/metrics.md describes, and every metric that an alert, a
runbook, the dashboard or a document names is one of them, with the label values that are asked for.

  tests/monitoring/metrics_test.py BINARY            compares
  tests/monitoring/metrics_test.py BINARY --write    puts the table into docs/metrics.md
"""
import glob
import json
import re
import sys

from live_site import Complaints, ROOT, Site, base_name, read

BEGIN, END = "<!-- begin metrics: tests/monitoring/metrics_test.py BINARY --write -->\n", "<!-- end metrics -->\n"


def table(families):
    lines = ["| Metric | Type | Labels | Meaning |", "|---|---|---|---|"]
    for name in sorted(families):
        family = families[name]
        labels = ", ".join(f"`{label}`" for label in family.labels)
        lines.append(f"| `{name}` | {family.type} | {labels} | {family.help} |")
    return "\n".join(lines) + "\n"


def document_parts():
    text = read("docs/metrics.md")
    before, rest = text.split(BEGIN)
    written, after = rest.split(END)
    return before, written, after


def check_document(families, complain):
    written = document_parts()[1].splitlines()
    made = table(families).splitlines()
    for line in made:
        if line not in written:
            complain(f"docs/metrics.md lacks: {line}")
    for line in written:
        if line not in made:
            complain(f"docs/metrics.md has what is not exported so: {line}")


def expressions():
    """(where, PromQL) of every alert and of the dashboard."""
    for path in sorted(glob.glob(f"{ROOT}/helm/walrelay/prometheus_rules/Walrelay*.yaml")):
        yield path[len(ROOT) + 1:], re.search(r"^expr: \|\n((?:  .*\n)+)", open(path).read(), re.M)[1]
    dashboard = json.loads(read("helm/walrelay/dashboards/walrelay.json"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"dashboard, panel \"{panel['title']}\"", target["expr"]
    for note in dashboard["annotations"]["list"]:
        if "expr" in note:
            yield f"dashboard, annotation \"{note['name']}\"", note["expr"]


def check_expressions(families, complain):
    for where, expression in expressions():
        named = re.findall(r"\b((?:walrelay|process)_[a-z_]+)\{ ?(.*?)\}", re.sub(r"\{\{ \.selector \}\}", "", expression))
        if not named and "pg_replication_slot" not in expression and "up{" not in expression:
            complain(f"{where}: names no metric of walrelay")
        for name, matchers in named:
            family = families.get(name) or families.get(base_name(name))
            if family is None:
                complain(f"{where}: there is no metric {name}")
                continue
            check_labels(where, family, dict(re.findall(r'(\w+)="([^"]*)"', matchers)), complain)


def check_labels(where, family, wanted, complain):
    wanted.pop("job", None)
    if wanted and not any(wanted.items() <= sample.items() for sample in family.samples):
        complain(f"{where}: no series of {family.name} has {wanted}")


def check_documents(families, complain):
    """Names in the text of documents; those that a longer pattern begins with end in an underline."""
    for path in ["README.md"] + sorted(glob.glob("docs/**/*.md", root_dir=ROOT, recursive=True)):
        if path.startswith("/"):
            path = path[len(ROOT) + 1:]
        for name in set(re.findall(r"\b(walrelay_[a-z_]*[a-z])\b(?![(.])", read(path))):
            if name not in families and base_name(name) not in families:
                complain(f"{path}: there is no metric {name}")


def main():
    complain = Complaints()
    with Site(sys.argv[1]) as site:
        site.start()
        site.postgres.sql("INSERT INTO orders VALUES (1, 5), (2, 0); UPDATE users SET name = 'x' WHERE id = 1")
        families = site.families()
    if sys.argv[2:] == ["--write"]:
        before, _, after = document_parts()
        with open(f"{ROOT}/docs/metrics.md", "w") as file:
            file.write(before + BEGIN + table(families) + END + after)
        return
    check_document(families, complain)
    check_expressions(families, complain)
    check_documents(families, complain)
    complain.end("metrics")


main()
