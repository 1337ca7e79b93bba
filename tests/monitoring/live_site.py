"""A walrelay between throw-away servers, with something to do, and what its /metrics says. For the tests beside this file."""
import os
import re
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f"{ROOT}/scripts/lib")
import servers  # noqa: E402

SKIPPED = 77  # what ctest takes for "not run"

CONFIG = """
source: {url: "%s"}
target: {url: "%s"}
http: {listen: "127.0.0.1:HTTP_PORT"}
flush: {interval: 20ms}
on_row_error: dead_letter
mappings:
  - table: users
    write: {hash: {key: "user:{id}"}}
  - table: orders
    write: {string: {key: "order:{id}", when: "amount > 0"}}
"""

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, amount int);
INSERT INTO users SELECT i, 'name ' || i FROM generate_series(1, 1000) i;
"""

WORK = """
UPDATE users SET name = name || '.' WHERE id % 100 = 0;
INSERT INTO orders SELECT coalesce(max(id), 0) + 1, (random() * 10)::int - 2 FROM orders;
DELETE FROM orders WHERE id % 10 = 0;
"""


class Site:
    def __init__(self, binary, schema="", mappings=""):
        """`schema`: SQL of further tables; `mappings`: YAML of theirs."""
        self.folder = servers.Folder()
        self.postgres = servers.Postgres(self.folder, {"max_slot_wal_keep_size": "1GB"})
        self.redis = servers.Redis(self.folder)
        self.redis.client.call("CONFIG", "SET", "maxmemory", "100mb")
        self.postgres.sql(SCHEMA + schema)
        config = CONFIG % (self.postgres.url(), self.redis.url(tcp=True)) + mappings.lstrip("\n")
        self.walrelay = servers.Walrelay(self.folder, binary, config)
        self.stop_working = threading.Event()
        self.worker = None

    def __enter__(self):
        self.folder.__enter__()
        return self

    def __exit__(self, *error):
        self.stop_working.set()
        if self.worker is not None:
            self.worker.join()
        return self.folder.__exit__(*error)

    def start(self):
        """Until every row is in Redis, and both servers have been asked for their figures."""
        self.walrelay.start()
        self.walrelay.wait_ready()
        wanted = {"walrelay_redis_memory_used_bytes", "walrelay_postgres_connections", "walrelay_slot_safe_wal_bytes"}
        servers.wait_until(lambda: wanted <= set(self.families()), "walrelay knows the figures of both servers")

    def work(self):
        """Changes rows and reads keys until the end."""
        def working():
            client = servers.RedisClient(self.redis.socket)
            while not self.stop_working.wait(0.05):
                self.postgres.sql(WORK)
                for key in ("user:1", "user:2", "user:3", "user:none"):
                    client.call("HGETALL", key)
        self.worker = threading.Thread(target=working)
        self.worker.start()

    def families(self):
        return families(self.walrelay.get("/metrics") or "")


class Family:
    def __init__(self, name):
        self.name = name
        self.help = self.type = ""
        self.labels = []    # in the order of the first sample, without the slot and a histogram's own
        self.samples = []   # label values: {name: value}


def families(page):
    """Of the text format: {name: Family}."""
    found = {}
    for line in page.splitlines():
        comment = re.match(r"# (HELP|TYPE) (\S+) (.*)", line)
        if comment:
            family = found.setdefault(comment[2], Family(comment[2]))
            setattr(family, comment[1].lower(), comment[3])
            continue
        sample = re.match(r"([a-z_]+)(?:\{(.*)\})? ", line)
        family = found.get(sample[1]) or found[base_name(sample[1])]
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample[2] or ""))
        family.samples.append(labels)
        for name in labels:
            if name not in ("slot", "le") and name not in family.labels:
                family.labels.append(name)
    return found


def base_name(name):
    """Of the family that a sample belongs to: a histogram's has none of these endings."""
    return re.sub(r"_(bucket|sum|count)$", "", name)


def read(path):
    with open(f"{ROOT}/{path}") as file:
        return file.read()


class Complaints:
    def __init__(self):
        self.all = []

    def __call__(self, sentence):
        self.all.append(sentence)

    def end(self, what):
        """Says what is wrong and ends the process."""
        for sentence in self.all:
            print(sentence)
        print(f"{what}: {len(self.all)} complaint(s)" if self.all else f"{what}: as they should be")
        sys.exit(1 if self.all else 0)
