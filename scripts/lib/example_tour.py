"""What scripts/quickstart --example NAME shows: the tables and rows of examples/NAME, its walrelay.yaml as it is shipped,
and the steps of its tour.txt.

    == A step's title
    ! redis SET key value               what the application does in Redis, before the SQL
    ! post /api/v1/...                  an order to walrelay
    ! wait EXISTS key = 0               until Redis answers so
    INSERT ...;                         SQL, committed and timed: the first answer below must change by it
    ? What somebody wants to know.
    > GET key                           asked of Redis; words end at spaces

A step without SQL only asks. A line that begins with # is a comment. The tour ends with `walrelay verify`.
"""

import json
import os
import time
import urllib.request

from servers import Failure, wait_until
from tour import Tour, heading, line

FOLDER = "examples"


def examples():
    return sorted(name for name in os.listdir(FOLDER) if os.path.isfile(f"{FOLDER}/{name}/tour.txt"))


class Step:
    def __init__(self, title):
        self.title = title
        self.before = []   # the words of each ! line
        self.sql = []
        self.asked = []    # ("?", sentence) or (">", words), in order

    def take(self, row):
        mark, rest = row[:1], row[2:]
        if mark == "!":
            self.before.append(rest.split(" "))
        elif mark == "?":
            self.asked.append((mark, rest))
        elif mark == ">":
            self.asked.append((mark, rest.split(" ")))
        else:
            self.sql.append(row)


def steps_of(path):
    steps = []
    with open(path) as file:
        for row in file.read().splitlines():
            if row.startswith("== "):
                steps.append(Step(row[3:]))
            elif row and not row.startswith("#"):
                steps[-1].take(row)
    return steps


class ExampleTour(Tour):
    def __init__(self, folder, name):
        self.path = f"{FOLDER}/{name}"
        super().__init__(folder, name, [f"{self.path}/schema.sql", f"{self.path}/rows.sql"])
        with open(f"{self.path}/walrelay.yaml") as file:
            self.walrelay(file.read(), {"DATABASE_URL": self.source, "REDIS_URL": self.redis.url()})

    def show(self):
        line("Data", f"{self.path}/schema.sql and {self.path}/rows.sql")
        line("Config", f"{self.path}/walrelay.yaml")
        begin = time.monotonic()
        self.relay.start()
        self.relay.wait_ready()
        self.relay.command("wait", "--caught-up", "--timeout", "60s")
        line("Ready", f"{time.monotonic() - begin:.2f} s after the start; "
             f"{self.ask('DBSIZE')} keys in Redis, walrelay's own included")
        for step in steps_of(f"{self.path}/tour.txt"):
            self.show_step(step)
        heading("Does Redis hold what PostgreSQL says?")
        line("Shell", "walrelay verify")
        line("", self.relay.command("verify") or "nothing differs")

    def show_step(self, step):
        heading(step.title)
        for words in step.before:
            self.prepare(*words)
        statements = "\n".join(step.sql)
        took = None
        if statements:
            took = self.change(statements, next(rest for mark, rest in step.asked if mark == ">"))
            self.relay.command("wait", "--caught-up", "--timeout", "60s")      # behind the last of them
        for mark, rest in step.asked:
            if mark == "?":
                line("Asked", rest)
            else:
                self.show_answer(rest)
        if took is not None:
            self.show_lag(took)

    def prepare(self, kind, *words):
        if kind == "redis":
            line("Before", "redis-cli " + " ".join(words))
            self.ask(*words)
        elif kind == "post":
            line("Order", f"curl -X POST localhost:{self.relay.http}{words[0]}")
            request = urllib.request.Request(f"http://127.0.0.1:{self.relay.http}{words[0]}", method="POST")
            with urllib.request.urlopen(request, timeout=60) as answer:
                job = json.load(answer)
            line("", f"{job['status']}, {job['processedRecords']} rows, {job['removedKeys']} keys removed")
        elif kind == "wait":
            question, answer = words[:words.index("=")], " ".join(words[words.index("=") + 1:])
            wait_until(lambda: str(self.ask(*question)) == answer, f"{' '.join(question)} is {answer}")
        else:
            raise Failure(f"{self.path}/tour.txt: there is no order \"{kind}\"")
