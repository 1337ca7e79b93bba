"""What tests/image/compose.sh asks of the resolved docker-compose.yaml; prints every offence and ends with 1."""

import json
import os
import sys

with open(sys.argv[1]) as file:
    services = json.load(file)["services"]
offences = []


def expect(fact, what):
    if not fact:
        offences.append(what)


expect(set(services) == {"postgres", "redis", "walrelay", "load", "prometheus", "grafana"}, f"the services are {set(services)}")
for name, service in services.items():
    for port in service.get("ports", []):
        expect(port.get("host_ip") == "127.0.0.1", f"{name}: port {port['target']} is open to other machines")
    for other, how in service.get("depends_on", {}).items():
        expect(how["condition"] == "service_healthy", f"{name} does not wait until {other} is healthy")
        expect("healthcheck" in services[other], f"{other} has no health check, so {name} would never start")
    for volume in service.get("volumes", []):
        if volume["type"] == "bind":
            expect(os.path.exists(volume["source"]), f"{name}: {volume['source']} does not exist; Docker would make a folder")
    image = service.get("image", "")
    expect("build" in service or (image.rpartition(":")[2] not in ("", "latest") and image.startswith("docker.io/")),
           f"{name}: the image {image} has no registry or no fixed version")

started = {name for name, service in services.items() if not service.get("profiles")}
expect(started == {"postgres", "redis", "walrelay"}, f"without a profile {started} are started")

relay = services["walrelay"]
for key, value in {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}.items():
    expect(relay.get(key) == value, f"walrelay: {key} is {relay.get(key)}")
expect(relay["healthcheck"]["test"] == ["CMD", "/usr/bin/walrelay", "healthcheck", "--ready"],
       f"walrelay: its health check is {relay['healthcheck']['test']}")
expect(os.path.exists(os.path.join(relay["build"]["context"], "Dockerfile")), "walrelay: there is nothing to build")

print("\n".join(offences))
sys.exit(1 if offences else 0)
