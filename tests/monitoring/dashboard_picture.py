#!/usr/bin/env python3
"""Pictures of the Grafana dashboard for docs/images, without Grafana (Debian has none): a live walrelay has something to do,
a real Prometheus scrapes it and answers the dashboard's own expressions, and a headless Chromium draws the answers in the
dashboard's grid, with its titles, units, colours and axes. Nothing in the pictures is made up: a panel without data says so.

  tests/monitoring/dashboard_picture.py build/release/walrelay [FOLDER]       docs/images by default; some six minutes

dashboard-fresh.png is the first row, dashboard.png all of it. WALRELAY_SCREENSHOT_SECONDS is how long a time they show (300).
The exit status is 77 where there is no prometheus, or no chromium and chromedriver.
"""
import html
import json
import math
import random
import re
import shutil
import sys
import time
import urllib.parse

import prometheus_test
from live_site import ROOT, SKIPPED, Site, read, servers

sys.path.insert(0, f"{ROOT}/tests/browser")
import chromium  # noqa: E402
from screenshots import Shop, WARM_UP  # noqa: E402

# walrelay asks both servers for their figures every 15 seconds: every window has two of those.
prometheus_test.WORDS["$__rate_interval"] = "30s"
STEP = max(1, WARM_UP / 150)  # seconds between two points
SCHEMA = """
CREATE TABLE products AS SELECT i AS id, i::numeric AS price FROM generate_series(1, 500) i;
CREATE TABLE articles AS SELECT i AS id, repeat('word ', 20) AS body FROM generate_series(1, 100000) i;
CREATE TABLE orders_eu (id int PRIMARY KEY, total numeric); CREATE TABLE orders_us (id int PRIMARY KEY, total numeric);
ALTER TABLE products ADD PRIMARY KEY (id); ALTER TABLE articles ADD PRIMARY KEY (id);
"""
MAPPINGS = """
  - {table: products, write: [json: {key: "product:{id}"}, invalidate: {key: "page:{id}"}]}
  - {tables: '^public\\.orders_(?<region>[a-z]+)$', write: {hash: {key: "order:{region}:{id}"}}}
  - {table: articles, write: {string: {key: "article:{id}"}}}
"""


class Readers(Shop):
    """Of pages that are made from products and kept for a while: the cache that `invalidate` is for."""

    def run(self):
        client = servers.RedisClient(self.site.redis.socket)
        while not self.over.wait(0.1):
            for page in (f"page:{int(random.paretovariate(0.6)) % 500 + 1}" for _ in range(8)):
                if client.call("GET", page) is None:
                    client.call("SET", page, "a page", "EX", 2)


def measured(binary, dashboard):
    """What Prometheus says to every expression: ({panel's id: [result of each target]}, (begin, end))."""
    with Site(binary, SCHEMA, MAPPINGS) as site:
        site.start()
        site.sql = site.postgres.sql
        prometheus = prometheus_test.Prometheus(site.folder, site.walrelay.http)
        people = [Shop(site), Readers(site)]
        for person in people:
            person.start()
        time.sleep(40 + WARM_UP * 0.4)  # where the pictures begin the first window is full
        site.redis.client.call("UNLINK", *(f"article:{i}" for i in range(1, 26)))  # for the comparison to find
        site.walrelay.command("verify", "--repair")
        time.sleep(WARM_UP * 0.3)
        site.walrelay.command("rebuild")
        time.sleep(WARM_UP * 0.3)
        span = (time.time() - WARM_UP, time.time())
        answers = {panel["id"]: [ask(prometheus, panel, target, span) for target in panel.get("targets", [])]
                   for panel in dashboard["panels"]}
        for person in people:
            person.over.set()
            person.join()
        return answers, span


def ask(prometheus, panel, target, span):
    words = {"query": prometheus_test.resolved(target["expr"]), "time": span[1], "start": span[0], "end": span[1],
             "step": STEP * (2.5 if panel["type"] == "heatmap" else 1)}  # a cell wants more room than a point
    kind = "" if target.get("instant") else "_range"
    answer = json.loads(prometheus.get(f"/api/v1/query{kind}?" + urllib.parse.urlencode(words)))
    if answer["status"] != "success":
        raise servers.Failure(f"\"{panel['title']}\": {answer.get('error')}")
    return answer["data"]["result"]


