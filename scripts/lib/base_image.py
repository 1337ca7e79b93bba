"""The Debian that the Dockerfile begins with: from a registry, or made of the archive that this machine's apt uses.

An isolated network has a mirror of Debian long before it has one of an image registry. debootstrap makes the same system
from packages; it is tagged with the name that stands in the Dockerfile, so that the Dockerfile is built as it is.
"""

import os
import re
import shutil
import subprocess

from servers import Failure, read, run

RELEASE = "trixie"


def dockerfile_base(path="Dockerfile"):
    return re.search(r"^ARG DEBIAN=(\S+)$", read(path), re.M).group(1)


def provide(podman, name):
    """How the base was come by, in a word or two."""
    kept = f"{podman.folder}/{RELEASE}.tar"
    if os.path.exists(kept):
        podman.choose_driver(lambda: load(podman, kept, name))
        return "kept from an earlier run"
    for podman.driver in ("overlay", "vfs"):
        if podman.attempt("pull", name, seconds=180)[0] == 0:
            return "pulled from its registry"
    debootstrap(kept)
    podman.choose_driver(lambda: load(podman, kept, name))
    return "made by debootstrap: no registry is reached"


def load(podman, archive, name):
    return podman.exists(name) or podman.attempt("import", "--change", "CMD [\"bash\"]", archive, name)[0] == 0


def as_root(words):
    return words if os.getuid() == 0 else ["sudo", *words]


def archives():
    """(address, suite) of each Debian archive in apt's configuration, for the release of the image."""
    listing = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT) $(LABEL)",
                   "Created-By: Packages"])
    found = []
    for line in listing.splitlines():
        address, codename, component, label = line.split(maxsplit=3)
        if component == "main" and label in ("Debian", "Debian-Security"):
            found.append((address, RELEASE + "".join(re.findall(r"-(?:updates|security)$", codename))))
    if not any(suite == RELEASE for _, suite in found):
        raise Failure("no image registry is reached, and apt's configuration names no Debian archive to make a base from")
    return list(dict.fromkeys(found))


def debootstrap(archive):
    """A minimal system of the release as one tar file."""
    sources = archives()
    root = os.path.join(os.path.dirname(archive), "base")
    shutil.rmtree(root, ignore_errors=True)
    address = next(address for address, suite in sources if suite == RELEASE)
    run(as_root(["debootstrap", "--variant=minbase", "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg", RELEASE,
                 root, address]))
    lines = "".join(f"deb {address} {suite} main\n" for address, suite in sources)
    run(as_root(["tee", f"{root}/etc/apt/sources.list"]), lines)
    run(as_root(["tee", f"{root}/etc/apt/apt.conf.d/90mirror"]), apt_settings())
    run(as_root(["sh", "-c", 'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/archives/*.deb', "sh", root]))
    run(as_root(["tar", "-C", root, "--numeric-owner", "-cf", archive + ".part", "."]))
    run(as_root(["chown", str(os.getuid()), archive + ".part"]))
    run(as_root(["rm", "-rf", root]))
    os.rename(archive + ".part", archive)


def apt_settings():
    """What this machine must say to reach its mirror: a proxy, or that a frozen mirror's dates are old."""
    names = ("Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::http::Proxy", "Acquire::https::Proxy")
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(line + "\n" for line in dump.splitlines() if line.split(" ")[0] in names)
