"""scripts/test-image behind its set-up: base, build, facts, runs, and the Pod of the chart. One line for each check."""

import argparse
import os
import re
import signal
import sys
import time

import base_image
import image_compose
import image_facts
import image_pod
import image_run
from container_relay import ContainerRelay
from containers import Podman
from servers import Failure, Folder, Postgres, Redis, read, run

CACHE = "build/image"
IMAGE = "localhost/walrelay:test"
DEBUG = "localhost/walrelay:test-debug"


class Report:
    def __init__(self):
        self.failed = self.skipped = 0

    def check(self, title, function, *arguments):
        begin = time.monotonic()
        try:
            result, word = function(*arguments), "ok"
        except image_pod.Skipped as reason:
            self.skipped += 1
            result, word = reason, "skipped"
        except Failure as failure:
            self.failed += 1
            result, word = failure, "FAILED"
        print(f"{word:8}{title}: {result}  ({time.monotonic() - begin:.0f} s)", flush=True)
        return word == "ok"


def revision():
    try:
        return run(["git", "rev-parse", "HEAD"])
    except (Failure, OSError):
        return "unknown"


def build(podman, base):
    facts = {"DEBIAN": base, "VERSION": project_version(), "REVISION": revision()}
    for target, tag in (("runtime", IMAGE), ("debug", DEBUG)):
        podman.build(".", target, tag, facts, f"{CACHE}/build-{target}.log")
    return f"{IMAGE} and {DEBUG}"


def project_version():
    return re.search(r"^project\(walrelay VERSION (\S+)", read("CMakeLists.txt"), re.M).group(1)


def check_no_shell(podman):
    status, _, _ = podman.attempt("run", "--rm", "--entrypoint", "/bin/sh", IMAGE, "-c", "true")
    if status == 0:
        raise Failure("a shell has started in it")
    found, built_from = podman.call("run", "--rm", "--read-only", "--cap-drop", "all", IMAGE, "version").splitlines()[:2]
    if (found, built_from) != (f"walrelay {project_version()}", f"revision {revision()}"):
        raise Failure(f"it says {found!r}, {built_from!r}")
    return f"no shell starts; {found} does"


def check_debug(podman, postgres, redis):
    words = ["run", "--rm", "--read-only", "--cap-drop", "all"]
    one = podman.call(*words, "--entrypoint", "psql", DEBUG, "-XAtc", "SELECT 1", postgres.url())
    pong = podman.call(*words, "--entrypoint", "redis-cli", DEBUG, "-u", redis.url(tcp=True), "PING")
    user = podman.call(*words, "--entrypoint", "bash", DEBUG, "-c", "id -u")
    version = podman.call(*words, DEBUG, "version").splitlines()[0]
    if (one, pong, user, version) != ("1", "PONG", str(image_facts.USER), f"walrelay {project_version()}"):
        raise Failure(f"psql says {one}, redis-cli {pong}, id {user}, walrelay {version!r}")
    return "psql and redis-cli reach the servers, as the same user"


def check_image(report, podman, servers):
    """All checks of the built image, in an order in which each may use what the one before has shown."""
    folder, postgres, redis = servers
    files = image_facts.Files(podman, IMAGE)
    report.check("configuration", image_facts.check_configuration, podman, IMAGE, project_version(), revision())
    report.check("files", image_facts.check_files, files)
    report.check("metadata", image_facts.check_metadata, files)
    report.check("size", image_facts.check_size, podman, IMAGE, files)
    report.check("no shell", check_no_shell, podman)
    report.check("debug", check_debug, podman, postgres, redis)
    site = image_run.Site(postgres, redis, "one")
    site.relay = ContainerRelay(podman, IMAGE, folder, "walrelay-one", site.configuration())
    if report.check("rows", image_run.check_rows, site):
        report.check("confinement", image_run.check_confinement, site)
        report.check("health", image_run.check_health, podman, site)
        report.check("stop", image_run.check_stop, site)
        report.check("kill", image_run.check_kills, site)
        report.check("rest", image_run.check_rest, site)
        site.relay.stop()
    japan = image_run.Site(postgres, redis, "japan", "EUC_JP")
    japan.relay = ContainerRelay(podman, IMAGE, folder, "walrelay-japan", japan.configuration())
    report.check("encoding", image_run.check_encoding, japan)
    report.check("compose", image_compose.check_compose, podman, IMAGE, postgres, redis)
    report.check("pod", image_pod.check_pod, podman, IMAGE, folder, postgres, redis)


def main():
    parser = argparse.ArgumentParser(prog="test-image")
    parser.add_argument("--keep", action="store_true", help="leave the images, and say how to use them")
    keep = parser.parse_args().keep
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    report, podman, base = Report(), Podman(CACHE), base_image.dockerfile_base()
    try:
        if (report.check("base", base_image.provide, podman, base) and report.check("engine", podman.choose, base) and
                report.check("build", build, podman, base)):
            with Folder() as folder:
                check_image(report, podman, (folder, Postgres(folder), Redis(folder)))
                podman.remove_containers()
    finally:
        podman.remove_containers()
        if keep:
            print(f"The images stay: CONTAINERS_CONF={podman.configuration} {' '.join(podman.command('images'))}")
        else:
            podman.clean()
    print(f"test-image: {'FAILED' if report.failed else 'everything passed'}"
          f"{f', {report.skipped} skipped' if report.skipped else ''}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
