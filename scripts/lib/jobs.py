"""What scripts/bench measures of jobs: a rebuild in place, a comparison of equal rows, a request for a thousandth of the
table; and what a rebuild costs the stream meanwhile.

  (f)  the initial load of this walrelay, which goes on running; with the table `tick` beside it
  (g)  rebuild: every row read and compared in place, then the sweep; from the request until it is COMPLETED
  (g') the same after every key of the table was removed: each row is written
  (h)  verify: every row compared, then the sweep
  (i)  rebuild of the rows of one customer of a thousand, by an index
"""

import json
import threading
import time
import urllib.request

import latency
from servers import Failure, wait_until


class Jobs:
    """Medians come from `rounds` runs of each on one walrelay."""

    def __init__(self, bench, rounds, ticks):
        self.bench = bench
        self.load = self.begin("100ms")
        self.rebuilds = [self.run("reindex") for _ in range(rounds)]
        self.anew = [self.rebuild_anew() for _ in range(rounds)]
        self.verifies = [self.run("verify") for _ in range(rounds)]
        self.parts = [self.run("reindex", "?where.customer=7") for _ in range(rounds)]
        self.by_default = self.beside_rebuilds(ticks)
        self.rebuilds_beside = self.beside
        self.peak = self.relay.peak_bytes()
        self.end()
        self.begin("0ms")
        self.at_once = self.beside_rebuilds(ticks)
        self.peak = max(self.peak, self.relay.peak_bytes())
        self.end()

    def begin(self, interval):
        """Seconds of the load."""
        self.bench.redis.client.call("FLUSHALL", "SYNC")
        self.relay = self.bench.relay("item", interval=interval,
                                      more="  - {table: public.tick, write: [{hash: {key: \"tick:{id}\"}}]}\n")
        begin = time.monotonic()
        self.relay.start()
        wait_until(lambda: self.relay.get("/readyz") or self.bench.must_run(self.relay), "the load", 900, pause=0.005)
        return time.monotonic() - begin

    def end(self):
        self.relay.end()
        self.bench.drop_slot(f"run_{self.bench.runs}")

    def beside_rebuilds(self, ticks):
        """Latencies without, and then with one rebuild after another."""
        quiet = self.latencies(ticks)
        self.beside = []  # seconds of the rebuilds that were over while changes still came
        self.ended = threading.Event()
        again = threading.Thread(target=self.rebuild_for_ever)
        try:
            return quiet, self.latencies(ticks, again.start)
        finally:
            self.ended.set()
            if again.is_alive():
                again.join()

    def ask(self, method, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.relay.http}{path}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def run(self, job, query=""):
        """Seconds that a job took, by its own record."""
        route = "/api/v1/admin/index/public.item/" + job
        self.ask("POST", route + query)
        state = {}
        def over():
            state.update(self.ask("GET", f"{route}/status{query}"))
            return state["status"] != "RUNNING"
        wait_until(over, job, 900, pause=0.01)
        if state["status"] != "COMPLETED" or state["removedKeys"] or state.get("differing"):
            raise Failure(f"{job}: {state}")
        return (state["completedMicros"] - state["startedMicros"]) / 1e6

    def rebuild_anew(self):
        cursor = "0"
        while True:
            cursor, keys = self.bench.redis.client.call("SCAN", cursor, "MATCH", "item:*", "COUNT", 10000)
            if keys:
                self.bench.redis.client.call("UNLINK", *keys)
            if cursor == "0":
                return self.run("reindex")

    def rebuild_for_ever(self):
        while not self.ended.is_set():
            seconds = self.run("reindex")
            if not self.ended.is_set():
                self.beside.append(seconds)

    def latencies(self, ticks, begin=lambda: None):
        self.bench.sql("TRUNCATE tick")  # looks at every key there is: that is not what is to be measured
        end = self.bench.sql("SELECT pg_current_wal_insert_lsn()").strip()
        self.relay.get(f"/api/v1/wait?lsn={end}&timeout=60s")
        begin()
        times, reached = latency.measure(self.bench.postgres, "bench", self.bench.redis, 2000, ticks)
        return {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)], "rate": reached}
