#!/usr/bin/env python3
"""The status page in a real browser, on real servers: no request leaves, no error on the console, nothing of a table's name
runs, it lives, it reads without JavaScript, in the dark, and on a telephone.

    tests/browser/status_page.py build/dev/walrelay                     all checks
    tests/browser/status_page.py build/release/walrelay --screenshots docs/images

The exit status is 77 where there is no chromium and chromedriver (packages chromium, chromium-driver).
"""

import argparse
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../scripts/lib")]
import chromium  # noqa: E402
from servers import Folder, Postgres, Redis, Walrelay, wait_until  # noqa: E402

SKIPPED = 77
EVIL_TABLE = "<script>hurt=1</script>"
EVIL_MAPPING = "<img src=x onerror=hurt=1>"
CONFIG = """
source: {{url: "{source}", slot: shop, publication: shop, password: sesame-password}}
target: {{url: "{target}"}}
http: {{listen: "127.0.0.1:HTTP_PORT", token: sesame-token}}
mappings:
  - {{name: users, table: users, write: {{hash: {{key: "user:{{id}}"}}}}}}
  - {{name: products, table: products, write: {{string: {{key: "product:{{id}}"}}}}}}
  - {{name: orders, tables: '^public\\.orders_(?<region>[a-z]+)$', write: {{hash: {{key: "order:{{region}}:{{id}}"}}}}}}
  {evil}
"""
EVIL = f"""- {{name: "{EVIL_MAPPING}", table: "{EVIL_TABLE}", write: {{hash: {{key: "evil:{{id}}"}}}}}}"""
SCHEMA = f"""
CREATE TABLE users (id int PRIMARY KEY, name text); CREATE TABLE products (id int PRIMARY KEY, price numeric);
CREATE TABLE orders_eu (id int PRIMARY KEY, total numeric); CREATE TABLE orders_us (id int PRIMARY KEY, total numeric);
CREATE TABLE "{EVIL_TABLE}" (id int PRIMARY KEY);
INSERT INTO users SELECT i, 'name ' || i FROM generate_series(1, 1000) i;
INSERT INTO "{EVIL_TABLE}" VALUES (1);
"""

# The least contrast of any text with what lies behind it, as WCAG computes it, and which text that is.
CONTRAST = """
const parse = (text) => { const n = text.match(/[0-9.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
const light = (c) => { const [r, g, b] = c.map((x) => { x /= 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; }
  return [255, 255, 255, 1]; };
let least = [99, ''];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, e = node.parentElement;
  if (!node.data.trim() || e.closest('script,style') || e.getClientRects().length === 0) continue;
  const a = light(parse(getComputedStyle(e).color)), b = light(behind(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < least[0]) least = [ratio, node.data.trim().slice(0, 60)];
}
return least;
"""
ROW = """[...document.querySelectorAll('#mappings tbody tr')].find((row) => row.cells[0].textContent === %r)"""


class Site:
    """The servers, walrelay, and its page."""

    def __init__(self, folder, binary, evil=True):
        self.postgres = Postgres(folder, {"max_slot_wal_keep_size": "2GB"})
        self.redis = Redis(folder)
        self.postgres.sql("CREATE DATABASE shop")
        self.sql(SCHEMA)
        config = CONFIG.format(source=self.postgres.url("shop"), target=self.redis.url(tcp=True), evil=EVIL if evil else "")
        self.relay = Walrelay(folder, binary, config)
        self.relay.start()
        self.relay.wait_ready()
        self.url = f"http://127.0.0.1:{self.relay.http}/"

    def sql(self, text):
        return self.postgres.sql(text, "shop")


def check(condition, words):
    if not condition:
        raise AssertionError(words)


def loads_whole_and_alone(site, browser):
    body = site.relay.get("/")
    check(len(body) < 60000, f"the page has {len(body)} bytes")
    check("sesame" not in body, "a secret is shown")
    browser.open(site.url)
    browser.wait("document.title.startsWith('Live')", "the title is the sentence")
    browser.wait("document.querySelectorAll('#mappings tbody tr').length === 4", "every mapping is there")
    check(browser.evaluate("return window.hurt") is None, "a name was run")
    check(browser.evaluate("return document.body.textContent.includes(arguments[0])", EVIL_MAPPING), "the name is shown")
    check(browser.evaluate("return document.querySelectorAll('main script, main img').length") == 0, "a name made an element")


def lives(site, browser):
    browser.evaluate("window.marker = 1")
    site.sql("INSERT INTO users SELECT i, 'n' FROM generate_series(2001, 2007) i; UPDATE products SET price = 1")
    browser.wait(ROW % "users" + ".cells[2].textContent === '7'", "seven rows more")
    browser.wait("document.querySelectorAll('.line').length === 2", "the charts have a line")
    check(browser.evaluate("return window.marker") == 1, "the page was loaded again")
    # What the page says is what programs are told.
    status = browser.evaluate("return fetch('api/v1/status').then((answer) => answer.json())")
    check(status["state"] == "streaming" and len(status["mappingDetails"]) == 4, "the status says the same")
    browser.evaluate("document.querySelector('details').open = true")
    browser.evaluate("return fetch('api/v1/admin/index/users/reindex', {method: 'POST'}).then((answer) => answer.status)")
    browser.wait(ROW % "users" + ".cells[6].textContent.includes('Rebuild done')", "the rebuild is followed")
    check(browser.evaluate("return document.querySelector('details').open"), "what the reader opened stays open")


