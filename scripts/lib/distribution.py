"""scripts/test-distribution behind its set-up: another distribution's system, the commit in it, and the command there."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request

import bootstrap
from servers import Failure, run

FOLDER = "build/distribution"

# In namespaces of its own: what is mounted and whatever still runs goes with it, before the folder is removed.
INSIDE = """
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
mkdir -p "$1/root/.cache/ccache"
mount --bind "$2" "$1/root/.cache/ccache"
root=$1
shift 2
chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  bash -c 'cd /src/walrelay && exec "$@"' bash "$@"
"""


def vendor_of(release, address):
    """Whose release it is, by the archive's own word."""
    place = f"{address.rstrip('/')}/dists/{release}/Release"
    try:
        with urllib.request.urlopen(place, timeout=30) as answer:
            origin = re.search(rb"^Origin: (\w+)$", answer.read(4096), re.M)
    except (OSError, ValueError) as error:
        raise Failure(f"{place} cannot be read: {error}") from error
    vendor = origin.group(1).decode().lower() if origin else ""
    if vendor not in bootstrap.KEYRINGS:
        raise Failure(f"{place} is neither Debian's nor Ubuntu's")
    return vendor


def sources_of(release, address):
    """The suites to use, and whose they are."""
    if address:
        return [(address, release), (address, f"{release}-updates")], vendor_of(release, address)
    sources = bootstrap.archives(release)
    if not sources:
        raise Failure("apt's configuration names no Debian archive; say the archive's address after the release")
    return sources, "debian"


def make(root, release, address):
    sources, vendor = sources_of(release, address)
    # Debian has no package of Ubuntu's keys. What is made here is thrown away.
    signed = vendor == "debian" or os.path.exists(bootstrap.KEYRINGS[vendor])
    if not signed:
        print(f"test-distribution: the archive's signature is not checked: no {bootstrap.KEYRINGS[vendor]}")
    bootstrap.make(root, release, sources, vendor, signed)
    shutil.copy("/etc/resolv.conf", f"{root}/etc/resolv.conf")
    run(["git", "clone", "--quiet", "--no-local", ".", f"{root}/src/walrelay"])


def try_out(root, cache, command):
    space = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
    return subprocess.run([*space, "bash", "-euc", INSIDE, "bash", root, cache, *command], check=False).returncode


def arguments():
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(prog="test-distribution", usage="%(prog)s RELEASE [ADDRESS] [-- COMMAND ...]")
    parser.add_argument("release")
    parser.add_argument("address", nargs="?")
    said = parser.parse_args(words[:at])
    return said.release, said.address, words[at + 1:] or ["scripts/test"]


def main():
    release, address, command = arguments()
    if os.getuid() != 0:
        raise Failure("making another system needs root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root, cache = (os.path.abspath(f"{FOLDER}/{release}{part}") for part in ("", ".ccache"))
    shutil.rmtree(root, ignore_errors=True)
    try:
        make(root, release, address)
        os.makedirs(cache, exist_ok=True)
        print(f"test-distribution: {release}, {run(['git', 'describe', '--always'])}: {' '.join(command)}", flush=True)
        status = try_out(root, cache, command)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(f"test-distribution: {release}: {'passed' if status == 0 else f'FAILED with {status}'}")
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"test-distribution: {failure}")
