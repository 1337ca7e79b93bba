"""The table of scripts/bench: Markdown, medians of the rounds, and the machine that they come from."""

import os
import platform
from statistics import median

import kinds
from servers import read

MB = 1024 * 1024


def machine():
    models = [line.split(":", 1)[1].strip() for line in read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    memory = next((int(line.split()[1]) // MB for line in read("/proc/meminfo").splitlines() if line.startswith("MemTotal")), 0)
    release = next((line.split("=", 1)[1].strip('"') for line in read("/etc/os-release").splitlines()
                    if line.startswith("PRETTY_NAME=")), "Linux")
    return (f"{os.cpu_count()} processors ({models[0] if models else platform.machine()}), {memory} GB of memory, "
            f"{release}, Linux {platform.release().split('-')[0]}")


def middle(samples, value):
    return median(value(sample) for sample in samples)


def row(key, by, title, samples):
    seconds = middle(samples, lambda s: s.seconds)
    cells = [f"({key})", by, title.replace("|", "\\|"), f"{samples[0].rows / seconds:,.0f}", f"{seconds:.2f}"]
    cells += [f"{middle(samples, value):.2f}" for value in (lambda s: s.postgres_cpu, lambda s: s.redis_cpu,
                                                            lambda s: s.client_cpu)]
    cells.append(f"{middle(samples, lambda s: s.client_peak) / MB:.0f}")
    return "| " + " | ".join(cells) + " |"


class Report:
    """What was measured by one transport ("unix" or "tcp"), and the figures that the aims are set in."""

    def __init__(self, transport, samples, latencies):
        self.by = "unix sockets" if transport == "unix" else "TCP"
        self.samples, self.latencies = samples, latencies
        self.seconds = {key: middle(values, lambda s: s.seconds) for key, values in samples.items()}
        cores = os.cpu_count()
        self.work = (middle(samples["a"], lambda s: s.postgres_cpu) + middle(samples["e"], lambda s: s.redis_cpu)) / cores
        self.limit = max(self.seconds["a"], self.seconds["e"], self.work)

    def limit_words(self):
        return (f"{self.limit:.2f} s, the longest of (a) {self.seconds['a']:.2f}, (e) {self.seconds['e']:.2f}, "
                f"work {self.work:.2f}")

    def latency(self, key):
        return f"{middle(self.latencies, lambda l: l[key]) * 1000:.2f} ms"


def show_machine(bench, arguments):
    print(f"""
{machine()}; PostgreSQL {bench.postgres.version()} (fsync off) and Redis {bench.redis.version()} on the same machine.
{arguments.rows:,} rows of six columns, {1000:,} per transaction; medians of {arguments.rounds} round(s).
""")


def show(arguments, titles, reports, big):
    print("""| | by | what | rows/s | seconds | CPU s PostgreSQL | CPU s Redis | CPU s client | peak RSS MB |
|---|---|---|---:|---:|---:|---:|---:|---:|""")
    for report in reports:
        for key, title in titles.items():
            print(row(key, report.by, title, report.samples[key]))
    rates = " and ".join(f"{middle(report.latencies, lambda l: l['rate']):,.0f}" for report in reports)
    longest = max(l["most"] for report in reports for l in report.latencies) * 1000
    peak = max(l["peak"] for report in reports for l in report.latencies) / MB

    def line(title, value, aim):
        print(f"| {title} | " + " | ".join(value(report) for report in reports) + f" | {aim} |")
    print("\n| figure | " + " | ".join(report.by for report in reports) + " | aim |")
    print("|---|" + "---:|" * len(reports) + "---:|")
    line(f"L, the limit of (b); work: both servers' CPU in (a) and (e) / {os.cpu_count()} processors", Report.limit_words, "")
    line("L / (b): the drain as a part of the limit", lambda r: f"{r.limit / r.seconds['b']:.2f}", "at least 0.75")
    if len(reports) > 1:
        least = min(report.limit for report in reports)
        line("the drain as a part of the smaller of both limits", lambda r: f"{least / r.seconds['b']:.2f}", "at least 0.75")
    line("(c) / (d): the initial load against psql and redis-cli", lambda r: f"{r.seconds['c'] / r.seconds['d']:.2f}",
         "at least 1.3")
    line(f"commit to Redis at {rates} transactions/s, `flush.interval: 0`, p50", lambda r: r.latency("p50"), "")
    line("the same, p99", lambda r: r.latency("p99"), "at most 3 ms")
    print(f"""
The longest of all latencies was {longest:.1f} ms; peak RSS meanwhile {peak:.0f} MB. One transaction of {arguments.big_rows:,} rows: peak RSS
{big['peak'] / MB:.0f} MB (the aim: at most 40 MB in every case), in Redis {big['seconds']:.1f} s after its commit.
""")


def show_jobs(arguments, jobs):
    rebuild, anew, verify, part = (median(times) for times in (jobs.rebuilds, jobs.anew, jobs.verifies, jobs.parts))
    print(f"""On a walrelay that goes on streaming, by unix sockets, medians of {arguments.rounds} round(s) but for the first line:

| | seconds | rows/s | aim |
|---|---:|---:|---:|
| (f) the initial load of {arguments.rows:,} rows | {jobs.load:.2f} | {arguments.rows / jobs.load:,.0f} | |
| (g) rebuild in place where all is right, with the sweep | {rebuild:.2f} | {arguments.rows / rebuild:,.0f} | |
| (g) / (f) in rows/s | {jobs.load / rebuild:.2f} | | at least 0.8 |
{rebuilds_beside(arguments, jobs)}
| (g') the same where no key stands any more, {jobs.load / anew:.2f} of (f) | {anew:.2f} | {arguments.rows / anew:,.0f} | |
| (h) verify of equal rows, with the sweep | {verify:.2f} | {arguments.rows / verify:,.0f} | at most as long as (f) |
| (i) rebuild of a thousandth, by an index | {part:.3f} | | well under 1 |

Commit to Redis at {jobs.by_default[0]['rate']:,.0f} transactions/s, without a rebuild and while one follows another:

| `flush.interval` | p50, p99 without | p50, p99 beside rebuilds | p99, times as long | aim |
|---|---:|---:|---:|---:|
{beside_rebuilds("100ms, the default", jobs.by_default)}
{beside_rebuilds("0", jobs.at_once)}

Peak RSS {jobs.peak / MB:.0f} MB (the aim: at most 64 MB).
""")


def rebuilds_beside(arguments, jobs):
    """The same while changes stream."""
    rate = f"(g) while {jobs.by_default[0]['rate']:,.0f} changes/s stream"
    if not jobs.rebuilds_beside:
        return f"| {rate} | none was over in time | | |"
    seconds = median(jobs.rebuilds_beside)
    return f"| {rate}, {jobs.load / seconds:.2f} of (f) | {seconds:.2f} | {arguments.rows / seconds:,.0f} | at least 0.8 of (f) |"


def beside_rebuilds(interval, measured):
    quiet, busy = ({name: seconds * 1000 for name, seconds in each.items()} for each in measured)
    return (f"| {interval} | {quiet['p50']:.2f}, {quiet['p99']:.2f} ms | {busy['p50']:.2f}, {busy['p99']:.2f} ms "
            f"| {busy['p99'] / quiet['p99']:.1f} | at most 3 |")


def show_kinds(arguments, mapped):
    """What kinds.py has measured."""
    samples = mapped.samples
    print(f"""Mappings, {arguments.rows:,} changes by unix sockets, medians of {arguments.rounds} round(s):

| | what | changes/s | seconds | CPU s PostgreSQL | CPU s Redis | CPU s walrelay | walrelay, us a change |
|---|---|---:|---:|---:|---:|---:|---:|""")
    for key, title, _ in kinds.MEASUREMENTS:
        seconds = middle(samples[key], lambda s: s.seconds)
        cells = [f"({key})", title, f"{samples[key][0].rows / seconds:,.0f}", f"{seconds:.2f}"]
        cells += [f"{middle(samples[key], value):.2f}" for value in (lambda s: s.postgres_cpu, lambda s: s.redis_cpu,
                                                                     lambda s: s.client_cpu)]
        cells.append(f"{middle(samples[key], kinds.microseconds_a_row):.2f}")
        print("| " + " | ".join(cells) + " |")
    # Round by round, because a machine is not the same from one to the next.
    added = median(kinds.microseconds_a_row(k) - kinds.microseconds_a_row(j) for j, k in zip(samples["j"], samples["k"]))
    print(f"""
| figure | | aim |
|---|---:|---:|
| three expressions: (k) less (j), walrelay's CPU | {added:.2f} us a row | at most 1 us |""")
    for key, commands in mapped.commands.items():
        part = median(commands) / samples[key][0].rows
        print(f"| commands that ({key}) sent, as a part of its changes | {median(commands):,.0f}, {part * 100:.1f} % | at most 2 % |")
    print(f"""| (n) a topic of {kinds.PARTITIONS:,} partitions, two keys each, from its commit on | {median(mapped.topics):.2f} s | under 1 s |
""")
