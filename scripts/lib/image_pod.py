"""The Pod of the chart, really run: rendered by helm, started by `podman kube play`, beside real servers.

Podman 4.3 stands in for a kubelet, so three things of the manifest are said in words that it knows: see for_podman().
"""

import base64
import glob
import json
import os
import shutil
import signal
import urllib.request

from image_run import BATCH, Site, check_confinement, check_kills, check_stop, expect
from servers import Failure, free_port, run, wait_until

CHART = "helm/walrelay"
NAME = "pod"
PASSWORD = "only in this test"
CONFIGURATION = """\
source: {slot: pod, publication: pod}
mappings:
  - table: public.items
    write:
      - hash: {key: "pod:{id}"}
"""


class Skipped(Exception):
    """What this machine lacks."""


def require():
    """helm, and the module that reads its output."""
    if not os.path.exists(f"{CHART}/Chart.yaml"):
        raise Skipped(f"there is no chart in {CHART}")
    found = [shutil.which("helm"), *sorted(glob.glob("build/tools/helm-v3*/helm")), *sorted(glob.glob("build/tools/helm-*/helm"))]
    helm = next((path for path in found if path), None)
    if helm is None:
        raise Skipped("there is no helm on the path nor in build/tools (tests/helm/tools.sh puts it there)")
    try:
        import yaml  # of python3-yaml, which only this check needs
    except ImportError:
        raise Skipped("Python has no yaml here (package python3-yaml)") from None
    return helm, yaml


def render(helm, yaml, values, folder):
    """The ConfigMap and the Deployment, as objects."""
    file = f"{folder.path}/values.json"  # JSON is YAML
    with open(file, "w") as out:
        json.dump(values, out)
    text = run([helm, "template", NAME, CHART, "--kube-version", "1.33.0", "--values", file,
                "--show-only", "templates/configmap.yaml", "--show-only", "templates/deployment.yaml"])
    return list(yaml.safe_load_all(text))


def for_podman(objects):
    """`optional: false` is the default, without which podman 4.3 fails; it maps no ports on the host's network, and so
    knows no port by name."""
    for each in objects:
        if each["kind"] != "Deployment":
            continue
        pod = each["spec"]["template"]["spec"]
        for volume in pod["volumes"]:
            if "secret" in volume:
                volume["secret"]["optional"] = False
        for container in pod["containers"]:
            ports = {port["name"]: port["containerPort"] for port in container.pop("ports", [])}
            for probe in (container[key]["httpGet"] for key in container if key.endswith("Probe")):
                probe["port"] = ports.get(probe["port"], probe["port"])
    return objects


class PodRelay:
    """The one container of the Pod. Podman starts it again by itself, as a kubelet would."""

    def __init__(self, podman, manifest, http):
        self.podman, self.manifest, self.http = podman, manifest, http

    def start(self):
        if not self.containers():
            self.podman.call("play", "kube", "--network", "host", self.manifest)
        elif not self.state()["Running"]:
            self.podman.call("start", self.containers()[0])

    def containers(self):
        names = self.podman.call("ps", "--all", "--format", "{{.Names}}").split()
        return [name for name in names if name.startswith(NAME + "-") and name.endswith("-walrelay")]

    def state(self):
        return self.podman.inspect(self.containers()[0])["State"]

    def pid(self):
        return self.state()["Pid"]

    def logs(self):
        return "\n".join(self.podman.attempt("logs", "--tail", "20", self.containers()[0])[1:])

    def wait_ready(self):
        def ready():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=5):
                    return True
            except OSError:
                return False
        try:
            wait_until(ready, "the Pod is ready", 120, pause=0.1)
        except Failure as failure:
            raise Failure(f"{failure}\n{self.logs()}") from None

    def kill(self):
        """As the kernel does when memory is short: behind podman's back. The container comes back by the Pod's policy."""
        before = self.pid()
        if os.getuid() == 0:
            os.kill(before, signal.SIGKILL)
        else:
            self.podman.call("unshare", "kill", "-KILL", str(before))
        wait_until(lambda: self.state()["Running"] and self.pid() not in (0, before), "the Pod's container was started again", 60)

    def stop(self):
        seconds = self.podman.timed("stop", "--time", "20", self.containers()[0])
        return self.state()["ExitCode"], seconds


def make_secrets(podman, folder):
    """`kind: Secret` is too new for podman 4.3; it keeps the objects itself, and hands their data over as it stands."""
    data = PASSWORD if podman.version() < (4, 4) else base64.b64encode(PASSWORD.encode()).decode()
    for name, key in (("pod-postgres", "password"), ("pod-redis", "password"), ("pod-http", "token")):
        file = f"{folder.path}/{name}.json"
        with open(file, "w") as out:
            json.dump({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {key: data}}, out)
        podman.attempt("secret", "rm", name)
        podman.call("secret", "create", name, file)


def values(image, site, http):
    repository, _, tag = image.rpartition(":")
    return {
        "image": {"repository": repository, "tag": tag, "pullPolicy": "Never"},
        "config": CONFIGURATION,
        "postgres": {"host": "127.0.0.1", "port": str(site.postgres.port), "user": "postgres", "database": NAME,
                     "existingSecret": {"name": "pod-postgres"}},
        "redis": {"host": "127.0.0.1", "port": str(site.redis.port), "existingSecret": {"name": "pod-redis"}},
        "http": {"host": "127.0.0.1", "port": http, "existingSecret": {"name": "pod-http"}},
    }


def check_pod(podman, image, folder, postgres, redis):
    helm, yaml = require()
    site, http = Site(postgres, redis, NAME), free_port()
    make_secrets(podman, folder)
    manifest = f"{folder.path}/pod.yaml"
    with open(manifest, "w") as file:
        yaml.safe_dump_all(for_podman(render(helm, yaml, values(image, site, http), folder)), file)
    site.relay = PodRelay(podman, manifest, http)
    site.sql(BATCH.format(0))
    redis.client.call("CONFIG", "SET", "requirepass", PASSWORD)  # so that the Secret's file is what lets it in
    try:
        site.relay.start()
        site.relay.wait_ready()
        rows = site.converge()
        told = [f"{rows} rows", check_confinement(site), check_kills(site), check_stop(site)]
    finally:
        redis.client.call("CONFIG", "SET", "requirepass", "")
    expect(rows > 0, "the Pod had no rows to load")
    return "; ".join(told)
