#!/usr/bin/env python3
"""Every alert has a runbook, a unit test that sees it fire and one that does not, and its row in docs/alerts.md; the plain
file of rules is up to date; promtool likes the rules, and the unit tests pass.

  tests/alerts/alerts_test.py        exit status 77: all but promtool's part, which is not installed
"""
import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = f"{ROOT}/deploy/prometheus/walrelay.rules.yaml"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
complaints = []


def read(path):
    try:
        with open(f"{ROOT}/{path}") as file:
            return file.read()
    except FileNotFoundError:
        complaints.append(f"there is no {path}")
        return ""


def run(*argv):
    done = subprocess.run(argv, cwd=f"{ROOT}/tests/alerts", capture_output=True, text=True)
    if done.returncode != 0:
        complaints.append(f"{' '.join(argv)}:\n{done.stdout}{done.stderr}")


def check_runbook(alert):
    text = read(f"docs/runbooks/{alert}.md")
    if not text:
        return
    if not text.startswith(f"# {alert}\n"):
        complaints.append(f"docs/runbooks/{alert}.md: does not begin with its name")
    if re.findall(r"^## (.*)$", text, re.M) != HEADINGS:
        complaints.append(f"docs/runbooks/{alert}.md: its headings are not {', '.join(HEADINGS)}")
    for linked in re.findall(r"\]\((\w+\.md)\)", text):
        read(f"docs/runbooks/{linked}")


def check_unit_test(alert):
    text = read(f"tests/alerts/{alert}.yaml")
    if text and f'alertname="{alert}"' not in text:
        complaints.append(f"tests/alerts/{alert}.yaml: never sees it fire")
    if text and "exp_samples: []" not in text:
        complaints.append(f"tests/alerts/{alert}.yaml: never sees it not fire")


def check_row(alert, text, thresholds, document):
    row = re.search(rf"^\| \[{alert}\]\(runbooks/{alert}\.md\) \|.*$", document, re.M)
    if row is None:
        complaints.append(f"docs/alerts.md: has no row for {alert}")
        return
    severity = re.search(r"severity: (\w+)", text)[1]
    wanted = [severity, re.search(r"^for: (\w+)", text, re.M)[1]]
    values = re.search(rf"^{alert}: \{{(.*)\}}$", thresholds, re.M)
    wanted += [f"`{pair}`" for pair in values[1].split(", ")] if values else []
    for word in wanted:
        if word not in row[0]:
            complaints.append(f"docs/alerts.md: the row of {alert} does not say {word}")


def check_names(alerts):
    """Nothing is left of an alert that is no more."""
    for path in glob.glob(f"{ROOT}/docs/runbooks/*.md") + glob.glob(f"{ROOT}/tests/alerts/*.yaml"):
        name = os.path.basename(path).rsplit(".", 1)[0]
        if name not in alerts and name != "idle":
            complaints.append(f"{path[len(ROOT) + 1:]}: there is no such alert")


def main():
    thresholds, document = read("helm/walrelay/prometheus_rules/thresholds.yaml"), read("docs/alerts.md")
    paths = sorted(glob.glob(f"{ROOT}/helm/walrelay/prometheus_rules/Walrelay*.yaml"))
    alerts = [os.path.basename(path)[:-5] for path in paths]
    for alert, path in zip(alerts, paths):
        check_runbook(alert)
        check_unit_test(alert)
        check_row(alert, read(path[len(ROOT) + 1:]), thresholds, document)
    check_names(alerts)
    run(f"{ROOT}/scripts/render-alerts", "--check")
    promtool = shutil.which("promtool")
    if promtool:
        run(promtool, "check", "rules", "--lint=all", "--lint-fatal", RULES)
        run(promtool, "test", "rules", *sorted(glob.glob(f"{ROOT}/tests/alerts/*.yaml")))
    for complaint in complaints:
        print(complaint)
    print(f"{len(alerts)} alerts, {len(complaints)} complaint(s)")
    if not promtool:
        print("skipped in part: there is no promtool; scripts/setup installs it")
    sys.exit(1 if complaints or not alerts else 0 if promtool else 77)


main()
