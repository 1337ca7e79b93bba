#!/usr/bin/env python3
"""Every command of every runbook, as it is written there, against a live walrelay, PostgreSQL and Redis: what stands in
blocks of sh and sql, and what stands in backticks and begins as a command does.

  tests/monitoring/runbooks_test.py BINARY           prints what does not work as written; -v: every command too

A command that filters must find something, by each alternative of its pattern. Commands of Kubernetes and systemd are
read by a shell and not carried out.
"""
import glob
import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

from live_site import Complaints, ROOT, Site, read, servers

SCHEMA = """
CREATE ROLE walrelay;
CREATE TABLE partition_leases (id int PRIMARY KEY, leader_agent_id text, lease_expires_at bigint);
INSERT INTO partition_leases VALUES (1, 'agent-1', 1000), (2, 'agent-2', 4102444800000);
CREATE TABLE labels (id int PRIMARY KEY, name text); ALTER TABLE labels REPLICA IDENTITY FULL;
INSERT INTO labels VALUES (1, NULL);
"""
MAPPINGS = """
  - table: partition_leases
    write: {hash: {key: "lease:{id}", ttl: {at: lease_expires_at, unit: ms}}}
  - table: labels
    write: {string: {key: "label:{name}:{id}"}}
"""
OWNER = "(SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'walrelay')"
# What a reader puts in, and what that is here.
PLACES = {"<mapping>": "users", "<name>": "users", "<table>": "users", "<slot>": "walrelay", "<data directory>": "/tmp",
          "<active_pid>": OWNER, "<twice as much>": "2GB", "<each instance>": "localhost", "<position>": "0/1",
          "<host>": "localhost", "{...}": '{"id": 1}'}
READ_ONLY = ("kubectl", "systemctl", "journalctl")  # read, not carried out
SILENT = ("walrelay wait", "redis-cli SLOWLOG")  # when all is well
ENDLESS = ("PSUBSCRIBE", "--latency-history", "MONITOR")
# Words that make a refusal the right answer.
REFUSALS = {"pg_drop_replication_slot": "is active for PID", "maxclients": "not able to handle",
            "invalidation_reason": "does not exist"}
PROGRAMS = r"(?:walrelay|redis-cli|curl|getent|kubectl|systemctl)"
STATEMENTS = r"(?:SELECT|SHOW|GRANT|ALTER SYSTEM)"


def commands_of(text):
    """(kind, command) in the order in which they stand."""
    for block in re.finditer(r"^```(sh|sql)\n(.*?)^```|`([^`]+)`", text, re.M | re.S):
        kind, body, inline = block.groups()
        if kind == "sql":
            yield "sql", body
        elif kind == "sh":
            for line in filter(None, body.splitlines()):
                yield "sh", line
        else:
            one = " ".join(inline.split())
            if re.match(rf"{PROGRAMS} [\w-]", one):
                yield "sh", one
            elif re.match(rf"{STATEMENTS} \S+ ?\S", one):
                yield "sql", one


def alternatives(pattern):
    """Of a regular expression with groups of alternatives: each as an expression of its own."""
    def choice(at):
        options = [[""]]
        while at < len(pattern) and pattern[at] != ")":
            if pattern[at] == "|":
                options.append([""])
                at += 1
                continue
            if pattern[at] == "(":
                inner, at = choice(at + 1)
            else:
                inner = [pattern[at]]
            options[-1] = ["".join(pair) for pair in itertools.product(options[-1], inner)]
            at += 1
        return [one for option in options for one in option], at
    return choice(0)[0]


class Desk:
    """Where the commands are typed: walrelay and redis-cli are those of the site."""

    def __init__(self, site, binary):
        self.site = site
        folder = f"{site.folder.path}/desk"
        os.mkdir(folder)
        self.program(folder, "walrelay", os.path.abspath(binary))
        self.program(folder, "redis-cli", f"{shutil.which('redis-cli')} -e -p {site.redis.port}")
        self.environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}",
                            "WALRELAY_CONFIG": site.walrelay.file}

    @staticmethod
    def program(folder, name, words):
        with open(f"{folder}/{name}", "w") as file:
            file.write(f"#!/bin/sh\nexec {words} \"$@\"\n")
        os.chmod(f"{folder}/{name}", 0o755)

    def run(self, command, patience=60):
        """(exit status, output); None for the status: it goes on for ever."""
        shell = ["bash", "-o", "pipefail", "-c", command]
        with subprocess.Popen(shell, env=self.environment, cwd=self.site.folder.path, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True) as process:
            try:
                output, _ = process.communicate(timeout=patience)
                return process.returncode, output
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return None, process.communicate()[0]


def settled(text, port):
    for place, value in PLACES.items():
        text = text.replace(place, value)
    return text.replace("localhost:9847", f"localhost:{port}")


def refused_rightly(command, output):
    return any(word in command and words in output for word, words in REFUSALS.items())


def check_shell(desk, command):
    """What is wrong with it, or None."""
    if command.startswith(READ_ONLY):
        status, output = desk.run(f"bash -n -c {shlex.quote(command)}")
        return f"bash: {output}" if status else None
    endless = any(word in command for word in ENDLESS)
    status, output = desk.run(command, 3 if endless else 60)
    if endless and status in (None, 0):
        return None
    if status != 0 and not refused_rightly(command, output):
        return f"exit status {status}: {output.strip()[:300]}"
    filtered = re.match(r"(.*?) \| grep (?:-E )?'?(.*?)'?(?: *#.*)?$", command)
    if filtered:
        unfiltered = desk.run(filtered[1])[1]
        for one in alternatives(filtered[2]):
            if not re.search(one, unfiltered):
                return f"finds nothing for {one}"
    return None if output.strip() or command.startswith(SILENT) else "prints nothing"


def check_sql(site, statements):
    try:
        site.postgres.sql(statements)
    except servers.Failure as failure:
        return None if refused_rightly(statements, str(failure)) else str(failure)
    return None


def main():
    complain, verbose, count = Complaints(), "-v" in sys.argv, 0
    with Site(sys.argv[1], SCHEMA, MAPPINGS) as site:
        site.start()
        site.postgres.sql("UPDATE partition_leases SET lease_expires_at = lease_expires_at + 1 WHERE id = 2")
        desk = Desk(site, sys.argv[1])
        for path in sorted(glob.glob(f"{ROOT}/docs/runbooks/*.md")):
            site.walrelay.wait_ready()
            for kind, written in commands_of(read(path[len(ROOT) + 1:])):
                command = settled(written, site.walrelay.http)
                wrong = check_sql(site, command) if kind == "sql" else check_shell(desk, command)
                count += 1
                if verbose:
                    print(f"{os.path.basename(path)}: {' '.join(written.split())[:110]}: {wrong or 'ok'}", flush=True)
                if wrong:
                    complain(f"{path[len(ROOT) + 1:]}: {' '.join(written.split())}\n    {wrong}")
    if count < 100:
        complain(f"only {count} commands were found in the runbooks")
    print(f"{count} commands of runbooks")
    complain.end("runbooks")


main()
