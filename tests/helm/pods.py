"""Runs the containers that the charts render, without a container engine: the program with the arguments, the environment
and the files that the Pod would give it, against a real PostgreSQL and a real Redis.

Instead of a Pod's own network each Pod has ports of its own here, and the name of the Service stands for the Pods' addresses.
Called by tests/helm/pods.sh.
"""

import base64
import glob
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../scripts/lib"))
from servers import Failure, Folder, Postgres, Redis, RedisClient, Server, free_port, read, run, wait_until  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
HTTP, POD_REDIS = 9847, 6379  # the charts' defaults
MAPPINGS = {"mappings": [{"table": "public.users", "write": [{"hash": {"key": "user:{id}"}}]}]}


class Release:
    """What a chart renders with these values, and the user's own Secrets."""

    def __init__(self, folder, chart, values, files):
        """`values`: a map, or a file. `files`: the user's Secrets and ConfigMaps, by name."""
        file = values
        if isinstance(values, dict):
            file = f"{folder.path}/{chart}.json"  # JSON is YAML
            with open(file, "w") as out:
                json.dump(values, out)
        text = run([os.environ["HELM"], "template", "shop", f"{os.environ['CHARTS']}/{chart}", "--namespace", "shop",
                    "--kube-version", os.environ["KUBE_VERSION"], "--values", file])
        self.objects = json.loads(run([os.environ["VALIDATE"], "-json"], text=text))
        self.files = {name: dict(data) for name, data in files.items()}
        for each in self.objects:
            if each["kind"] == "Secret":
                self.files[each["metadata"]["name"]] = {
                    key: base64.b64decode(value).decode() for key, value in each["data"].items()}
            if each["kind"] == "ConfigMap":
                self.files[each["metadata"]["name"]] = each.get("data", {})

    def spec(self, kind):
        found = next(each for each in self.objects if each["kind"] == kind)
        spec = found["spec"]
        while "containers" not in spec:
            spec = spec.get("jobTemplate", spec.get("template", spec))["spec"]
        return spec


class Pod:
    """One Pod of such a specification: a folder with its files, its ports, and its containers one after the other."""

    def __init__(self, folder, release, kind, name):
        self.folder, self.release, self.name = folder, release, name
        self.spec = release.spec(kind)
        self.root = f"{folder.path}/{name}"
        self.ports = {HTTP: free_port(), POD_REDIS: free_port()}
        self.service = []  # the Pods behind the Service's name
        self.servers = {}

    def container(self, name):
        return next(each for each in (self.spec.get("initContainers") or []) + self.spec["containers"]
                    if each["name"] == name)

    def mount(self, container):
        volumes = {each["name"]: each for each in self.spec["volumes"]}
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            target = self.root + mount["mountPath"]
            os.makedirs(target, exist_ok=True)
            source = volume.get("configMap", {}).get("name") or volume.get("secret", {}).get("secretName")
            if source is None:
                continue  # an emptyDir
            files = self.release.files[source]
            names = {item["key"]: item["path"] for item in volume.get("secret", {}).get("items", [])} or {
                key: key for key in files}
            for key, path in names.items():
                with open(f"{target}/{path}", "w") as out:
                    out.write(files[key])

    def translate(self, text):
        for path in ("/run/secrets/walrelay", "/etc/walrelay"):
            text = text.replace(path, self.root + path)
        if text.startswith("http://shop-walrelay:"):
            return ",".join(f"http://127.0.0.1:{pod.ports[HTTP]}" for pod in self.service)
        for port, own in self.ports.items():
            text = text.replace(f":{port}", f":{own}").replace(f"--port {port}", f"--port {own}")
        return str(self.ports.get(int(text), text)) if text.isdigit() else text

    def environment(self, container):
        out = {"PATH": os.environ["PATH"]}
        for each in container.get("env", []):
            value = each.get("value", "")
            origin = each.get("valueFrom", {})
            if "fieldRef" in origin:
                value = self.name
            if "secretKeyRef" in origin:
                value = self.release.files[origin["secretKeyRef"]["name"]][origin["secretKeyRef"]["key"]]
            for name, known in out.items():
                value = value.replace(f"$({name})", known)
            out[each["name"]] = self.translate(value)
        for each in container.get("envFrom", []):
            out.update(self.release.files[each["secretRef"]["name"]])
        return out

    def command(self, container):
        words = container.get("command", [PROGRAM]) + container.get("args", [])
        return [self.translate(word) for word in words]

    def start(self, name):
        container = self.container(name)
        self.mount(container)
        server = Server(self.folder, f"{self.name}-{name}")
        server.spawn(self.command(container), env=self.environment(container))
        self.servers[name] = server

    def run(self, name):
        """The output of a container that ends, which it must with 0."""
        container = self.container(name)
        self.mount(container)
        return run(self.command(container), env=self.environment(container))

    def exec(self, *words):
        """As `kubectl exec -- walrelay ...` in walrelay's container."""
        return run([PROGRAM, *words], env=self.environment(self.container("walrelay")))

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[HTTP]}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def wait_probe(self, kind):
        probe = self.container("walrelay")[f"{kind}Probe"]["httpGet"]
        self.wait(lambda: self.get(probe["path"]) == 200, f"{kind} probe {probe['path']}")

    def wait(self, condition, what):
        def looked():
            if not self.servers["walrelay"].running():
                raise Failure(f"walrelay has ended:\n{read(self.servers['walrelay'].log)}")
            return condition()
        wait_until(looked, f"{self.name}: {what}")

    def end(self):
        for server in reversed(self.servers.values()):
            server.end()


