"""What scripts/quickstart shows: a shop database, walrelay on it, and what Redis holds after each statement.

Commit-to-Redis time, as measured here: psql, already connected, is handed the statement; the clock starts when psql has
reported the commit, and stops when Redis, asked again and again over its unix socket, first gives the new answer. Where
Redis has it before psql's report was read, the time is shown as "before psql had said so".
"""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time

from servers import Failure, Folder, Postgres, Redis, RedisClient, Walrelay, wait_until

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ
BINARY = "build/release/walrelay"
# Between the steps. With flush.interval at its default of 100 ms, a commit that follows another at once may wait for so
# long to share a batch; one after a quiet time leaves at once, which is what a tour of single commits should show.
QUIET = 0.3

CONFIGURATION = """\
source:
  url: {postgres}
target:
  url: {redis}
mappings:
  - table: public.customers
    write:
      - hash: {{key: "customer:{{id}}"}}
  - table: public.products
    write:
      - string: {{key: "product:{{sku}}"}}
  - table: public.orders
    write:
      - hash: {{key: "order:{{id}}"}}
"""


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def heading(text):
    print(f"\n{paint('1', text)}")


def line(label, text):
    rows = str(text).splitlines() or [""]
    print(f"  {paint('2', label.ljust(8))}{rows[0]}")
    for row in rows[1:]:
        print(f"          {row}")


class Session:
    """One psql that stays connected, so that starting it is no part of a measurement."""

    def __init__(self, postgres, database):
        self.psql = subprocess.Popen(postgres.psql(database), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                     bufsize=1, start_new_session=True)

    def commit(self, statements):
        """Runs them; when psql said that they are committed."""
        self.psql.stdin.write(f"{statements}\n\\echo done\n")
        self.psql.stdin.flush()
        for answer in self.psql.stdout:
            if answer == "done\n":
                return time.monotonic()
        raise Failure(f"psql refused: {statements}")

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


