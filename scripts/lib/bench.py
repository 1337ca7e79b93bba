"""What scripts/bench measures. Each round does all of it once, one after the other; the table shows medians.

  (a)  pg_recvlogical drains a backlog (1,000 rows per transaction, six columns) from a copy of a slot to /dev/null
  (b)  walrelay drains another copy of that slot into Redis hashes
  (c)  psql's COPY piped into redis-cli --pipe: the same rows, as fast as the two clients go
  (d)  walrelay's initial load of the same table
  (e)  redis-benchmark with the same HSETs, pipelined

  What else there is: jobs.py (f to i) and kinds.py (j to n).

  L    the limit of (b): the longest of (a), (e) and (CPU of PostgreSQL in (a) + CPU of Redis in (e)) / processors.
       Of (a) it takes the binary format, which is quicker and which walrelay uses here too.

Times are wall-clock, from the start of the client process until its last row is in Redis (a: until it has exited).
"""

import argparse
import os
import subprocess
import sys
import threading
import time

import figures
import jobs
import kinds
import latency
from servers import Failure, Folder, Postgres, Redis, Walrelay, processes, read, status_bytes, wait_until

BINARY = "build/release/walrelay"
PER_TRANSACTION = 1000

TABLE = """
CREATE TABLE item (id bigint PRIMARY KEY, customer int NOT NULL, name text NOT NULL, price numeric(10,2) NOT NULL,
                   active boolean NOT NULL, created timestamptz NOT NULL);
CREATE TABLE big (LIKE item INCLUDING ALL);
CREATE TABLE tick (id bigint PRIMARY KEY, customer int, name text, price numeric(10,2), active boolean, created timestamptz);
CREATE PUBLICATION item FOR TABLE item;
"""
ROW = ("n, n % 1000, 'item number ' || n, (n % 100000) / 100.0, n % 2 = 0, "
       "timestamptz '2024-01-01 00:00+00' + n * interval '1 second'")
COLUMNS = ("id", "customer", "name", "price", "active", "created")

CONFIGURATION = """\
source: {{url: "postgresql://postgres@/bench?host={host}&port={port}", slot: {slot}, publication: {publication},
         format: {format}}}
target: {{url: "{redis}"}}
flush: {{interval: {interval}{flush}}}
load: {{initial: {initial}}}
log: {{level: info}}
http: {{listen: 127.0.0.1:HTTP_PORT}}
mappings:
  - {mapping}
{more}"""


class Sample:
    """What one measurement gave: seconds, and what each process spent and held."""

    def __init__(self, rows):
        self.rows = rows
        self.seconds = 0.0
        self.postgres_cpu = self.redis_cpu = self.client_cpu = 0.0
        self.client_peak = 0


class PeakWatch:
    """The most memory that the processes of a session had, each by VmHWM, added up; asked while they live."""

    def __init__(self, session):
        self.session, self.peaks, self.ended = session, {}, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.ended.wait(0.1):
            for pid in [pid for pid, fields in processes() if int(fields[3]) == self.session]:
                self.peaks[pid] = max(self.peaks.get(pid, 0), status_bytes(pid, "VmHWM:"))

    def stop(self):
        self.ended.set()
        self.thread.join()
        return sum(self.peaks.values())


