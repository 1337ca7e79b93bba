"""Podman for scripts/test-image: its own store of images, and the options that work on this machine.

    podman = Podman("build/image")
    podman.choose(base)          # finds out by trying; everything below then uses what worked
    podman.build(...), podman.run(...)
    podman.clean()

A normal machine works with the first candidate. A container, a small virtual machine or a CI runner may lack the right
to raise limits, a file system for overlays, cgroups that crun knows, or a network of its own, so each is tried.
"""

import itertools
import json
import os
import shutil
import subprocess
import time

from servers import Failure

# As podman's own defaults, but low enough for who may not raise a limit.
MODEST_LIMITS = ["nofile=1024:1024", "nproc=32768:32768"]


class Podman:
    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        os.makedirs(f"{self.folder}/temporary", exist_ok=True)
        self.configuration = f"{self.folder}/containers.conf"
        # Without systemd nobody would run the timer of a health check; the test calls it itself.
        self.environment = {**os.environ, "CONTAINERS_CONF": self.configuration, "DISABLE_HC_SYSTEMD": "true",
                            "TMPDIR": f"{self.folder}/temporary"}
        self.isolation = "oci"
        self.driver = "overlay"
        self.configure("crun", [])

    def configure(self, runtime, limits):
        self.runtime = runtime
        self.limits = limits
        quoted = ", ".join(f'"{limit}"' for limit in limits)
        with open(self.configuration, "w") as file:
            file.write(f'[containers]\nnetns = "host"\ndefault_ulimits = [{quoted}]\n'
                       f'[engine]\nruntime = "{runtime}"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n')

    def command(self, *words):
        return ["podman", "--root", f"{self.folder}/store-{self.driver}", "--runroot", f"{self.folder}/running",
                "--storage-driver", self.driver, *words]

    def attempt(self, *words, seconds=600, text=None):
        """(exit status, standard output, standard error)"""
        try:
            done = subprocess.run(self.command(*words), env=self.environment, capture_output=True, text=True, input=text,
                                  stdin=None if text else subprocess.DEVNULL, timeout=seconds)
        except subprocess.TimeoutExpired:
            return 124, "", f"no answer within {seconds} s"
        return done.returncode, done.stdout.rstrip("\n"), done.stderr.strip()

    def call(self, *words, seconds=600, text=None):
        status, output, errors = self.attempt(*words, seconds=seconds, text=text)
        if status != 0:
            raise Failure(f"podman {' '.join(words[:2])} failed with {status}: {errors or output}")
        return output

    def timed(self, *words):
        begin = time.monotonic()
        self.call(*words)
        return time.monotonic() - begin

    def version(self):
        return tuple(int(part) for part in self.call("version", "--format", "{{.Client.Version}}").split(".")[:2])

    def exists(self, image):
        return self.attempt("image", "exists", image)[0] == 0

    def choose_driver(self, try_out):
        """Where `try_out` (anything that writes an image) fails with overlays, whole copies of each layer must do."""
        for self.driver in ("overlay", "vfs"):
            if self.attempt("images")[0] == 0 and try_out():
                return
        raise Failure("podman can keep images neither with overlay nor with vfs")

    def choose(self, base):
        """Limits and runtime so that a container of `base` starts, and the isolation so that a step of a build does."""
        self.remove_containers()  # of a run that was killed
        tried = []
        for limits, runtime in itertools.product(([], MODEST_LIMITS), ("crun", "runc")):
            if not shutil.which(runtime):
                continue
            self.configure(runtime, limits)
            status, _, errors = self.attempt("run", "--rm", "--read-only", "--user", "65532:65532", base, "true", seconds=120)
            if status == 0:
                break
            tried.append(f"{runtime}, {'modest' if limits else 'default'} limits: {errors}")
        else:
            raise Failure("no container starts here:\n  " + "\n  ".join(tried))
        for self.isolation in ("oci", "chroot"):
            probe = self.attempt("build", *self.build_options(), "--no-cache", "-f", "-", self.folder + "/temporary",
                                 text=f"FROM {base}\nRUN true\n", seconds=300)
            if probe[0] == 0:
                return (f"podman {'.'.join(map(str, self.version()))}, {self.runtime}, {self.driver}, "
                        f"{'lowered' if self.limits else 'its own'} limits, builds with isolation {self.isolation}")
            tried.append(f"build with isolation {self.isolation}: {probe[2]}")
        raise Failure("no step of a build runs here:\n  " + "\n  ".join(tried))

    def build_options(self):
        return ["--format", "docker", "--isolation", self.isolation, "--network", "host", "--pull=never"] + [
            word for limit in self.limits for word in ("--ulimit", limit)]

    def build(self, context, target, tag, arguments, log):
        words = ["build", *self.build_options(), "--layers", "--target", target, "--tag", tag]
        for name, value in arguments.items():
            words += ["--build-arg", f"{name}={value}"]
        with open(log, "w") as file:
            done = subprocess.run(self.command(*words, context), env=self.environment, stdout=file, stderr=file,
                                  stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            with open(log, errors="replace") as file:
                end = "".join(file.readlines()[-40:])
            raise Failure(f"building {tag} failed; the end of {log}:\n{end}")

    def inspect(self, name):
        return json.loads(self.call("inspect", name))[0]

    def remove_containers(self):
        self.attempt("pod", "rm", "--all", "--force")
        self.attempt("rm", "--all", "--force", "--time", "0")
        self.attempt("volume", "rm", "--all", "--force")

    def clean(self):
        """Every container and image of this store, and the store. The compiler's cache and the base stay in the folder."""
        self.remove_containers()
        self.attempt("rmi", "--all", "--force")
        self.attempt("unshare", "rm", "-rf", f"{self.folder}/store-{self.driver}")  # rootless: files of other users
        for name in (f"store-{self.driver}", "running"):
            shutil.rmtree(f"{self.folder}/{name}", ignore_errors=True)
