"""What scripts/test-image does with a running image: rows, another encoding, health, signals, a kill under load, rest."""

import json
import threading
import time

from image_facts import USER
from servers import Failure, process_cpu, read, status_bytes, wait_until
from tour import Session

# By name, so that the image must be able to resolve one.
CONFIGURATION = """\
source: {{url: "postgresql://postgres@localhost:{postgres}/{database}", slot: {database}, publication: {database}}}
target: {{url: "redis://localhost:{redis}/0"}}
mappings:
  - table: public.items
    write:
      - hash: {{key: "{database}:{{id}}"}}
"""
TABLE = "CREATE TABLE items (id bigint PRIMARY KEY, title text NOT NULL, amount numeric(12, 2), note text);"
# One batch of the load: new rows, rows that change, rows that go.
BATCH = """\
INSERT INTO items SELECT n, 'title ' || n, n / 7.0, CASE WHEN n % 3 = 0 THEN 'note' END
  FROM generate_series({0} + 1, {0} + 200) n;
UPDATE items SET amount = amount + 1, note = NULL WHERE id % 11 = 0 AND id > {0} - 1000;
DELETE FROM items WHERE id % 13 = 0 AND id > {0} - 1000;"""
REST_SECONDS = 30
MOST_RESIDENT = 25 * 1000 * 1000
MOST_CPU_PERCENT = 0.5
MOST_STOP_SECONDS = 5


def expect(fact, what):
    if not fact:
        raise Failure(what)


