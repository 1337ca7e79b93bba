"""Pictures of the status page for docs/images: status_page.py --screenshots FOLDER.

Streaming at both widths and in both colours, reading existing rows, and Redis gone. walrelay runs long enough for the
charts to show something; nothing in the pictures is made up.
"""

import math
import os
import threading
import time

import chromium

WARM_UP = float(os.environ.get("WALRELAY_SCREENSHOT_SECONDS", "300"))


class Shop(threading.Thread):
    """Writes more and less, as people do."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site = site
        self.over = threading.Event()

    def run(self):
        number = 100000
        while not self.over.wait(0.5):
            many = int(120 + 100 * math.sin(time.monotonic() / 25) + (400 if int(time.monotonic()) % 70 < 4 else 0))
            self.site.sql(f"""
                INSERT INTO users SELECT i, 'name ' || i FROM generate_series({number}, {number + many}) i;
                UPDATE products SET price = price + 1 WHERE id % 7 = {number % 7};
                INSERT INTO orders_eu SELECT i, 9.5 FROM generate_series({number}, {number + many // 3}) i;
                INSERT INTO orders_us SELECT i, 9.5 FROM generate_series({number}, {number + many // 5}) i;
                DELETE FROM users WHERE id < {number - 4000} AND id > 2000""")
            number += many + 1


def shoot(browser, folder, name, width, scheme):
    browser.size(width, 900 if width > 640 else 780, mobile=width < 640)
    browser.colours(scheme)
    time.sleep(0.3)  # until it is drawn
    browser.screenshot(os.path.join(folder, f"{name}.png"))


def take(site, folder):
    os.makedirs(folder, exist_ok=True)
    site.sql("INSERT INTO products SELECT i, i FROM generate_series(1, 500) i")
    writer = Shop(site)
    writer.start()
    with chromium.Browser() as browser:
        browser.open(site.url)
        site.relay.command("verify", "--mapping", "products")
        time.sleep(WARM_UP)
        site.sql("INSERT INTO users SELECT -i, repeat('x', 200) FROM generate_series(1, 100000) i")
        browser.evaluate("return fetch('api/v1/admin/index/users/reindex', {method: 'POST'}).then((a) => a.status)")
        browser.wait("document.querySelector('progress') !== null", "a rebuild is under way")
        browser.wait("document.querySelector('h1').textContent.startsWith('Live')", "it streams")
        for scheme in ("light", "dark"):
            shoot(browser, folder, f"status-desktop-{scheme}", 1280, scheme)
            shoot(browser, folder, f"status-phone-{scheme}", 390, scheme)
        writer.over.set()
        writer.join()
        site.redis.kill()
        browser.wait("document.querySelector('.errors li') !== null", "the error is shown")
        shoot(browser, folder, "status-redis-away", 1280, "light")
