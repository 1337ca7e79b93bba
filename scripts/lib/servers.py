"""Throw-away servers for scripts/quickstart and scripts/bench: free ports, unix sockets, one temporary folder.

    with Folder() as folder:
        postgres = Postgres(folder)
        redis = Redis(folder)
        relay = Walrelay(folder, "build/release/walrelay", config)

Leaving the `with` block stops everything and removes the folder. A server dies with this process, however that ends:
setpriv gives it a parent-death signal. PostgreSQL refuses to run as root, so root starts it as `postgres` or `nobody`.
"""

import glob
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request


class Failure(Exception):
    """Something that the user should read as one sentence."""


def wait_until(condition, what, seconds=60, pause=0.01):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not so after {seconds} s")
        time.sleep(pause)


def free_port():
    """Below those that the kernel gives to whoever connects: one of those may be taken before the server has it."""
    for _ in range(1000):
        port = random.randint(10000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise Failure("no port from 10000 to 32000 is free")


def run(argv, text=None, env=None):
    """The output of a program; Failure with its error output when it fails."""
    done = subprocess.run(argv, input=text, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{os.path.basename(argv[0])} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.rstrip("\n")


def read(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def http_get(port, path):
    """The body, or None when the answer is not 200 or nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return None


class Folder:
    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="walrelay-")
        os.chmod(self.path, 0o755)
        self.servers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.end()
        shutil.rmtree(self.path, ignore_errors=True)


class Server:
    """A child process with its log in the folder."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        self.log = f"{folder.path}/{name}.log"
        self.process = None
        folder.servers.append(self)

    def spawn(self, argv, user=None, death="KILL", env=None):
        guard = ["setpriv", f"--pdeathsig={death}"]
        if user:
            guard += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
        with open(self.log, "a") as log:
            # A session of its own: Ctrl-C reaches this script only, which then stops the servers in order.
            self.process = subprocess.Popen(
                guard + ["--"] + argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder.path, env=env, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def end(self, number=signal.SIGTERM):
        if not self.running():
            return
        self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def peak_bytes(self):
        """VmHWM: the most memory that the process ever had resident."""
        return status_bytes(self.pid, "VmHWM:")


def status_bytes(pid, field):
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


class Postgres(Server):
    def __init__(self, folder, settings=None):
        super().__init__(folder, "postgres")
        self.binaries = newest_binaries()
        self.user = None
        if os.getuid() == 0:
            self.user = next((name for name in ("postgres", "nobody") if known_user(name)), None)
        self.home = f"{folder.path}/postgres"
        self.data = f"{self.home}/data"
        os.mkdir(self.home, 0o755)
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.home, entry.pw_uid, entry.pw_gid)
        self.initialise()
        self.settings = settings or {}
        wait_until(self.try_start, "PostgreSQL finds a free port")

    def initialise(self):
        self.spawn([f"{self.binaries}/initdb", f"--pgdata={self.data}", "--username=postgres", "--auth=trust",
                    "--encoding=UTF8", "--locale=C", "--no-sync"], user=self.user)
        if self.process.wait() != 0:
            raise Failure(f"initdb failed: {read(self.log)}")

    def try_start(self):
        self.port = free_port()
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": self.home, "port": self.port,
                    "wal_level": "logical", "fsync": "off", "max_replication_slots": 20, "max_wal_senders": 20,
                    **self.settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.spawn([f"{self.binaries}/postgres", "-D", self.data] + options, user=self.user, death="QUIT")
        wait_until(lambda: not self.running() or self.ready(), "PostgreSQL accepts connections")
        if not self.running() and "Address already in use" not in read(self.log):
            raise Failure(f"PostgreSQL does not start: {read(self.log)}")
        return self.running()

    def ready(self):
        lines = read(f"{self.data}/postmaster.pid").splitlines()
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].startswith("ready")

    def end(self, number=signal.SIGINT):  # a fast shutdown
        super().end(number)

    def version(self):
        return self.sql("SHOW server_version").split()[0]

    def conninfo(self, database="postgres", host=None):
        return f"host={host or self.home} port={self.port} user=postgres dbname={database}"

    def url(self, database="postgres"):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def psql(self, database="postgres"):
        return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo(database)]

    def sql(self, text, database="postgres"):
        return run(self.psql(database), text)

    def cpu_seconds(self):
        """Of the postmaster, its children that have ended, and those that live."""
        while True:
            before = process_cpu(self.pid, with_children=True)
            children = sum(process_cpu(pid) for pid, fields in processes() if int(fields[1]) == self.pid)
            # A child that ended meanwhile moved from one part of the sum to the other.
            if process_cpu(self.pid, with_children=True) == before:
                return before + children


class Redis(Server):
    def __init__(self, folder):
        super().__init__(folder, "redis")
        self.socket = f"{folder.path}/redis.sock"
        wait_until(self.try_start, "Redis finds a free port")
        self.client = RedisClient(self.socket)

    def try_start(self):
        self.port = free_port()
        self.spawn(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.socket,
                    "--dir", self.folder.path, "--save", "", "--appendonly", "no", "--daemonize", "no"])
        wait_until(lambda: not self.running() or self.answers(), "Redis answers")
        if not self.running() and "Address already in use" not in read(self.log):
            raise Failure(f"Redis does not start: {read(self.log)}")
        return self.running()

    def answers(self):
        try:
            return RedisClient(self.socket).call("PING") == "PONG"
        except OSError:
            return False

    def version(self):
        return next(line.split(":")[1].strip() for line in self.client.call("INFO", "server").splitlines()
                    if line.startswith("redis_version:"))

    def url(self, tcp=False):
        return f"redis://127.0.0.1:{self.port}" if tcp else f"unix://{self.socket}"

    def cpu_seconds(self):
        return process_cpu(self.pid)