SCALES = {  # of a unit: (from which size on, what it is divided by, what is written behind)
    "s": [(0, 1e-6, " µs"), (1e-3, 1e-3, " ms"), (0.1, 1, " s"), (120, 60, " min"), (7200, 3600, " h"), (172800, 86400, " d")],
    "bytes": [(0, 1, " B"), (2**10, 2**10, " KiB"), (2**20, 2**20, " MiB"), (2**30, 2**30, " GiB")],
    "Bps": [(0, 1, " B/s"), (1e3, 1e3, " kB/s"), (1e6, 1e6, " MB/s")],
    "cps": [(0, 1, " /s"), (1e3, 1e3, " K/s"), (1e6, 1e6, " M/s")],
    "short": [(0, 1, ""), (1e3, 1e3, " K"), (1e6, 1e6, " M"), (1e9, 1e9, " G")],
    "percentunit": [(0, 0.01, " %")], "none": [(0, 1, "")],
}


def scale(unit, size):  # without the first of the three
    return [step[1:] for step in SCALES[unit] if step[0] <= size or size == 0 and step[1] == 1][-1]


def number(value, unit, size=None, decimals=None):
    by, behind = scale(unit, abs(value) if size is None else size)
    rounded = f".{decimals}f" if decimals is not None else ".0f" if abs(value / by) >= 100 else ".3g"
    return f"{value / by:{rounded}}{behind}"


def axis(values, unit, low=None, high=None):
    """(where it begins, where it ends, [(part of the way, text)]). An end that is not given follows from the values."""
    low = min(values) if low is None else low
    high = max(max(values) if high is None else high, low)
    high += high == low
    by, _ = scale(unit, high)
    power = 10 ** math.floor(math.log10((high - low) / by / 4))
    step = next(part * power * by for part in (1, 2, 2.5, 5, 10) if part * power * by >= (high - low) / 4.01)
    low, count = math.floor(low / step) * step, math.ceil((high - math.floor(low / step) * step) / step - 1e-9)
    return low, low + count * step, [(i / count, number(low + i * step, unit, high)) for i in range(count + 1)]


COLOURS = {"green": "#73bf69", "yellow": "#fade2a", "orange": "#ff9830", "red": "#f2495c", "blue": "#5794f2"}
LINES = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#c4f2bd", "#ffb357", "#ff9bd2", "#dee0e3"]
HEAT = ["#5e4fa2", "#3288bd", "#66c2a5", "#abdda4", "#e6f598", "#ffffbf", "#fee08b", "#fdae61", "#f46d43", "#d53e4f", "#9e0142"]
LETTER = 6.3  # pixels, on average, of the small text


class Line:
    """A series: its name, its points, and what the panel's overrides make of it."""

    def __init__(self, panel, target, series, colour):
        self.labels, self.colour = series["metric"], colour
        self.name = re.sub(r"{{(\w+)}}", lambda found: self.labels.get(found[1], ""), target["legendFormat"])
        self.points = [(float(t), float(v)) for t, v in series.get("values") or [series["value"]] if math.isfinite(float(v))]
        self.low = {}  # where it begins when it stands on others, by time
        self.settings = dict(panel["fieldConfig"]["defaults"])
        for override in panel["fieldConfig"]["overrides"]:
            regular, wanted = override["matcher"]["id"] == "byRegexp", override["matcher"]["options"]
            if re.fullmatch(wanted if regular else re.escape(wanted), self.name):
                self.settings.update((setting["id"], setting["value"]) for setting in override["properties"])
        self.right = self.settings.get("custom.axisPlacement") == "right"


class Plot:
    """An SVG with the time below and the values' marks, (part of the height, text), beside it."""

    def __init__(self, width, height, span, left, right=()):
        self.width, self.height, self.span, self.parts = width, height, span, []
        self.left, self.right = (max([len(text) * LETTER for _, text in marks] or [0]) + 12 for marks in (left, right))
        for share, _ in left or right:
            self.parts.append(f'<path class="grid" d="M{self.left:.0f} {self.y(share):.0f}.5H{width - self.right:.0f}"/>')
        for x, anchor, marks in ((self.left - 6, "end", left), (width - self.right + 6, "start", right)):
            for share, text in marks:
                self.parts.append(f'<text x="{x:.0f}" y="{self.y(share) + 4:.0f}" text-anchor="{anchor}">{text}</text>')
        room = width - self.left - self.right
        step = next(s for s in (5, 10, 15, 30, 60, 120, 300, 600, 3600) if WARM_UP / s * (75 if s < 60 else 50) <= room)
        for t in range(math.ceil(span[0] / step) * step, int(span[1]) + 1, step):
            self.parts.append(f'<path class="grid" d="M{self.x(t):.0f}.5 {self.y(1):.0f}V{self.y(0):.0f}"/>')
            clock = time.strftime("%H:%M:%S" if step < 60 else "%H:%M", time.localtime(t))
            self.parts.append(f'<text x="{self.x(t):.0f}" y="{height - 5:.0f}" text-anchor="middle">{clock}</text>')

    def x(self, t):
        return self.left + (t - self.span[0]) / (self.span[1] - self.span[0]) * (self.width - self.left - self.right)

    def y(self, share):
        return 8 + (1 - share) * (self.height - 32)

    def __str__(self):
        return f'<svg width="{self.width}" height="{self.height}">{"".join(self.parts)}</svg>'


