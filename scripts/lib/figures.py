"""The table of scripts/bench: Markdown, medians of the rounds, and the machine that they come from."""

import os
import platform
from statistics import median

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


def row(key, title, samples):
    seconds = middle(samples, lambda s: s.seconds)
    cells = [f"({key})", title.replace("|", "\\|"), f"{samples[0].rows / seconds:,.0f}", f"{seconds:.2f}"]
    cells += [f"{middle(samples, value):.2f}" for value in (lambda s: s.postgres_cpu, lambda s: s.redis_cpu,
                                                            lambda s: s.client_cpu)]
    cells.append(f"{middle(samples, lambda s: s.client_peak) / MB:.0f}")
    return "| " + " | ".join(cells) + " |"


def show(bench, arguments, titles, samples, latencies, big):
    seconds = {key: middle(values, lambda s: s.seconds) for key, values in samples.items()}
    cores = os.cpu_count()
    work = (middle(samples["a"], lambda s: s.postgres_cpu) + middle(samples["e"], lambda s: s.redis_cpu)) / cores
    limit = max(seconds["a"], seconds["e"], work)
    print(f"""
{machine()}; PostgreSQL {bench.postgres.version()} (fsync off) and Redis {bench.redis.version()} on the same machine, by unix sockets.
{arguments.rows:,} rows of six columns, {1000:,} per transaction; medians of {arguments.rounds} round(s).

| | what | rows/s | seconds | CPU s PostgreSQL | CPU s Redis | CPU s client | peak RSS MB |
|---|---|---:|---:|---:|---:|---:|---:|""")
    for key, title in titles.items():
        print(row(key, title, samples[key]))
    print(f"""
| figure | value | aim |
|---|---:|---:|
| L: the longest of (a) {seconds['a']:.2f} s, (e) {seconds['e']:.2f} s, both servers' CPU / {cores} processors {work:.2f} s | {limit:.2f} s | |
| L / (b): the drain as a part of the limit | {limit / seconds['b']:.2f} | at least 0.75 |
| (c) / (d): the initial load against psql and redis-cli | {seconds['c'] / seconds['d']:.2f} | at least 1.3 |
| commit to Redis at {middle(latencies, lambda l: l['rate']):,.0f} transactions/s, `flush.interval: 0`, p50 | {middle(latencies, lambda l: l['p50']) * 1000:.2f} ms | |
| the same, p99 (the longest of all: {max(l['most'] for l in latencies) * 1000:.1f} ms) | {middle(latencies, lambda l: l['p99']) * 1000:.2f} ms | at most 3 ms |
| peak RSS in the latency test | {max(l['peak'] for l in latencies) / MB:.0f} MB | at most 40 MB |
| peak RSS, one transaction of {arguments.big_rows:,} rows (in Redis {big['seconds']:.1f} s after its commit) | {big['peak'] / MB:.0f} MB | at most 40 MB |
""")