class Site:
    """A database with one table, and both sides as dictionaries. `relay` stands between them, in a container."""

    def __init__(self, postgres, redis, database, encoding="UTF8"):
        self.postgres, self.redis, self.database = postgres, redis, database
        self.relay = None
        postgres.sql(f"CREATE DATABASE {database} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
        postgres.sql(TABLE, database)

    def configuration(self):
        return CONFIGURATION.format(postgres=self.postgres.port, redis=self.redis.port, database=self.database)

    def sql(self, text):
        return self.postgres.sql("SET client_encoding = 'UTF8';\n" + text, self.database)

    def rows(self):
        """As the hashes must be: every value as text, NULL absent."""
        listing = self.sql("SELECT jsonb_strip_nulls(jsonb_build_object('id', id::text, 'title', title, "
                           "'amount', amount::text, 'note', note)) FROM items")
        rows = [json.loads(line) for line in listing.splitlines()]
        return {f"{self.database}:{row['id']}": row for row in rows}

    def hashes(self):
        client = self.redis.client
        keys = client.call("KEYS", f"{self.database}:*")
        for key in keys:
            client.send("HGETALL", key)
        flat = [client.receive() for _ in keys]
        return {key: dict(zip(each[::2], each[1::2])) for key, each in zip(keys, flat) if each}

    def converge(self, seconds=120):
        wait_until(lambda: self.hashes() == self.rows(), f"Redis holds what PostgreSQL's {self.database} holds", seconds,
                   pause=0.2)
        return len(self.rows())


def check_rows(site):
    site.sql(BATCH.format(0))
    site.relay.start()
    site.relay.wait_ready()
    loaded = site.converge()
    for first in (200, 400):
        site.sql(BATCH.format(first))
    return f"{loaded} rows loaded, then changes: {site.converge()} rows equal on both sides"


def check_confinement(site):
    """As the kernel sees the process."""
    pid = site.relay.pid()
    status = dict(line.split(":\t", 1) for line in read(f"/proc/{pid}/status").splitlines() if ":\t" in line)
    for field in ("CapEff", "CapPrm", "CapBnd"):
        expect(int(status[field], 16) == 0, f"it has capabilities: {field} is {status[field]}")
    expect(status["NoNewPrivs"] == "1", "it may gain rights by what it executes")
    root = next(line.split() for line in read(f"/proc/{pid}/mountinfo").splitlines() if line.split()[4] == "/")
    expect("ro" in root[5].split(","), f"its root is mounted {root[5]}")
    users = read(f"/proc/{pid}/uid_map").split()
    uid = int(status["Uid"].split()[0])
    if users[:2] == ["0", "0"]:  # else the kernel shows the number outside of its name space
        expect(uid == USER, f"it runs as {uid}")
    expect(uid != 0, "it runs as root")
    return f"uid {uid}, no capabilities, no new privileges, read-only root"


def check_encoding(site):
    """The image brings the tables that a database in another encoding needs."""
    site.relay.start()
    site.relay.wait_ready()
    site.sql("INSERT INTO items VALUES (1, U&'\\65E5\\672C\\8A9E', 1, NULL)")
    site.converge()
    found = site.hashes()[f"{site.database}:1"]["title"]
    expect(found == "日本語", f"Redis holds {found!r}")
    site.relay.stop()
    return "a row of a database in EUC_JP is UTF-8 in Redis"


def check_health(podman, site):
    relay = site.relay
    wait_until(relay.healthy, "the health check says that it is well", 30, pause=0.5)
    podman.call("kill", "--signal", "STOP", relay.name)
    expect(not relay.healthy(), "the health check finds a stopped process healthy")
    podman.call("kill", "--signal", "CONT", relay.name)
    wait_until(relay.healthy, "the health check says that it is well again", 30, pause=0.5)
    return "healthy while it runs, unhealthy while the process is stopped, healthy again"


def check_stop(site):
    status, seconds = site.relay.stop()
    expect(status == 0, f"after SIGTERM it ended with status {status}:\n{site.relay.logs()}")
    expect(seconds < MOST_STOP_SECONDS, f"it took {seconds:.1f} s to end after SIGTERM")
    return f"SIGTERM ends it with status 0 in {seconds:.2f} s"


class Load(threading.Thread):
    """Commits batch after batch until it is told to finish."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.session = Session(site.postgres, site.database)
        self.enough = threading.Event()
        self.done = 0

    def run(self):
        while not self.enough.is_set():
            self.session.commit(f"BEGIN;\n{BATCH.format(1000 + self.done * 200)}\nCOMMIT;")
            self.done += 1
        self.session.close()

    def finish(self):
        expect(self.is_alive(), "the load has failed")
        self.enough.set()
        self.join()


def check_kills(site, times=3):
    relay, load = site.relay, Load(site)
    relay.start()
    relay.wait_ready()
    load.start()
    behind = []
    for _ in range(times):
        seen = len(site.redis.client.call("KEYS", f"{site.database}:*"))
        wait_until(lambda: len(site.redis.client.call("KEYS", f"{site.database}:*")) > seen, "rows reach Redis", 60)
        relay.kill()
        committed = load.done
        wait_until(lambda: load.done > committed or not load.is_alive(), "the load goes on without it", 30)
        behind.append(int(site.sql("SELECT count(*) FROM items")) -
                      len(site.redis.client.call("KEYS", f"{site.database}:*")))
        relay.start()
        relay.wait_ready()
    load.finish()
    return f"killed {times} times under load ({behind} rows behind then), started again: {site.converge()} rows, all equal"


def check_rest(site):
    """What it costs when nothing happens: resident memory and processor, over half a minute."""
    relay = site.relay
    relay.stop()
    relay.start()
    relay.wait_ready()
    site.converge()
    pid = relay.pid()
    begin, spent = time.monotonic(), process_cpu(pid)
    deadline = begin + REST_SECONDS
    peak = 0
    while time.monotonic() < deadline:  # it is rest that is measured, so this is the one wait for a time
        peak = max(peak, status_bytes(pid, "VmRSS:"))
        time.sleep(1)
    percent = 100 * (process_cpu(pid) - spent) / (time.monotonic() - begin)
    expect(0 < peak <= MOST_RESIDENT, f"at rest it has {peak / 1e6:.1f} MB resident")
    expect(percent < MOST_CPU_PERCENT, f"at rest it takes {percent:.2f} % of a processor")
    return f"at rest {peak / 1e6:.1f} MB resident, {percent:.2f} % of a processor over {REST_SECONDS} s"
