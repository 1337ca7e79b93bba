"""The Debian that the Dockerfile begins with: from a registry, or made of the archive that this machine's apt uses.

An isolated network has a mirror of Debian long before it has one of an image registry. debootstrap makes the same system
from packages; it is tagged with the name that stands in the Dockerfile, so that the Dockerfile is built as it is.
"""

import os
import re
import shutil

from bootstrap import archives, as_root, make
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


def debootstrap(archive):
    """A minimal system of the release as one tar file."""
    sources = archives(RELEASE)
    if not sources:
        raise Failure("no image registry is reached, and apt's configuration names no Debian archive to make a base from")
    root = os.path.join(os.path.dirname(archive), "base")
    shutil.rmtree(root, ignore_errors=True)
    make(root, RELEASE, sources)
    run(as_root(["sh", "-c", 'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/archives/*.deb', "sh", root]))
    run(as_root(["tar", "-C", root, "--numeric-owner", "-cf", archive + ".part", "."]))
    run(as_root(["chown", str(os.getuid()), archive + ".part"]))
    run(as_root(["rm", "-rf", root]))
    os.rename(archive + ".part", archive)