def expect(condition, what):
    if not condition:
        raise Failure(what)


POSTGRES_URL, REDIS_URL = "postgres://u:p@h/d", "redis://h"
OF_THE_USER = {  # what ci/*-values.yaml name
    "shop-db-app": {"uri": POSTGRES_URL},
    "db-password": {"password": "p"},
    "db-tls": {"ca.crt": "c", "tls.crt": "c", "tls.key": "k"},
    "db-parts": {"host": "h", "port": "5433", "username": "u", "password": "p", "dbname": "d"},
    "redis-access": {"url": REDIS_URL, "password": "p"},
    "redis-password": {"user": "u", "redis-password": "p"},
    "redis-tls": {"ca.crt": "c"},
    "http-token": {"token": "t"},
    "own-config": {"relay.yaml": "{}"},
    "own-database": {"url": POSTGRES_URL},
    "own-redis": {"REDIS_URL": REDIS_URL},
}


def understood(folder, chart, file):
    """Every variable that a chart sets is one that walrelay knows and that has an effect, and the configuration is one that
    it takes. (What it does not know it passes over: Kubernetes makes variables, too.)"""
    release = Release(folder, chart, file, {**OF_THE_USER, "shop-app": {"uri": POSTGRES_URL}})
    pod = Pod(folder, release, "Deployment", f"{chart}-{os.path.basename(file)}")
    containers = [each for each in (pod.spec.get("initContainers") or []) + pod.spec["containers"]
                  if each["name"].startswith("walrelay") and each["name"] != "walrelay-redis"]
    for container in containers:
        pod.mount(container)
        environment = pod.environment(container)
        shown = run([PROGRAM, "config", "show", "--origin"], env=environment)
        for name in environment:
            expect(name == "WALRELAY_CONFIG" or not name.startswith("WALRELAY_") or f"environment {name}\n" in shown + "\n",
                   f"{file}: {container['name']} has {name}, which has no effect:\n{shown}")
    expect(containers, f"{file} has no container of ours")


def standalone(folder, postgres, redis):
    """The Deployment, the Pod of helm test, and the Job of the CronJob; twice, for the hot standby."""
    uri = f"postgresql://relay:secret@127.0.0.1:{postgres.port}/postgres"
    values = {"config": MAPPINGS, "replicas": 2, "postgres": {"existingSecret": {"name": "db", "passwordKey": "password",
              "uriKey": "uri"}}, "redis": {"host": "127.0.0.1", "port": redis.port, "user": "relay", "existingSecret":
              {"name": "redis"}}}
    # The password beside the URI wins, so that it can change.
    release = Release(folder, "walrelay", values, {"db": {"uri": uri.replace("secret", "old"), "password": "secret"},
                                                   "redis": {"password": "hidden"}})
    check, rebuild = Pod(folder, release, "Pod", "check"), Pod(folder, release, "CronJob", "rebuild")
    pods = [Pod(folder, release, "Deployment", f"relay-{number}") for number in (1, 2)]
    rebuild.service = list(reversed(pods))
    expect("may replicate" not in check.run("check"), "helm test finds a fault where there is none")
    pods[0].start("walrelay")
    pods[0].wait(lambda: pods[0].get("/readyz") == 200, "streams")
    expect("Live" in pods[0].exec("status"), "status does not say that it is live")
    pods[1].start("walrelay")
    pods[1].wait_probe("startup")  # before it listens there is no status
    pods[1].wait(lambda: "standby" in pods[1].exec("status", "-o", "json"), "stands by")
    for pod in pods:
        for kind in ("startup", "liveness"):
            pod.wait_probe(kind)
    expect(redis.client.call("HGET", "user:1", "name") == "Ada", "the first row is not in Redis")
    redis.client.call("DEL", "user:1")
    expect("2 rows" in rebuild.run("rebuild"), "the rebuild has not read two rows")
    expect(redis.client.call("HGET", "user:1", "name") == "Ada", "the rebuild has not mended Redis")
    refuses_a_stranger(pods[0])
    pods[0].end()
    pods[1].wait(lambda: pods[1].get("/readyz") == 200, "takes over")
    expect("2 rows" in rebuild.run("rebuild"), "the rebuild does not find the standby that has taken over")
    pods[1].wait_probe("readiness")
    pods[1].end()
    postgres.sql("SELECT pg_drop_replication_slot('walrelay')")
    redis.client.call("FLUSHALL")