class Bench:
    binary, per_transaction = BINARY, PER_TRANSACTION

    def __init__(self, folder, arguments):
        self.folder, self.rows, self.big_rows = folder, arguments.rows, arguments.big_rows
        self.tcp = False
        self.postgres = Postgres(folder, {"shared_buffers": "256MB", "max_wal_size": "16GB", "autovacuum": "off",
                                          "checkpoint_timeout": "1h", "synchronous_commit": "on"})
        self.redis = Redis(folder)
        self.postgres.sql("CREATE DATABASE bench")
        self.sql(TABLE)
        self.runs = 0

    def sql(self, text):
        return self.postgres.sql(text, "bench")

    def host(self):
        return "127.0.0.1" if self.tcp else self.postgres.home

    def conninfo(self):
        return self.postgres.conninfo("bench", self.host())

    def redis_at(self):
        return ["-h", "127.0.0.1", "-p", str(self.redis.port)] if self.tcp else ["-s", self.redis.socket]

    def fill(self):
        self.sql("SELECT pg_create_logical_replication_slot('backlog', 'pgoutput')")
        self.sql(f"""DO $$ BEGIN
          FOR t IN 0..{self.rows // PER_TRANSACTION - 1} LOOP
            INSERT INTO item SELECT {ROW} FROM generate_series(t * {PER_TRANSACTION} + 1, (t + 1) * {PER_TRANSACTION}) n;
            COMMIT;
          END LOOP; END $$""")
        self.end = self.sql("SELECT pg_current_wal_lsn()")
        self.sql("CREATE INDEX ON item (customer)")
        self.sql("VACUUM ANALYZE item; CHECKPOINT")

    def relay(self, table, **changes):
        self.runs += 1
        settings = {"host": self.host(), "port": self.postgres.port, "redis": self.redis.url(self.tcp), "table": table,
                    "slot": f"run_{self.runs}", "publication": f"run_{self.runs}", "format": "auto",
                    "interval": "100ms", "initial": "true", "more": "", "flush": "",
                    "mapping": f"{{table: public.{table}, write: [{{hash: {{key: \"{table}:{{id}}\"}}}}]}}", **changes}
        return Walrelay(self.folder, BINARY, CONFIGURATION.format(**settings), name=f"walrelay-{self.runs}")

    def copy_slot(self, backlog="backlog"):
        """A slot that holds the whole backlog again; its name."""
        name = f"run_{self.runs + 1}"
        self.sql(f"SELECT pg_copy_logical_replication_slot('{backlog}', '{name}', false)")
        return name

    def drop_slot(self, name):
        wait_until(lambda: self.sql(f"SELECT NOT active FROM pg_replication_slots WHERE slot_name = '{name}'") == "t",
                   f"slot {name} is released")
        self.sql(f"SELECT pg_drop_replication_slot('{name}')")

    def measure(self, rows, work):
        """`work` returns (seconds, the client's CPU, the client's peak); the servers' part is added."""
        self.redis.client.call("FLUSHALL", "SYNC")
        sample = Sample(rows)
        postgres, redis = self.postgres.cpu_seconds(), self.redis.cpu_seconds()
        sample.seconds, sample.client_cpu, sample.client_peak = work()
        time.sleep(0.3)  # a backend whose client has gone still ends
        sample.postgres_cpu = self.postgres.cpu_seconds() - postgres
        sample.redis_cpu = self.redis.cpu_seconds() - redis
        return sample

    def tool(self, argv):
        def work():
            begin = time.monotonic()
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, start_new_session=True)
            watch = PeakWatch(process.pid)
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begin
            if status != 0:
                raise Failure(f"{argv}: {output}")
            return seconds, usage.ru_utime + usage.ru_stime, watch.stop()
        return work

    def recvlogical(self, binary):
        name = self.copy_slot()
        self.runs += 1
        options = ["proto_version=1", "publication_names=item"] + (["binary=true"] if binary else [])
        argv = [f"{self.postgres.binaries}/pg_recvlogical", "-d", self.conninfo(), "--slot", name,
                "--start", "--no-loop", "--endpos", self.end, "-f", "/dev/null"]
        argv += [part for option in options for part in ("-o", option)]
        sample = self.measure(self.rows, self.tool(argv))
        self.drop_slot(name)
        return sample

    def drive(self, relay, rows, done, keys=None, before_end=None):
        """Starts walrelay, waits until `done`, checks how many keys Redis holds: one for each row, or so many."""
        def work():
            begin = time.monotonic()
            relay.start()
            wait_until(lambda: done() or self.must_run(relay), "walrelay is done", 900, pause=0.005)
            seconds = time.monotonic() - begin
            cpu = relay.metric("process_cpu_seconds_total")
            return seconds, cpu, relay.peak_bytes()
        sample = self.measure(rows, work)
        if before_end is not None:
            before_end()
        relay.end()
        held, wanted = self.redis.client.call("DBSIZE") - self.own_keys(), rows if keys is None else keys
        if held != wanted:
            raise Failure(f"Redis holds {held} keys instead of {wanted}; log: {read(relay.log)}")
        return sample

    def must_run(self, relay):
        if not relay.running():
            raise Failure(f"walrelay ended with status {relay.process.returncode}: {read(relay.log)}")
        return False

    def own_keys(self):
        cursor, own = "0", set()
        while True:
            cursor, found = self.redis.client.call("SCAN", cursor, "MATCH", "walrelay:*", "COUNT", 100000)
            own.update(found)
            if cursor == "0":
                return len(own)

    def holds(self, key):
        return lambda: self.redis.client.call("EXISTS", key) == 1

    def drain(self, data_format):
        name = self.copy_slot()
        relay = self.relay("item", slot=name, publication="item", initial="false", format=data_format)
        sample = self.drive(relay, self.rows, self.holds(f"item:{self.rows}"))
        self.drop_slot(name)
        return sample

    def load(self):
        relay = self.relay("item")
        everything = lambda: self.redis.client.call("DBSIZE") >= self.rows and relay.get("/readyz") is not None
        sample = self.drive(relay, self.rows, everything)
        self.drop_slot(f"run_{self.runs}")
        return sample

    def pipe(self):
        """Each row is one line that Redis reads as a command: what COPY can write without another program."""
        fields = " || ' ".join(f"{name} ' || " + (f"'\"' || {name} || '\"'" if name in ("name", "created") else name)
                               for name in COLUMNS)
        query = f"COPY (SELECT 'HSET item:' || id || ' {fields} FROM item) TO STDOUT"
        command = f"psql -XqAt -d '{self.conninfo()}' -c \"$COPY\" | redis-cli {' '.join(self.redis_at())} --pipe"
        os.environ["COPY"] = query
        sample = self.measure(self.rows, self.tool(["bash", "-o", "pipefail", "-c", command]))
        if self.redis.client.call("DBSIZE") != self.rows:
            raise Failure("psql | redis-cli --pipe did not write every row")
        return sample

    def benchmark(self):
        fields = ["id", "__rand_int__", "customer", "1234", "name", "item number __rand_int__", "price", "123.45",
                  "active", "t", "created", "2024-01-01 00:00:00+00"]
        argv = ["redis-benchmark", *self.redis_at(), "-n", str(self.rows), "-r", str(self.rows), "-P", "64",
                "-c", "8", "-q", "HSET", "item:__rand_int__"] + fields
        return self.measure(self.rows, self.tool(argv))

    def big_transaction(self):
        """One transaction, streamed while it is applied: what matters is the memory."""
        relay = self.streaming("big")
        begin = time.monotonic()
        self.sql(f"INSERT INTO big SELECT {ROW} FROM generate_series(1, {self.big_rows}) n")
        committed = time.monotonic()
        wait_until(lambda: self.holds(f"big:{self.big_rows}")() or self.must_run(relay), "the big transaction", 1800)
        seconds = time.monotonic() - committed
        peak = relay.peak_bytes()
        relay.end()
        self.drop_slot(f"run_{self.runs}")
        return {"insert": committed - begin, "seconds": seconds, "peak": peak}

    def streaming(self, table, **changes):
        """A walrelay that has caught up with an empty table."""
        self.redis.client.call("FLUSHALL", "SYNC")
        relay = self.relay(table, **changes)
        relay.start()
        relay.wait_ready()
        return relay

    def latencies(self, rate, count):
        relay = self.streaming("tick", interval="0ms")
        times, reached = latency.measure(self.postgres, "bench", self.redis, rate, count)
        peak = relay.peak_bytes()
        relay.end()
        self.drop_slot(f"run_{self.runs}")
        self.sql("TRUNCATE tick")
        return {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)], "most": times[-1], "rate": reached,
                "peak": peak}


