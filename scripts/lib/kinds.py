"""What scripts/bench measures of mappings: what expressions cost, rows that are written several times, rows that change
again and again. By unix sockets; each drains a backlog as (b) does.

  (j)  a hash a row. Its keys are as long as those of (k)
  (k)  the same with three expressions: two lets that the key is made of, and a condition that is always true
  (l)  three writes a row: a hash, a member of one sorted set, a member of one set
  (m)  a hundred rows, each updated as often as makes so many changes; what a batch holds twice is sent once
  (m') the same with batches of ten transactions
  (n)  a topic of 10,000 partitions, created in one transaction: from its commit to the last key, with the tables of
       examples/streamhouse and its mapping "partitions"
"""

import time

import latency
from servers import Failure, Walrelay, read, wait_until

HOT_ROWS = 100
PARTITIONS = 10_000
STREAMHOUSE = "examples/streamhouse"

# The literals of the first stand for what the second computes, so that Redis has as much to do.
PLAIN = "{table: public.item, write: [{hash: {key: \"item:1234:e:{id}\"}}]}"
EXPRESSIONS = """{table: public.item,
     let: {part: "floordiv(id, 100)", half: "CASE WHEN id % 2 = 0 THEN 'e' ELSE 'o' END"},
     write: [{hash: {key: "item:{part}:{half}:{id}", when: "price >= 0 AND name IS NOT NULL"}}]}"""
THREE_WRITES = """{table: public.item, write: [
      {hash: {key: "item:{id}"}},
      {zset: {key: "items:by-price", member: "{id}", score: price}},
      {set: {key: "items", member: "{id}"}}]}"""
HOT = "{table: public.hot, write: [{hash: {key: \"hot:{id}\"}}]}"
LARGE_BATCHES = ", batch_size: 10000, max_bytes: 4MiB"

HOT_TABLE = """
CREATE TABLE hot (id int PRIMARY KEY, updates bigint NOT NULL, name text NOT NULL, price numeric(10,2) NOT NULL,
                  active boolean NOT NULL, changed timestamptz NOT NULL) WITH (fillfactor = 10);
CREATE PUBLICATION hot FOR TABLE hot;
"""

MEASUREMENTS = (
    ("j", "a hash a row", lambda kinds: kinds.drain(PLAIN, "item:1234:e:{id}")),
    ("k", "the same with three expressions", lambda kinds: kinds.drain(EXPRESSIONS, "item:{part}:e:{id}")),
    ("l", "three writes a row: hash, sorted set, set", lambda kinds: kinds.drain(THREE_WRITES, "item:{id}", more_keys=2)),
    ("m", f"{HOT_ROWS} rows, updated again and again", lambda kinds: kinds.drain_hot("m", "")),
    ("m'", "the same, `flush: {batch_size: 10000, max_bytes: 4MiB}`", lambda kinds: kinds.drain_hot("m'", LARGE_BATCHES)),
)


