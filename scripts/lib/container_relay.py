"""walrelay in a container, as a service would run it: read-only root, no capability, the image's own user."""

import os
import signal
import time

from servers import Failure, free_port, http_get, wait_until

CONFIGURATION_PATH = "/etc/walrelay/walrelay.yaml"
HARDENED = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"]


class ContainerRelay:
    def __init__(self, podman, image, folder, name, configuration):
        self.podman = podman
        self.image = image
        self.name = name
        self.http = free_port()
        self.file = f"{folder.path}/{name}.yaml"
        with open(self.file, "w") as file:
            file.write(configuration + f"http: {{listen: 127.0.0.1:{self.http}}}\n")
        os.chmod(self.file, 0o644)

    def options(self):
        return ["--env", f"WALRELAY_CONFIG={CONFIGURATION_PATH}", "--volume", f"{self.file}:{CONFIGURATION_PATH}:ro"]

    def start(self):
        if self.podman.attempt("container", "exists", self.name)[0] == 0:
            self.podman.call("start", self.name)
        else:
            self.podman.call("run", "--detach", "--name", self.name, *HARDENED, *self.options(), self.image)

    def once(self, *words):
        """The output of another command of the program, in a container of its own."""
        return self.podman.call("run", "--rm", *HARDENED, *self.options(), self.image, *words)

    def state(self):
        return self.podman.inspect(self.name)["State"]

    def pid(self):
        return self.state()["Pid"]

    def logs(self):
        _, output, errors = self.podman.attempt("logs", "--tail", "20", self.name)
        return "\n".join(part for part in (output, errors) if part)

    def get(self, path):
        return http_get(self.http, path)

    def wait_ready(self):
        def ready():
            if self.get("/readyz") is not None:
                return True
            if not self.state()["Running"]:
                raise Failure(f"the container ended with status {self.state()['ExitCode']}:\n{self.logs()}")
            return False
        wait_until(ready, "the container is ready", 120, pause=0.1)

    def kill(self):
        self.podman.call("kill", "--signal", "KILL", self.name)
        wait_until(lambda: not self.state()["Running"], "the killed container has ended", 30)

    def stop(self):
        """(exit status, seconds) after a SIGTERM. Root sends it itself: podman's own start is no part of the time."""
        pid, begin = self.pid(), time.monotonic()
        if os.getuid() == 0:
            os.kill(pid, signal.SIGTERM)
        else:
            self.podman.call("kill", "--signal", "TERM", self.name)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the process has ended after SIGTERM", 60, pause=0.01)
        seconds = time.monotonic() - begin
        wait_until(lambda: not self.state()["Running"], "podman knows that it has ended", 60)
        return self.state()["ExitCode"], seconds

    def healthy(self):
        """By the image's own HEALTHCHECK."""
        return self.podman.attempt("healthcheck", "run", self.name)[0] == 0
