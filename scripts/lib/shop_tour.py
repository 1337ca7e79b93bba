"""What scripts/quickstart shows without --example: a small shop, whose rows come, change and go, and a crash."""

import os
import threading
import time

from servers import RedisClient, wait_until
from tour import Tour, heading, line

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


class ShopTour(Tour):
    def __init__(self, folder):
        super().__init__(folder, "shop", [os.path.join(os.path.dirname(__file__), "shop.sql")])
        self.walrelay(CONFIGURATION.format(postgres=self.source, redis=self.redis.url()))

    def show(self):
        line("Data", "a shop with 1000 customers, 200 products and 5000 orders")
        self.load()
        self.changes()
        self.crash()

    def load(self):
        self.show_configuration()
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
