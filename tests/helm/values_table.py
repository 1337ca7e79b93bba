"""The table of values in a chart's README, from values.yaml: every key that a comment "# -- ..." stands above.

    tests/helm/values_table.py CHART            prints what differs; the exit status is 1 then
    tests/helm/values_table.py CHART --update   writes it
"""

import re
import sys

BEGIN, END = "<!-- begin values -->\n", "<!-- end values -->\n"


def entries(lines):
    """(path, default, meaning) of each key with a comment; a key without one belongs to the value above it."""
    path, meaning, found = [], None, []
    for line in lines:
        stripped = line.strip()
        if stripped.startswith("# -- "):
            meaning = stripped[5:]
        elif stripped.startswith("#"):
            meaning = meaning + " " + stripped[2:] if meaning else None
        elif not stripped:
            meaning = None
        else:
            match = re.match(r"( *)([A-Za-z_]\w*):(.*)", line)
            if match:
                depth = len(match[1]) // 2
                path[depth:] = [match[2]]
                if meaning:
                    found.append((".".join(path), match[3].split(" #")[0].strip(), meaning))
            meaning = None
    return found


def table(chart):
    with open(f"{chart}/values.yaml") as file:
        rows = entries(file.read().split("\n"))
    out = ["| Key | Default | Meaning |", "|---|---|---|"]
    for key, default, meaning in rows:
        shown = f"`{default}`" if default and default != '""' else ""
        out.append(f"| `{key}` | {shown} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(out) + "\n"


def main():
    chart, update = sys.argv[1], "--update" in sys.argv[2:]
    readme = f"{chart}/README.md"
    with open(readme) as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    made = head + BEGIN + table(chart) + END + rest.split(END)[1]
    if update:
        with open(readme, "w") as file:
            file.write(made)
    elif made != text:
        print(f"{readme}: its table is not that of values.yaml; write it with tests/helm/values_table.py {chart} --update")
        sys.exit(1)


main()
