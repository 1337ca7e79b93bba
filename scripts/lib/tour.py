"""What every tour of scripts/quickstart has: throw-away servers, a database, walrelay on it, and steps that show what
Redis holds after a statement. shop_tour.py and example_tour.py say what is shown.

Commit-to-Redis time, as measured here: psql, already connected, is handed the statement; the clock starts when psql has
reported the commit, and stops when Redis, asked again and again over its unix socket, first gives the new answer. Where
Redis has it before psql's report was read, the time is shown as "before psql had said so".
"""

import os
import shlex
import subprocess
import sys
import threading
import time

from servers import Failure, Postgres, Redis, RedisClient, Walrelay, read, wait_until

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ
BINARY = "build/release/walrelay"
# Between the steps. With flush.interval at its default of 100 ms, a commit that follows another at once may wait for so
# long to share a batch; one after a quiet time leaves at once, which is what a tour of single commits should show.
QUIET = 0.3


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
    """Throw-away servers, a database that the scripts fill, and a walrelay that is not started yet."""

    def __init__(self, folder, database, scripts):
        self.folder = folder
        self.database = database
        self.postgres = Postgres(folder)
        self.redis = Redis(folder)
        self.postgres.sql(f"CREATE DATABASE {database}")
        for script in scripts:
            self.postgres.sql(read(script), database)
        # Without a port in the url, psql, redis-cli and walrelay all go by the unix sockets.
        self.source = f"postgresql://postgres@/{database}?host={self.postgres.home}&port={self.postgres.port}"
        self.session = Session(self.postgres, database)

    def walrelay(self, configuration, env=None):
        self.configuration = configuration
        self.relay = Walrelay(self.folder, BINARY, configuration + "http: {listen: 127.0.0.1:HTTP_PORT}\n", env=env)

    def show_configuration(self):
        heading("The configuration")
        print("".join(f"  {row}\n" for row in self.configuration.splitlines()), end="")

    def ask(self, *words):
        return self.redis.client.call(*words)

    def show_answer(self, words):
        line("Redis", "redis-cli " + " ".join(shlex.quote(word) for word in words))
        answer = self.ask(*words)
        if isinstance(answer, list) and words[0] == "HGETALL":
            pairs = list(zip(answer[::2], answer[1::2]))
            answer = "\n".join(f"{paint('36', name.ljust(9))} {value}" for name, value in pairs) or "(empty)"
        elif isinstance(answer, list):
            answer = "\n".join("(nil)" if each is None else str(each) for each in answer) or "(empty)"
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
        heading(title)
        took = self.change(statements, commands[0])
        for words in commands:
            self.show_answer(words)
        self.show_lag(took)

    def change(self, statements, probe):
        """Commits them; the seconds until Redis answered the probe differently."""
        time.sleep(QUIET)
        line("SQL", statements)
        before = self.ask(*probe)
        seen = []
        watcher = threading.Thread(target=watch, args=(self.redis.socket, probe, before, seen), daemon=True)
        watcher.start()
        committed = self.session.commit(statements)
        watcher.join()
        if not seen:
            raise Failure(f"Redis did not change within 30 s. walrelay's log:\n{open(self.relay.log).read()}")
        return seen[0] - committed

    def stay(self):
        heading("Everything stays up until Ctrl-C. To connect:")
        print(f"  psql '{self.postgres.conninfo(self.database)}'")
        print(f"  psql {self.postgres.url(self.database)}")
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