def timeseries(panel, lines, span, width, height):
    custom, axes, heap = panel["fieldConfig"]["defaults"]["custom"], {}, {}
    for line in lines if custom["stacking"]["mode"] == "normal" else ():
        line.low = {t: heap.get(t, 0) for t, _ in line.points}
        line.points = [(t, v + line.low[t]) for t, v in line.points]
        heap.update(line.points)
    for right in (False, True):
        beside = [line for line in lines if line.right == right and line.points]
        if beside:
            axes[right] = axis([v for line in beside for _, v in line.points], *map(beside[0].settings.get, ("unit", "min", "max")))
    names, taken = legend(lines, width)
    plot = Plot(width, height - taken, span, *(axes.get(right, [()])[-1] for right in (False, True)))
    for line in reversed(lines):  # the first lies above
        stroke = fill = ""
        for (t, v), (then, later) in zip(line.points, line.points[1:]):
            if then - t > 1.5 * STEP:
                continue  # nothing is known of the time between
            (low, high, _), x, end = axes[line.right], plot.x(t), plot.x(then)
            ends = v, later, line.low.get(then, low), line.low.get(t, low)
            top, last, below, base = (plot.y((value - low) / (high - low)) for value in ends)
            stroke += f"M{x:.1f} {top:.1f}L{end:.1f} {last:.1f}"
            fill += f"M{x:.1f} {top:.1f}L{end:.1f} {last:.1f}V{below:.1f}L{x:.1f} {base:.1f}Z"
        plot.parts.append(
            f'<path class="area" fill="{line.colour}" fill-opacity="{custom["fillOpacity"] / 100}" d="{fill}"/>'
            f'<path class="line" stroke="{line.colour}" stroke-width="{custom["lineWidth"] + 1}" d="{stroke}"/>')
    return f"{plot}{names}"


def legend(lines, width):
    """The names below, and how high they are together."""
    rows, taken, names = 1, 0, ""
    for line in lines:
        text = line.name + (" (right)" if line.right else "")
        needed = LETTER * len(text) + 31
        rows, taken = (rows, taken + needed) if taken + needed <= width else (rows + 1, needed)
        names += f'<span><i style="background:{line.colour}"></i>{html.escape(text)}</span>'
    return f'<div class="legend">{names}</div>', rows * 18 + 4


def heatmap(panel, lines, span, width, height):
    """Buckets hold all that is below them: each less the one before it is its own."""
    lines.sort(key=lambda line: float(line.name))
    below, cells = {}, []
    for row, line in enumerate(lines):
        cells += [(t, row, v - below.get(t, 0)) for t, v in line.points if v - below.get(t, 0) > 1e-9]
        below.update(line.points)
    rows, most = len(lines), max((cell[2] for cell in cells), default=1)
    marks = [((row + 1) / rows, number(float(line.name), "s") if row + 1 < rows else "+Inf") for row, line in enumerate(lines)]
    plot = Plot(width, height - 22, span, marks[::-1][::math.ceil(rows / 8)])
    wide, high = plot.x(STEP * 2.5) - plot.x(0) - 1, plot.y(0) - plot.y(1 / rows) - 1
    for t, row, count in cells:
        colour = HEAT[round((count / most) ** panel["options"]["color"]["exponent"] * (len(HEAT) - 1))]
        plot.parts.append(f'<rect x="{max(plot.left, plot.x(t) - wide):.1f}" y="{plot.y((row + 1) / rows):.1f}" '
                          f'width="{wide:.1f}" height="{high:.1f}" fill="{colour}"/>')
    return f'{plot}<div class="legend">few <b></b> {number(most, "short")} in a cell</div>'


