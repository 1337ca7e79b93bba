"""The service walrelay of docker-compose.yaml, with its own files and variables, beside this test's servers.

The servers' images come from a registry, which this test does without; their names lead to this machine instead.
"""

import json
import re

from container_relay import CONFIGURATION_PATH, ContainerRelay
from image_run import expect
from servers import free_port, newest_binaries, read, run, wait_until

FILES = "deploy/compose"
PASSWORD = "only in this test"
TRANSACTIONS = 200


class ComposeRelay(ContainerRelay):
    def __init__(self, podman, image, postgres, redis):
        self.podman, self.image, self.postgres, self.redis = podman, image, postgres, redis
        self.name = "walrelay-compose"
        self.http = free_port()

    def options(self):
        variables = {"WALRELAY_CONFIG": CONFIGURATION_PATH, "WALRELAY_HTTP_LISTEN": f"0.0.0.0:{self.http}",
                     "WALRELAY_SOURCE_PASSWORD": PASSWORD, "WALRELAY_SOURCE_PORT": self.postgres.port,
                     "WALRELAY_TARGET_PORT": self.redis.port}
        words = ["--add-host", "postgres:127.0.0.1", "--add-host", "redis:127.0.0.1",
                 "--volume", f"{run(['realpath', FILES])}/walrelay.yaml:{CONFIGURATION_PATH}:ro"]
        return words + [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]


def fill(postgres):
    """As the image of PostgreSQL does: the role, its database, and the scripts of the folder in the order of their names."""
    postgres.sql(f"CREATE ROLE shop SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
    postgres.sql("CREATE DATABASE shop OWNER shop")
    scripts = re.findall(r"\./(\S+):/docker-entrypoint-initdb\.d/(\S+):ro", read("docker-compose.yaml"))
    expect(len(scripts) == 2, f"docker-compose.yaml has the scripts {scripts}")
    for path, _ in sorted(scripts, key=lambda pair: pair[1]):
        postgres.sql(read(path), "shop")


def wow_command():
    """The statement and the key of the command in the head of docker-compose.yaml."""
    found = re.search(r'psql -U shop -c "(.+?)" && .* redis-cli GET (\S+)', read("docker-compose.yaml"))
    expect(found, "the head of docker-compose.yaml has lost its command")
    return found.groups()


def check_compose(podman, image, postgres, redis):
    fill(postgres)
    relay = ComposeRelay(podman, image, postgres, redis)
    relay.start()
    relay.wait_ready()
    podman.call("exec", relay.name, "/usr/bin/walrelay", "healthcheck", "--ready")

    statement, key = wow_command()
    postgres.sql(statement, "shop")
    wait_until(lambda: json.loads(redis.client.call("GET", key))["price"] == 4.99, f"{key} has its new price", 30)

    run([f"{newest_binaries()}/pgbench", f"--host={postgres.home}", f"--port={postgres.port}", "--username=postgres",
         "--no-vacuum", "--client=2", f"--transactions={TRANSACTIONS // 2}", f"--file={FILES}/load.sql", "shop"])
    orders = int(postgres.sql("SELECT count(*) FROM orders", "shop"))
    expect(orders == 5000 + TRANSACTIONS, f"the load has left {orders} orders")
    wait_until(lambda: len(redis.client.call("KEYS", "order:*")) == orders, "every order is in Redis", 60)
    relay.stop()
    return f"its command shows the new price, its load of {TRANSACTIONS} transactions arrives: {orders} orders"