class Kinds:
    """`samples` by letter; `commands` of each round of (m) and (m'); `topics`: the seconds of each round of (n)."""

    def __init__(self, bench, rounds, note):
        self.bench, self.rounds = bench, rounds
        self.samples = {key: [] for key, _, _ in MEASUREMENTS}
        self.commands = {"m": [], "m'": []}
        self.fill_hot()
        for number in range(1, rounds + 1):
            for key, title, work in MEASUREMENTS:
                sample = work(self)
                self.samples[key].append(sample)
                note(f"kinds, round {number} of {rounds} ({key}) {title}: {sample.seconds:.2f} s, "
                     f"{microseconds_a_row(sample):.2f} us a row")
        self.topics = self.create_topics(rounds)
        note(f"kinds (n) {PARTITIONS:,} partitions: " + ", ".join(f"{seconds:.3f} s" for seconds in self.topics))

    def fill_hot(self):
        bench = self.bench
        self.updates = bench.rows // HOT_ROWS
        bench.sql(HOT_TABLE)
        bench.sql(f"INSERT INTO hot SELECT n, 0, 'hot row number ' || n, n, true, now() FROM generate_series(1, {HOT_ROWS}) n")
        bench.sql("SELECT pg_create_logical_replication_slot('hot_backlog', 'pgoutput')")
        bench.sql(f"""DO $$ BEGIN
          FOR t IN 1..{self.updates} LOOP
            UPDATE hot SET updates = t, price = t % 1000, active = t % 2 = 0, changed = clock_timestamp();
            IF t % {bench.per_transaction // HOT_ROWS} = 0 THEN COMMIT; END IF;
          END LOOP; END $$""")

    def drain(self, mapping, last_key, more_keys=0):
        """`last_key`: of the last row, whose id is even."""
        bench = self.bench
        name = bench.copy_slot()
        relay = bench.relay("item", slot=name, publication="item", initial="false", mapping=mapping)
        last = last_key.format(id=bench.rows, part=bench.rows // 100)
        sample = bench.drive(relay, bench.rows, bench.holds(last), keys=bench.rows + more_keys)
        bench.drop_slot(name)
        return sample

    def drain_hot(self, letter, flush):
        bench = self.bench
        name = bench.copy_slot("hot_backlog")
        relay = bench.relay("hot", slot=name, publication="hot", initial="false", mapping=HOT, flush=flush)
        sample = bench.drive(relay, bench.rows, self.hot_is_done, keys=HOT_ROWS,
                             before_end=lambda: self.note_commands(letter, relay))
        bench.drop_slot(name)
        return sample

    def hot_is_done(self):
        """Each transaction updates every row and is shown as a whole, so one row tells."""
        return self.bench.redis.client.call("HGET", "hot:1", "updates") == str(self.updates)

    def note_commands(self, letter, relay):
        """Counted when Redis' replies have been read."""
        wait_until(lambda: (relay.metric("walrelay_redis_rows_total") or 0) >= self.bench.rows, "every reply is read")
        self.commands[letter].append(relay.metric("walrelay_redis_commands_total"))

    def create_topics(self, rounds):
        bench = self.bench
        bench.postgres.sql("CREATE DATABASE streamhouse")
        bench.postgres.sql(read(f"{STREAMHOUSE}/schema.sql"), "streamhouse")
        bench.redis.client.call("FLUSHALL", "SYNC")
        source = f"postgresql://postgres@/streamhouse?host={bench.postgres.home}&port={bench.postgres.port}"
        text = with_one_mapping(read(f"{STREAMHOUSE}/walrelay.yaml"), "partitions")
        relay = Walrelay(bench.folder, bench.binary, text + "http: {listen: 127.0.0.1:HTTP_PORT}\n", name="streamhouse",
                         env={"DATABASE_URL": source, "REDIS_URL": bench.redis.url()})
        relay.start()
        relay.wait_ready()
        writer = latency.PostgresClient(bench.postgres, "streamhouse")
        times = [self.create_topic(writer, f"topic-{number}") for number in range(rounds)]
        relay.end()
        bench.drop_slot("streamhouse")
        return times

    def create_topic(self, writer, name):
        # Several statements of one query are one transaction.
        writer.send(f"INSERT INTO topics VALUES ('{name}', {PARTITIONS}, NULL, 0, 0, '{{}}'); "
                    f"INSERT INTO partitions SELECT '{name}', p, 0, 0, 0 FROM generate_series(0, {PARTITIONS - 1}) p")
        while b"Z" not in writer.messages():
            pass
        committed = time.monotonic()
        ask = self.bench.redis.client.call
        wait_until(lambda: ask("ZCARD", f"sh:parts:{name}") == PARTITIONS, f"the partitions of {name}", pause=0.001)
        seconds = time.monotonic() - committed
        if ask("EXISTS", f"sh:part:{name}:0", f"sh:part:{name}:{PARTITIONS - 1}") != 2:
            raise Failure(f"partitions of {name} have no hash")
        return seconds


def microseconds_a_row(sample):
    return sample.client_cpu / sample.rows * 1e6


def with_one_mapping(text, name):
    """A configuration without its other mappings. Each begins with its name."""
    head, *mappings = text.split("\n  - name: ")
    for mapping in mappings:
        if mapping.startswith(name + "\n"):
            return f"{head}\n  - name: {mapping}\n"
    raise Failure(f"there is no mapping \"{name}\"")