class RedisClient:
    """Just enough RESP: a request, its answer as str, int, None or list. An error is raised as Failure."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def send(self, *words):
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            word = str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
        self.socket.sendall(b"".join(parts))

    def receive(self):
        line = self.file.readline()
        if not line:
            raise OSError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise Failure(f"Redis: {rest}")
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self.file.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return [self.receive() for _ in range(int(rest))]
        return rest

    def call(self, *words):
        self.send(*words)
        return self.receive()


class Walrelay(Server):
    def __init__(self, folder, binary, config, name="walrelay", env=None):
        """`env` is added to this process's own environment."""
        super().__init__(folder, name)
        self.env = {**os.environ, **(env or {})}
        self.http = free_port()
        self.binary = os.path.abspath(binary)
        self.file = f"{folder.path}/{name}.yaml"
        with open(self.file, "w") as file:
            file.write(config.replace("HTTP_PORT", str(self.http)))

    def start(self):
        self.spawn([self.binary, "run", "--config", self.file], env=self.env)

    def command(self, *words):
        """Another command of the program, with the same configuration: its output. Failure when it fails."""
        return run([self.binary, *words, "--config", self.file], env=self.env)

    def get(self, path):
        return http_get(self.http, path)

    def wait_ready(self, seconds=120):
        def ready():
            if not self.running():
                raise Failure(f"walrelay ended with status {self.process.returncode}:\n{read(self.log)}")
            return self.get("/readyz") is not None
        wait_until(ready, "walrelay is ready", seconds, pause=0.002)

    def metric(self, name):
        for line in (self.get("/metrics") or "").splitlines():
            if line.startswith((name + " ", name + "{")):
                return float(line.rsplit(" ", 1)[1])
        return None


def newest_binaries():
    folders = [os.path.dirname(path) for path in glob.glob("/usr/lib/postgresql/*/bin/postgres")]
    if not folders:
        raise Failure("there is no PostgreSQL server in /usr/lib/postgresql: run scripts/setup")
    return max(folders, key=lambda path: int(path.split("/")[4]))


def known_user(name):
    try:
        return pwd.getpwnam(name) is not None
    except KeyError:
        return False


def stat_fields(path):
    """Of /proc/<pid>/stat from the state on; the name before it may hold anything. Empty when the process is gone."""
    return read(path).rpartition(")")[2].split()


def processes():
    """Every process: (pid, stat_fields)."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        fields = stat_fields(path)
        if fields:
            yield int(path.split("/")[2]), fields


def process_cpu(pid, with_children=False):
    fields = stat_fields(f"/proc/{pid}/stat")
    if not fields:
        return 0.0
    ticks = sum(int(field) for field in fields[11:15 if with_children else 13])
    return ticks / os.sysconf("SC_CLK_TCK")