class Tour:
    def __init__(self, folder):
        self.folder = folder
        self.postgres = Postgres(folder)
        self.redis = Redis(folder)
        self.postgres.sql("CREATE DATABASE shop")
        with open(os.path.join(os.path.dirname(__file__), "shop.sql")) as script:
            self.postgres.sql(script.read(), "shop")
        # Without a port in the url, psql, redis-cli and walrelay all go by the unix sockets.
        source = f"postgresql://postgres@/shop?host={self.postgres.home}&port={self.postgres.port}"
        self.configuration = CONFIGURATION.format(postgres=source, redis=self.redis.url())
        self.relay = Walrelay(folder, BINARY, self.configuration + "http: {listen: 127.0.0.1:HTTP_PORT}\n")
        self.session = Session(self.postgres, "shop")

    def ask(self, *words):
        return self.redis.client.call(*words)

    def show_answer(self, words):
        line("Redis", "redis-cli " + " ".join(shlex.quote(word) for word in words))
        answer = self.ask(*words)
        if isinstance(answer, list) and words[0] == "HGETALL":
            pairs = list(zip(answer[::2], answer[1::2]))
            answer = "\n".join(f"{paint('36', name.ljust(9))} {value}" for name, value in pairs) or "(empty)"
        line("", "(nil)" if answer is None else answer)

    def show_lag(self, took):
        def caught_up():
            return self.relay.metric("walrelay_replication_lag_bytes") == 0
        wait_until(caught_up, "walrelay has caught up", 30)
        line("Time", "commit to Redis " + (f"{took * 1000:.1f} ms" if took > 0 else "before psql had said so") +
             f"; lag now {self.relay.metric('walrelay_replication_lag_bytes'):.0f} bytes, "
             f"{self.relay.metric('walrelay_replication_lag_seconds'):.1f} s")

    def step(self, title, statements, *commands):
        """The first command is the one whose answer must change."""
        time.sleep(QUIET)
        heading(title)
        line("SQL", statements)
        probe = commands[0]
        before = self.ask(*probe)
        seen = []
        watcher = threading.Thread(target=watch, args=(self.redis.socket, probe, before, seen), daemon=True)
        watcher.start()
        committed = self.session.commit(statements)
        watcher.join()
        if not seen:
            raise Failure(f"Redis did not change within 30 s. walrelay's log:\n{open(self.relay.log).read()}")
        for words in commands:
            self.show_answer(words)
        self.show_lag(seen[0] - committed)

    def load(self):
        heading("The configuration")
        print("".join(f"  {row}\n" for row in self.configuration.splitlines()), end="")
        begin = time.monotonic()
        self.relay.start()
        self.relay.wait_ready()
        wait_until(lambda: self.number_of("order") == 5000, "Redis holds the orders that PostgreSQL holds")
        took = time.monotonic() - begin
        heading("1. The rows that existed already")
        line("SQL", "SELECT count(*) FROM customers, products, orders: 1000, 200, 5000")
        self.count()
        self.show_answer(("HGETALL", "customer:10"))
        self.show_answer(("GET", "product:sku-7"))
        line("Time", f"from walrelay's start until it was ready and all rows were in Redis: {took:.2f} s")

    def count(self):
        line("Redis", "keys: " + ", ".join(f"{name}:* {self.number_of(name)}" for name in ("customer", "product", "order")))

    def number_of(self, prefix):
        cursor, keys = "0", set()
        while True:
            cursor, found = self.ask("SCAN", cursor, "MATCH", prefix + ":*", "COUNT", 1000)
            keys.update(found)
            if cursor == "0":
                return len(keys)

    def changes(self):
        self.step("2. An insert", "INSERT INTO customers VALUES (1001, 'ada@example.org', 'Ada Lovelace', NULL,\n"
                  "  '{vip}', '{\"city\": \"London\"}', '2024-12-10 08:00+00');", ("HGETALL", "customer:1001"))
        self.step("3. An update, with a value that becomes NULL and one that was NULL",
                  "UPDATE customers SET phone = '+44 20 1815', address = NULL WHERE id = 1001;",
                  ("HGETALL", "customer:1001"))
        self.step("4. A key that changes: the old one goes in the same moment",
                  "UPDATE products SET sku = 'sku-7b', price = 7.49 WHERE sku = 'sku-7';",
                  ("GET", "product:sku-7b"), ("EXISTS", "product:sku-7"))
        self.step("5. One transaction over three tables appears as a whole",
                  "BEGIN;\nINSERT INTO orders VALUES (5001, 1001, '[{\"sku\": \"sku-9\", \"quantity\": 2}]', 21.98);\n"
                  "UPDATE products SET stock = stock - 2 WHERE sku = 'sku-9';\n"
                  "UPDATE customers SET tags = tags || 'buyer'::text WHERE id = 1001;\nCOMMIT;",
                  ("HGETALL", "order:5001"), ("GET", "product:sku-9"), ("HGET", "customer:1001", "tags"))
        self.step("6. A delete", "DELETE FROM orders WHERE id = 5001;", ("HGETALL", "order:5001"))
        self.step("7. A truncate removes the keys of that table and no others", "TRUNCATE orders;", ("HGETALL", "order:1"))
        self.count()

    def crash(self):
        heading("8. walrelay is killed with SIGKILL while rows keep coming; then it starts again")
        line("SQL", "INSERT INTO orders SELECT n, 1 + n % 1000, '[]', n FROM generate_series(...) n;   -- 20 times 500 rows\n"
             "DELETE FROM orders WHERE id % 10 = 0;")
        killer = threading.Thread(target=self.kill_midway, daemon=True)
        killer.start()
        for first in range(0, 10000, 500):
            self.session.commit("INSERT INTO orders SELECT n, 1 + n % 1000, '[]', n "
                                f"FROM generate_series({first + 1}, {first + 500}) n;")
        self.session.commit("DELETE FROM orders WHERE id % 10 = 0;")
        killer.join()
        line("Killed", f"Redis holds {self.number_of('order')} orders, PostgreSQL {self.orders()}")
        begin = time.monotonic()
        self.relay.start()
        self.relay.wait_ready()
        wait_until(lambda: self.number_of("order") == 9000, "Redis holds the 9000 orders that PostgreSQL holds", 60)
        line("Started", f"Redis holds {self.number_of('order')} orders, PostgreSQL {self.orders()}, "
             f"{time.monotonic() - begin:.2f} s after the start")

    def kill_midway(self):
        client = RedisClient(self.redis.socket)
        wait_until(lambda: client.call("EXISTS", "order:1") == 1, "the first of the new orders is in Redis", pause=0)
        self.relay.kill()

    def orders(self):
        return self.postgres.sql("SELECT count(*) FROM orders", "shop")

    def stay(self):
        heading("Everything stays up until Ctrl-C. To connect:")
        print(f"  psql '{self.postgres.conninfo('shop')}'")
        print(f"  psql {self.postgres.url('shop')}")
        print(f"  redis-cli -s {self.redis.socket}      (or -p {self.redis.port})")
        print(f"  curl http://127.0.0.1:{self.relay.http}/metrics")
        print(f"  walrelay's log: {self.relay.log}")
        while self.relay.running():
            time.sleep(0.2)
        raise Failure(f"walrelay ended:\n{open(self.relay.log).read()}")


def watch(socket_path, probe, before, seen):
    """Asks Redis without a pause until the answer is another one; when that was goes into `seen`."""
    client = RedisClient(socket_path)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if client.call(*probe) != before:
            seen.append(time.monotonic())
            return


def main():
    stay = sys.stdout.isatty() and "--once" not in sys.argv
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        with Folder() as folder:
            tour = Tour(folder)
            heading("Started, throw-away")
            line("Servers", f"PostgreSQL {tour.postgres.version()} and Redis {tour.redis.version()} in {folder.path}")
            line("Data", "a shop with 1000 customers, 200 products and 5000 orders")
            tour.load()
            tour.changes()
            tour.crash()
            if stay:
                tour.stay()
            tour.session.close()
        print("\nStopped, and the folder is gone.")
    except KeyboardInterrupt:
        print("\nStopped, and the folder is gone.")
    except Failure as failure:
        print(f"quickstart: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
