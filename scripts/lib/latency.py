"""Commit-to-Redis latency at a steady rate of single-row transactions.

One thread speaks to PostgreSQL by its own protocol, one INSERT after another at the given rate, and listens on a second
connection to Redis for its key-space notifications, which Redis sends when it has executed the EXEC that holds the row.
From: the server's report that the transaction is committed has been read. To: the notification has been read. So Redis
pays a little extra for the notifications, and nothing polls.
"""

import re
import select
import socket
import struct
import time

from servers import Failure, RedisClient

SEEN = re.compile(rb"__:tick:(\d+)\r\n")


class PostgresClient:
    def __init__(self, postgres, database):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{postgres.home}/.s.PGSQL.{postgres.port}")
        words = f"user\0postgres\0database\0{database}\0\0".encode()
        self.socket.sendall(struct.pack("!II", len(words) + 8, 3 << 16) + words)
        self.pending = b""
        while b"Z" not in self.messages():
            pass

    def send(self, sql):
        text = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)

    def messages(self):
        """The types of the messages that have arrived whole."""
        received = self.socket.recv(65536)
        if not received:
            raise Failure("PostgreSQL closed the connection")
        self.pending += received
        types = []
        while len(self.pending) >= 5:
            size = struct.unpack("!I", self.pending[1:5])[0] + 1
            if len(self.pending) < size:
                break
            if self.pending[:1] == b"E":
                raise Failure(f"PostgreSQL: {self.pending[5:size]!r}")
            types.append(self.pending[:1])
            self.pending = self.pending[size:]
        return types


def measure(postgres, database, redis, rate, count):
    """The latencies of `count` transactions in seconds, sorted, and the rate that was reached."""
    redis.client.call("CONFIG", "SET", "notify-keyspace-events", "Kh")
    listener = RedisClient(redis.socket)
    listener.call("PSUBSCRIBE", "__keyspace@0__:tick:*")
    writer = PostgresClient(postgres, database)
    committed, seen = {}, {}
    begin = time.monotonic()
    sent, busy, rest = 0, False, b""
    while len(seen) < count:
        now = time.monotonic()
        if now > begin + count / rate + 60:
            raise Failure(f"only {len(seen)} of {count} rows have reached Redis")
        due = begin + sent / rate
        if not busy and sent < count and now >= due:
            sent += 1
            busy = True
            writer.send(f"INSERT INTO tick VALUES ({sent}, {sent % 1000}, 'tick {sent}', 9.99, true, now())")
        wait = 1.0 if busy or sent == count else max(0.0, due - now)
        readable = select.select([writer.socket, listener.socket], [], [], wait)[0]
        if writer.socket in readable and b"Z" in writer.messages():
            committed[sent] = time.monotonic()
            busy = False
        if listener.socket in readable:
            received = rest + listener.socket.recv(1 << 20)
            end = received.rfind(b"\r\n") + 2
            found, rest = received[:end], received[end:]
            now = time.monotonic()
            for match in SEEN.finditer(found):
                seen.setdefault(int(match.group(1)), now)
    reached = count / (max(committed.values()) - begin)
    redis.client.call("CONFIG", "SET", "notify-keyspace-events", "")
    # A row may be in Redis before the report of its commit has been read: that counts as nothing.
    return sorted(max(0.0, seen[n] - committed[n]) for n in committed), reached