MEASUREMENTS = (
    ("a", "pg_recvlogical to /dev/null, binary", lambda bench: bench.recvlogical(binary=True)),
    ("a'", "pg_recvlogical to /dev/null, text", lambda bench: bench.recvlogical(binary=False)),
    ("b", "walrelay drains the slot into hashes, binary", lambda bench: bench.drain("auto")),
    ("b'", "walrelay drains the slot into hashes, text", lambda bench: bench.drain("text")),
    ("c", "psql COPY | redis-cli --pipe", lambda bench: bench.pipe()),
    ("d", "walrelay's initial load", lambda bench: bench.load()),
    ("e", "redis-benchmark, the same HSETs, -P 64 -c 8", lambda bench: bench.benchmark()),
)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the backlog and of the table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--big-rows", type=int, default=5_000_000, help="of the single big transaction")
    parser.add_argument("--by", choices=("unix", "tcp"), action="append",
                        help="the transport to both servers: unix sockets, or TCP to 127.0.0.1; both unless told otherwise")
    parser.add_argument("--part", choices=("speed", "jobs", "kinds"), action="append",
                        help="(a) to (e) with the latencies and the big transaction, (f) to (i), (j) to (n); all by default")
    parser.add_argument("--quick", action="store_true", help="100,000 rows, one round: whether it works, no figures")
    arguments = parser.parse_args()
    ticks = 10_000
    if arguments.quick:
        arguments.rows, arguments.rounds, arguments.big_rows, ticks = 100_000, 1, 300_000, 2_000
    arguments.rows -= arguments.rows % PER_TRANSACTION
    try:
        with Folder() as folder:
            measure(Bench(folder, arguments), arguments, ticks)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def measure(bench, arguments, ticks):
    parts = arguments.part or ("speed", "jobs", "kinds")
    note(f"filling a table with {arguments.rows} rows")
    bench.fill()
    reports = big = work = mapped = None
    if "speed" in parts:
        reports = speeds(bench, arguments, ticks)
    bench.tcp = False
    if "jobs" in parts:
        note("rebuild, verify, and what they cost the stream")
        work = jobs.Jobs(bench, arguments.rounds, 4 * ticks)
    if "kinds" in parts:
        note(f"filling a table with {kinds.HOT_ROWS} rows that change again and again")
        mapped = kinds.Kinds(bench, arguments.rounds, note)
    if reports:
        note(f"one transaction of {arguments.big_rows} rows")
        big = bench.big_transaction()
    figures.show_machine(bench, arguments)
    if reports:
        figures.show(arguments, {key: title for key, title, _ in MEASUREMENTS}, reports, big)
    if work:
        figures.show_jobs(arguments, work)
    if mapped:
        figures.show_kinds(arguments, mapped)


def speeds(bench, arguments, ticks):
    """Every measurement by each transport, as figures.Report wants it. A round has both, so that a machine that becomes
    slower does so for both."""
    transports = arguments.by or ("unix", "tcp")
    samples = {transport: {key: [] for key, _, _ in MEASUREMENTS} for transport in transports}
    latencies = {transport: [] for transport in transports}
    for number in range(1, arguments.rounds + 1):
        for transport in transports:
            bench.tcp = transport == "tcp"
            for key, title, work in MEASUREMENTS:
                sample = work(bench)
                samples[transport][key].append(sample)
                note(f"round {number} of {arguments.rounds}, {transport} ({key}) {title}: {sample.seconds:.2f} s")
            note(f"round {number} of {arguments.rounds}, {transport}, latency at 1,000 transactions a second")
            latencies[transport].append(bench.latencies(1000, ticks))
    return [figures.Report(transport, samples[transport], latencies[transport]) for transport in transports]


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