def has_no_complaint(site, browser):
    grave = [entry["message"] for entry in browser.log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    check(not grave, f"on the console: {grave}")
    asked = [url for url in browser.requests() if not url.startswith((site.url, "data:", "chrome:", "about:"))]
    check(not asked, f"it asked elsewhere: {asked}")


def fits(browser, width):
    browser.size(width, mobile=width < 640)
    wide = browser.evaluate("return [document.documentElement.scrollWidth, document.documentElement.clientWidth, "
                            "[...document.querySelectorAll('body *')].filter((e) => !e.closest('pre, caption, .skip, thead') && "
                            "e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 90))]")
    check(wide[0] <= wide[1] and not wide[2], f"at {width} px it is {wide[0]} px wide: {wide[2][:3]}")


def is_readable(browser):
    for scheme, dark in (("light", False), ("dark", True)):
        browser.colours(scheme)
        ground = browser.evaluate("return getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        check((sum(ground) < 150) == dark, f"the ground is {ground} in the {scheme}")
        ratio, text = browser.evaluate(CONTRAST)
        check(ratio >= 4.5, f"contrast {ratio:.2f} of \"{text}\" in the {scheme}")
        for width in (320, 360, 768, 901, 1440):
            fits(browser, width)
    browser.colours("light")
    browser.size(1440)


def is_accessible(browser):
    browser.command("Accessibility.enable")
    nodes = browser.command("Accessibility.getFullAXTree")["nodes"]
    roles = [(node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in nodes if not node["ignored"]]
    for role, name in roles:
        check(name or role not in ("image", "link", "progressbar", "heading", "table", "region", "navigation", "columnheader"),
              f"a {role} has no name")
    for role in ("main", "heading", "navigation", "table", "rowheader", "columnheader", "image"):
        check(any(role == each for each, _ in roles), f"there is no {role}")
    levels = browser.evaluate("return [...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))")
    check(levels[0] == 1 and levels.count(1) == 1 and max(levels) == 2, f"headings: {levels}")
    check(browser.evaluate("return document.documentElement.lang") == "en", "the language is not said")
    wanted = browser.evaluate("return document.querySelectorAll('a, summary, pre').length")
    seen = set()
    for _ in range(wanted + 3):
        browser.press("Tab")
        seen.add(browser.evaluate("return document.activeElement.outerHTML.slice(0, 60)"))
    check(len(seen) >= wanted, f"the keyboard reaches {len(seen)} of {wanted}")


def says_when_nobody_answers(site, browser):
    site.relay.process.send_signal(signal.SIGSTOP)
    browser.wait("document.getElementById('stale').textContent.startsWith('No answer since')", "it says so", 30)
    check(browser.evaluate("return !document.getElementById('stale').hidden"), "it is shown")
    site.relay.process.send_signal(signal.SIGCONT)
    browser.wait("document.getElementById('stale').hidden", "it is over", 30)


def shows_errors(site, browser):
    site.redis.kill()
    browser.wait("document.querySelector('.badge.critical') !== null", "it is critical")
    browser.wait("document.querySelector('.errors li code') !== null", "the error is listed")
    check(browser.evaluate("return document.querySelector('#errors').textContent").count("refused") > 0, "with its reason")
    ratio, text = browser.evaluate(CONTRAST)
    check(ratio >= 4.5, f"contrast {ratio:.2f} of \"{text}\"")
    fits(browser, 360)


def reads_without_javascript(site, browser):
    """With scripts switched off the browser still draws everything, and asks again by itself."""
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(site.url)
    drawn = browser.drawn_text()
    for words in ("Live", "Written to Redis", "users", "Replication slot", "Connections and positions", EVIL_MAPPING):
        check(words in drawn, f"\"{words}\" is missing without JavaScript: {drawn[:400]}")
    site.sql("INSERT INTO users SELECT i, 'n' FROM generate_series(30001, 42345) i")
    wait_until(lambda: "12,352" in browser.drawn_text(), "the page is loaded again without JavaScript", 30, 0.5)
    browser.command("Emulation.setScriptExecutionDisabled", value=False)
    browser.open(site.url)


def run_checks(folder, binary):
    site = Site(folder, binary)
    with chromium.Browser() as browser:
        browser.size(1440)
        loads_whole_and_alone(site, browser)
        lives(site, browser)
        reads_without_javascript(site, browser)
        is_readable(browser)
        is_accessible(browser)
        has_no_complaint(site, browser)
        says_when_nobody_answers(site, browser)
        shows_errors(site, browser)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--screenshots", metavar="FOLDER")
    arguments = parser.parse_args()
    if chromium.programs() is None:
        print("skipped: no chromium and chromedriver (packages chromium, chromium-driver)")
        return SKIPPED
    began = time.monotonic()
    with Folder() as folder:
        if arguments.screenshots:
            from screenshots import take
            take(Site(folder, arguments.binary, evil=False), arguments.screenshots)
        else:
            run_checks(folder, arguments.binary)
    print(f"ok, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
