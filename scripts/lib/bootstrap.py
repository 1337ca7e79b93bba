"""A minimal system of a Debian or Ubuntu release, made of an archive's packages by debootstrap."""

import os
import re
import subprocess

from servers import Failure, run

KEYRINGS = {"debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
            "ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg"}
RECIPES = "/usr/share/debootstrap/scripts"


def as_root(words):
    return words if os.getuid() == 0 else ["sudo", *words]


def archives(release):
    """(address, suite) of each Debian archive in apt's configuration, for another release; none where there is none."""
    listing = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT) $(LABEL)",
                   "Created-By: Packages"])
    found = []
    for line in listing.splitlines():
        address, codename, component, label = line.split(maxsplit=3)
        if component == "main" and label in ("Debian", "Debian-Security"):
            found.append((address, release + "".join(re.findall(r"-(?:updates|security)$", codename))))
    return list(dict.fromkeys(found)) if any(suite == release for _, suite in found) else []


def make(root, release, sources, vendor="debian", signed=True):
    """Fills the folder `root`; `sources` are (address, suite), one of them of the release itself. Fails where the archive
    is not signed by its vendor, unless the caller does without."""
    components = {"debian": "main", "ubuntu": "main universe"}[vendor]
    address = next(address for address, suite in sources if suite == release)
    trust = ["--force-check-gpg", f"--keyring={KEYRINGS[vendor]}"] if signed else ["--no-check-gpg"]
    # A release younger than this machine's debootstrap is made as all of its vendor's are.
    recipe = [] if os.path.exists(f"{RECIPES}/{release}") else [f"{RECIPES}/{'gutsy' if vendor == 'ubuntu' else 'sid'}"]
    run(as_root(["debootstrap", "--variant=minbase", f"--components={components.replace(' ', ',')}", *trust, release,
                 root, address, *recipe]))
    lines = "".join(f"deb {address} {suite} {components}\n" for address, suite in sources)
    run(as_root(["tee", f"{root}/etc/apt/sources.list"]), lines)
    run(as_root(["tee", f"{root}/etc/apt/apt.conf.d/90mirror"]), apt_settings())


def apt_settings():
    """What this machine must say to reach its mirror: a proxy, or that a frozen mirror's dates are old."""
    names = ("Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::http::Proxy", "Acquire::https::Proxy")
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(line + "\n" for line in dump.splitlines() if line.split(" ")[0] in names)