def stat(panel, lines, span, width, height):
    defaults, tiles, drawn = panel["fieldConfig"]["defaults"], [], ""
    steps = [(-math.inf if step["value"] is None else step["value"], step["color"]) for step in defaults["thresholds"]["steps"]]
    for line in (line for line in lines if line.points):
        value, unit = line.points[-1][1], defaults["unit"]
        text = line.name if panel["options"]["textMode"] == "name" else (
            number(span[1] - value / 1000, "s") + " ago" if unit == "dateTimeFromNow" else
            number(value, unit, decimals=defaults.get("decimals")))
        tiles.append((text, [colour for begin, colour in steps if value >= begin][-1]))
    # Without a value Grafana takes the first colour, unless a mapping of null names another.
    nothing = [mapping["options"]["result"]["color"] for mapping in defaults["mappings"] if mapping["type"] == "special"]
    for text, colour in tiles or [(defaults.get("noValue", "No data"), (nothing + [steps[0][1]])[0])]:
        size = min(40, 1.6 * (width / max(1, len(tiles)) - 16) / len(text))
        drawn += f'<strong style="background:{COLOURS[colour]};font-size:{size:.0f}px">{html.escape(text)}</strong>'
    return f'<div class="tiles" style="height:{height}px">{drawn}</div>'


def table(panel, lines, span, width, height):
    hidden = panel["transformations"][0]["options"]["excludeByName"]
    columns = sorted({label for line in lines for label in line.labels if not hidden.get(label)})
    rows = [columns] + [[line.labels.get(label, "") for label in columns] for line in lines]
    return "<table><tr>" + "<tr>".join("".join(f"<td>{html.escape(text)}" for text in row) for row in rows) + "</table>"


KINDS = {"timeseries": timeseries, "heatmap": heatmap, "stat": stat, "table": table}
STYLE = "b{background:linear-gradient(90deg," + ",".join(HEAT) + """);display:inline-block;width:160px;height:8px}
body{margin:0;background:#121212;color:#d6d6d6;font:12px sans-serif} h2{position:absolute;margin:0;font-size:16px}
section{position:absolute;box-sizing:border-box;background:#1a1a1a;border:1px solid #2e2e2e;border-radius:3px;padding:0 8px}
h3{margin:0;font-size:14px;line-height:32px;white-space:nowrap;font-weight:500} text{font-size:11px;fill:#a6a6a6}
svg{display:block} .grid{stroke:#2c2c2c} .line{fill:none} .line,.area,rect{shape-rendering:crispEdges}
.tiles{display:flex;gap:6px} .legend{font-size:11px;line-height:18px} .legend span{margin-right:14px;display:inline-block}
i{display:inline-block;width:12px;height:4px;margin-right:5px;vertical-align:3px} tr:first-child{color:#8ab8ff}
strong{flex:1;display:flex;align-items:center;justify-content:center;border-radius:3px;color:#121212;font-weight:500}
p{text-align:center;line-height:180px;color:#a6a6a6;font-size:14px} td{padding:6px 16px 6px 0;font-size:13px}"""  # greys and crisp edges: half the PNG


def page(dashboard, answers, span):
    """In Grafana's grid: 24 columns, rows of 30 pixels, 8 between them."""
    drawn, column = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>", (1280 - 8) / 24
    for panel in dashboard["panels"]:
        place, title = panel["gridPos"], html.escape(panel["title"])
        x, y, width, height = 8 + place["x"] * column, 8 + place["y"] * 38, place["w"] * column - 8, place["h"] * 38 - 8
        if panel["type"] == "row":
            drawn += f'<h2 style="left:{x}px;top:{y + 5}px">{title}</h2>'
            continue
        found = [(target, series) for target, result in zip(panel["targets"], answers[panel["id"]]) for series in result]
        lines = [Line(panel, *pair, LINES[index % len(LINES)]) for index, pair in enumerate(found)]
        some = panel["type"] == "stat" or any(line.points for line in lines)
        body = KINDS[panel["type"]](panel, lines, span, width - 18, height - 42) if some else "<p>No data</p>"
        drawn += f'<section style="left:{x}px;top:{y}px;width:{width}px;height:{height}px"><h3>{title}</h3>{body}</section>'
    return drawn


def main():
    if shutil.which("prometheus") is None or chromium.programs() is None:
        print("skipped: there is no prometheus, or no chromium and chromedriver; scripts/setup installs them")
        sys.exit(SKIPPED)
    folder = sys.argv[2] if len(sys.argv) > 2 else f"{ROOT}/docs/images"
    dashboard = json.loads(read("helm/walrelay/dashboards/walrelay.json"))
    drawn = page(dashboard, *measured(sys.argv[1], dashboard))
    second = [panel["gridPos"]["y"] for panel in dashboard["panels"] if panel["type"] == "row"][1]
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    with chromium.Browser() as browser:
        browser.open("about:blank")
        browser.evaluate("document.write(arguments[0])", drawn)
        for name, rows in (("dashboard-fresh", second), ("dashboard", bottom)):
            browser.size(1280, rows * 38 + 8)
            browser.screenshot(f"{folder}/{name}.png", whole=False)


if __name__ == "__main__":
    main()
