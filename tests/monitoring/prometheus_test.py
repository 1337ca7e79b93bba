#!/usr/bin/env python3
"""A real Prometheus scrapes a live walrelay: it takes the alerts, none of which is firing or broken, and every expression
of the dashboard gives data. Grafana itself is not started (Debian has none): its file is checked for its structure, and
docs/dashboard.md for a line about every panel.

  tests/monitoring/prometheus_test.py BINARY        skipped, with status 77, where there is no prometheus
"""
import json
import re
import shutil
import sys
import urllib.parse
import urllib.request

from live_site import Complaints, ROOT, SKIPPED, Site, read, servers

# What a healthy walrelay has no data for.
SILENT = {
    "Time to WAL loss": "nothing shrinks for half an hour",
    "Errors": "there are none",
    "Configuration taken up": "it was read at the start only",
    "Connection opened again": "none was lost",
    "All rows read again": "nothing was lost",
    "Tables read": "all were read before the first scrape",
}
WORDS = {"$namespace": ".*", "$job": ".*", "$slot": ".*", "$__rate_interval": "10s", "$__interval": "5s"}

CONFIG = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["%s/deploy/prometheus/walrelay.rules.yaml"]
scrape_configs:
  - job_name: walrelay
    static_configs: [{targets: ["127.0.0.1:%d"], labels: {namespace: shop}}]
"""


class Prometheus(servers.Server):
    def __init__(self, folder, walrelay_port):
        super().__init__(folder, "prometheus")
        self.file = f"{folder.path}/prometheus.yml"
        with open(self.file, "w") as file:
            file.write(CONFIG % (ROOT, walrelay_port))
        servers.wait_until(self.try_start, "Prometheus finds a free port")

    def try_start(self):
        self.port = servers.free_port()
        self.spawn(["prometheus", f"--config.file={self.file}", f"--storage.tsdb.path={self.folder.path}/tsdb",
                    f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"])
        servers.wait_until(lambda: not self.running() or self.get("/-/ready") is not None, "Prometheus is ready")
        if not self.running() and "address already in use" not in servers.read(self.log):
            raise servers.Failure(f"Prometheus does not start: {servers.read(self.log)}")
        return self.running()

    def get(self, path):
        """The answer's text, also of a refusal; None: nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.read().decode() if refusal.code in (400, 422) else None
        except OSError:
            return None

    def query(self, expression):
        return json.loads(self.get("/api/v1/query?" + urllib.parse.urlencode({"query": expression})))


def resolved(expression):
    for word, value in WORDS.items():
        expression = expression.replace(word, value)
    return expression


def check_structure(dashboard, complain):
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    for wanted in ("datasource", "namespace", "job", "slot"):
        if wanted not in variables:
            complain(f"dashboard: there is no variable {wanted}")
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        complain("dashboard: two panels have one id")
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if x >= 24 or (x, y) in taken:
                    complain(f"dashboard: \"{panel['title']}\" lies over \"{taken.get((x, y), 'the edge')}\"")
                    return
                taken[x, y] = panel["title"]
        check_panel(panel, variables, complain)


def check_panel(panel, variables, complain):
    title = panel["title"]
    if panel["type"] == "row":
        return
    if panel["datasource"]["uid"] != "${datasource}":
        complain(f"dashboard: \"{title}\" does not use the variable datasource")
    letters = [target["refId"] for target in panel["targets"]]
    if not letters or len(set(letters)) != len(letters):
        complain(f"dashboard: \"{title}\" has no targets, or two of one name")
    for link in panel["links"]:
        name = link["url"].rsplit("/", 1)[1]
        try:
            read(f"docs/runbooks/{name}")
        except OSError:
            complain(f"dashboard: \"{title}\" links to {name}, which is no runbook")
    for target in panel["targets"]:
        for used in re.findall(r"\$(?:\{)?(\w+)", target["expr"]):
            if used not in variables and not used.startswith("__"):
                complain(f"dashboard: \"{title}\" uses ${used}, which is no variable")


def check_document(dashboard, complain):
    """Rows are headings there and panels are points, in the dashboard's order."""
    told = re.findall(r"^(?:### |\* \*\*)([^*:\n]+)", read("docs/dashboard.md").split("## What it shows", 1)[1], re.M)
    shown = [panel["title"] for panel in dashboard["panels"]]
    for title in shown:
        if told.count(title) != shown.count(title):
            complain(f"docs/dashboard.md: \"{title}\" stands there {told.count(title)} time(s), in the dashboard {shown.count(title)}")
    for title in set(told) - set(shown):
        complain(f"docs/dashboard.md: \"{title}\" is no panel of the dashboard")
    if sorted(told) == sorted(shown) and told != shown:
        complain("docs/dashboard.md: the panels stand in another order than in the dashboard")


def expressions(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for note in dashboard["annotations"]["list"]:
        if "expr" in note:
            yield note["name"], note["expr"]


def check_data(prometheus, dashboard, complain):
    for title, expression in expressions(dashboard):
        answer = prometheus.query(resolved(expression))
        if answer["status"] != "success":
            complain(f"\"{title}\": {answer.get('error')}: {expression}")
        elif not answer["data"]["result"] and title not in SILENT:
            complain(f"\"{title}\": no data for {expression}")


def check_alerts(prometheus, complain):
    rules = [rule for group in json.loads(prometheus.get("/api/v1/rules"))["data"]["groups"] for rule in group["rules"]]
    if len(rules) < 20:
        complain(f"Prometheus has only {len(rules)} rules")
    for rule in rules:
        if rule["health"] != "ok":
            complain(f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}")
        if rule["state"] == "firing":
            complain(f"{rule['name']}: fires, and nothing is wrong")


def main():
    if shutil.which("prometheus") is None:
        print("skipped: there is no prometheus; scripts/setup installs it")
        sys.exit(SKIPPED)
    complain = Complaints()
    dashboard = json.loads(read("helm/walrelay/dashboards/walrelay.json"))
    check_structure(dashboard, complain)
    check_document(dashboard, complain)
    with Site(sys.argv[1]) as site:
        site.start()
        site.work()
        prometheus = Prometheus(site.folder, site.walrelay.http)
        enough = "count_over_time(walrelay_redis_batches_total[10s]) >= 8 and increase(walrelay_redis_keyspace_hits_total[10s]) > 0"
        servers.wait_until(lambda: prometheus.query(enough)["data"]["result"], "Prometheus has ten seconds of samples", 120, 0.2)
        evaluated = lambda: all(r["health"] != "unknown" for g in json.loads(prometheus.get("/api/v1/rules"))["data"]["groups"] for r in g["rules"])
        servers.wait_until(evaluated, "Prometheus has evaluated every alert")
        check_data(prometheus, dashboard, complain)
        check_alerts(prometheus, complain)
    complain.end("dashboard and alerts")


if __name__ == "__main__":  # dashboard_picture.py takes its Prometheus
    main()