def refuses_a_stranger(pod):
    request = urllib.request.Request(f"http://127.0.0.1:{pod.ports[HTTP]}/api/v1/admin/index/public.users/reindex",
                                     method="POST", headers={"Authorization": "Bearer wrong"})
    try:
        urllib.request.urlopen(request, timeout=5)
    except urllib.error.HTTPError as error:
        expect(error.code == 401, f"a wrong token gets {error.code}")
        return
    raise Failure("a wrong token is as good as the right one")


def shared(folder, postgres, redis):
    """Two Pods of the application on one slot; the gate of each opens, also beside the one that stands by."""
    values = {"walrelay": {"config": MAPPINGS, "postgres": {"host": "127.0.0.1", "port": postgres.port, "user": "relay",
              "database": "postgres", "existingSecret": {"name": "db"}},
              "redis": {"host": "127.0.0.1", "port": redis.port}}}
    release = Release(folder, "example-application", values, {"db": {"password": "secret"}})
    pods = [Pod(folder, release, "Deployment", f"shared-{number}") for number in (1, 2)]
    for pod in pods:
        pod.service = pods
        pod.start("walrelay")
    for pod in pods:
        for kind in ("startup", "liveness"):
            pod.wait_probe(kind)
        pod.run("walrelay-gate")
        expect(redis.client.call("HGET", "user:2", "name") == "Grace", "a gate has opened too early")
    roles = sorted(pod.exec("status", "-o", "json") for pod in pods)
    expect(sum("standby" in role for role in roles) == 1, f"not one of two stands by: {roles}")
    for pod in pods:
        pod.end()
    postgres.sql("SELECT pg_drop_replication_slot('walrelay')")


def per_pod(folder, postgres):
    """Two Pods, each with a slot and a Redis of its own."""
    values = {"walrelay": {"topology": "per-pod", "config": MAPPINGS, "redis": {"host": ""},
              "postgres": {"existingSecret": {"name": "db"}}}}
    uri = f"postgresql://relay:secret@127.0.0.1:{postgres.port}/postgres"
    release = Release(folder, "example-application", values, {"db": {"uri": uri}})
    pods = [Pod(folder, release, "Deployment", f"shop-5d8f7c9b4-{number}") for number in ("x2k7p", "a9z.1")]
    for pod in pods:
        pod.start("walrelay-redis")
        probe = pod.container("walrelay-redis")["startupProbe"]["exec"]["command"]
        ask = [pod.translate(word) for word in probe]
        wait_until(lambda: subprocess.run(ask, capture_output=True, text=True).stdout == "PONG\n", "the Pod's Redis")
        pod.start("walrelay")
        pod.run("walrelay-gate")
    for pod in pods:
        client = ["redis-cli", "-p", str(pod.ports[POD_REDIS])]
        expect(run(client + ["HGET", "user:1", "name"]) == "Ada", f"{pod.name} has not got the rows")
        expect("noeviction" in run(client + ["CONFIG", "GET", "maxmemory-policy"]), "the Pod's Redis evicts")
        expect("100663296" in run(client + ["CONFIG", "GET", "maxmemory"]), "the Pod's Redis has no bound")
    slots = postgres.sql("SELECT slot_name FROM pg_replication_slots WHERE temporary AND active ORDER BY 1").split("\n")
    expect(slots == ["shop_5d8f7c9b4_a9z_1", "shop_5d8f7c9b4_x2k7p"], f"the slots are {slots}")
    for pod in pods:
        pod.end()
    wait_until(lambda: postgres.sql("SELECT count(*) FROM pg_replication_slots") == "0", "the slots go with the Pods")


def ask_for_passwords(postgres):
    file = f"{postgres.data}/pg_hba.conf"
    rules = read(file)
    with open(file, "w") as out:
        out.write("host all relay 127.0.0.1/32 scram-sha-256\n" + rules)
    postgres.sql("SELECT pg_reload_conf()")
    refused = f"host=127.0.0.1 port={postgres.port} user=relay dbname=postgres password=wrong"
    wait_until(lambda: subprocess.run(["psql", "-XqAt", "-d", refused, "-c", "SELECT 1"], capture_output=True,
                                      stdin=subprocess.DEVNULL).returncode != 0, "PostgreSQL asks for passwords")


def main():
    with Folder() as folder:
        for chart in ("walrelay", "example-application"):
            for file in sorted(glob.glob(f"{os.environ['CHARTS']}/{chart}/ci/*-values.yaml")):
                understood(folder, chart, file)
        print("every variable is understood")
        postgres, redis = Postgres(folder), Redis(folder)
        postgres.sql("CREATE ROLE relay LOGIN REPLICATION PASSWORD 'secret'; CREATE TABLE users (id int PRIMARY KEY, name "
                     "text); INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace'); GRANT CREATE ON DATABASE postgres TO "
                     "relay; ALTER TABLE users OWNER TO relay")
        redis.client.call("ACL", "SETUSER", "relay", "on", ">hidden", "~*", "&*", "+@all")
        ask_for_passwords(postgres)
        for name, steps in (("standalone", lambda: standalone(folder, postgres, redis)),
                            ("shared", lambda: shared(folder, postgres, redis)),
                            ("per-pod", lambda: per_pod(folder, postgres))):
            steps()
            print(f"{name}: passed")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
