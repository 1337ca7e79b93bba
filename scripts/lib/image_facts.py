"""What can be said of the image without starting it: its configuration, and every file in it."""

import hashlib
import re
import subprocess
import tarfile

from servers import Failure

USER = 65532
MOST_BYTES = 60 * 1000 * 1000
SHELLS = re.compile(r"(^|/)(sh|bash|dash|ash|zsh|busybox|perl|python[0-9.]*|apt|apt-get|dpkg)$")


def expect(fact, what):
    if not fact:
        raise Failure(f"the image is not as it should be: {what}")


class Files:
    """The image's file system, read once from `podman export`."""

    def __init__(self, podman, image):
        name = podman.call("create", image)
        self.members, self.contents = {}, {}
        with subprocess.Popen(podman.command("export", name), env=podman.environment, stdout=subprocess.PIPE) as export:
            with tarfile.open(fileobj=export.stdout, mode="r|") as archive:
                for member in archive:
                    path = "/" + member.name.strip("./")
                    self.members[path] = member
                    if member.isfile():
                        self.contents[path] = archive.extractfile(member).read()
        podman.call("rm", name)

    def text(self, path):
        expect(path in self.contents, f"{path} is missing")
        return self.contents[path].decode()


def check_configuration(podman, image, version, revision):
    facts = podman.inspect(image)
    configuration, labels = facts["Config"], facts["Labels"] or {}
    expect(configuration["User"] == f"{USER}:{USER}", f"its user is {configuration['User']!r}")
    expect(configuration["Entrypoint"] == ["/usr/bin/walrelay"], f"its entrypoint is {configuration['Entrypoint']}")
    expect(configuration["Cmd"] == ["run"], f"its command is {configuration['Cmd']}")
    health = (facts.get("Healthcheck") or configuration.get("Healthcheck") or {}).get("Test")
    expect(health == ["CMD", "/usr/bin/walrelay", "healthcheck"], f"its health check is {health}")
    for name, value in {"version": version, "revision": revision, "licenses": "Apache-2.0"}.items():
        found = labels.get(f"org.opencontainers.image.{name}")
        expect(found == value, f"the label {name} is {found!r}, not {value!r}")
    for name in ("title", "description"):
        expect(labels.get(f"org.opencontainers.image.{name}"), f"the label {name} is missing")
    return f"user {USER}, exec form, HEALTHCHECK, labels of version {version}"


def check_files(files):
    for path, member in files.members.items():
        expect(member.isdir() or not SHELLS.search(path), f"{path} is in it")
        expect(not member.isfile() or not member.mode & 0o6000, f"{path} runs with another user's rights")
        expect(member.issym() or not member.mode & 0o002 or path == "/tmp", f"everybody may write {path}")
    programs = [path for path, member in files.members.items()
                if re.match(r"(/usr)?(/local)?/s?bin/", path) and not member.isdir()]
    expect(programs == ["/usr/bin/walrelay"], f"its programs are {programs}")
    certificates = files.text("/etc/ssl/certs/ca-certificates.crt").count("BEGIN CERTIFICATE")
    expect(certificates > 50, f"it trusts {certificates} certificates")
    expect(files.members["/usr/lib/ssl/cert.pem"].linkname == "/etc/ssl/certs/ca-certificates.crt",
           "OpenSSL would not find them")
    expect(f"nonroot:x:{USER}:{USER}:" in files.text("/etc/passwd"), "/etc/passwd does not know its user")
    expect('VERSION_CODENAME=trixie' in files.text("/usr/lib/os-release"), "it does not say which Debian it is made of")
    return f"one program, no shell, no set-user-id, {certificates} trusted certificates"


def check_metadata(files):
    """Every library belongs to a package that is listed with its version, and is the file that the package brought."""
    status, versions, sums = "/var/lib/dpkg/status.d/", {}, {}
    for path in files.contents:
        if path.startswith(status) and path.endswith(".md5sums"):
            sums.update(reversed(line.split("  ", 1)) for line in files.text(path).splitlines())
        elif path.startswith(status):
            package = re.search(r"^Package: (\S+)$", files.text(path), re.M).group(1)
            versions[package] = re.search(r"^Version: (\S+)$", files.text(path), re.M).group(1)
    libraries = [path for path in files.contents if re.search(r"\.so(\.[0-9.]+)?$", path)]
    expect(len(libraries) > 30, f"it has {len(libraries)} libraries")
    for path in libraries:
        actual = hashlib.md5(files.contents[path], usedforsecurity=False).hexdigest()
        expect(sums.get(path[1:]) == actual, f"no package lists {path} as it is")
    for package in ("libpq5", "libc6", "libuv1t64", "libhiredis1.1.0", "ca-certificates", "base-files"):
        expect(package in versions, f"scanners would not find {package}; they find {sorted(versions)}")
    for package in versions:
        expect(f"/usr/share/doc/{package}/copyright" in files.contents, f"the licence of {package} is missing")
    return f"{len(versions)} packages listed for scanners, libpq5 {versions['libpq5']} among them; {len(libraries)} libraries"


def check_size(podman, image, files):
    size = sum(member.size for member in files.members.values() if member.isfile())
    stored = podman.inspect(image)["Size"]
    expect(max(size, stored) <= MOST_BYTES, f"it has {max(size, stored) / 1e6:.1f} MB")
    largest = sorted(files.contents, key=lambda path: -len(files.contents[path]))[:4]
    parts = ", ".join(f"{path.rsplit('/', 1)[1]} {len(files.contents[path]) / 1e6:.1f}" for path in largest)
    return f"{stored / 1e6:.1f} MB uncompressed ({parts})"
