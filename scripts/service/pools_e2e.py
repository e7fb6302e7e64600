#!/usr/bin/env python3
"""The nginx that pools.py writes, before a stand-in for each pool: every tolerance of the rules, as a fraction and in
percent, reaches the pool of the version that its policy begins with; what nginx does not understand the strictest.
Needs nginx and PyYAML."""

import http.client
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).parent
RULES = HERE.parents[1] / "models/en/rules.toml"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def expected(rules, tolerance, objective):
    """The version that a tier's policy begins with: the tier of the largest tolerance that is not above the asked one."""
    tiers = [t for t in rules["tiers"] if t["objective"] == objective and t["tolerance"] <= tolerance + 1e-9]
    policy = max(tiers, key=lambda t: t["tolerance"])["policy"]
    return policy.get("version") or policy["first"]


def configuration(scratch, port):
    """The written configuration, its pools on loopback: each answers with its version's name."""
    written = subprocess.run([sys.executable, HERE / "pools.py", RULES, "--nginx"], check=True, capture_output=True, text=True).stdout
    stands = ""
    for version in sorted(set(re.findall(r"server paretone-(v\d+):80;", written))):
        at = free_port()
        written = written.replace(f"paretone-{version}:80", f"127.0.0.1:{at}")
        stands += f"server {{ listen 127.0.0.1:{at}; return 200 {version}; }}\n"
    written = written.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = " ".join(f"{kind}_temp_path {scratch}/{kind};" for kind in kinds)
    start = f"pid {scratch}/pid; error_log {scratch}/log; daemon off; worker_processes 1; events {{}}\n"
    return f"{start}http {{ access_log off; {places}\n{written}{stands}}}\n"


def pool_of(port, headers):
    """The pool that answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/", headers=headers)
    return connection.getresponse().read().decode()


def wait_for(port):
    """Until something listens there."""
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("nginx did not start")


def main():
    rules = tomllib.loads(RULES.read_text())
    asked = wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        port = free_port()
        pathlib.Path(scratch, "conf").write_text(configuration(scratch, port))
        nginx = subprocess.Popen(["nginx", "-p", scratch, "-c", f"{scratch}/conf"])
        try:
            wait_for(port)
            requests = [({}, "v7"), ({"Tolerance": "much"}, "v7"), ({"Tolerance": "-0.1"}, "v7"), ({"Tolerance": "5e-2"}, "v7")]
            for objective in ("response-time", "cost"):
                for t in [*range(101), 250, 1000]:
                    version = expected(rules, t / 1000, objective)
                    share = f"{t / 1000:g}"
                    written = {share, share.lstrip("0") or "0", f"{t / 1000:.3f}", f"{t / 1000:.4f}", f"{t / 10:g}%", f"{t / 10:.1f} %"}
                    requests += [({"Tolerance": text, "Objective": objective}, version) for text in written]
            for headers, version in requests:
                asked += 1
                if (got := pool_of(port, headers)) != version:
                    wrong += 1
                    print(f"{headers}: the pool of {got}, not of {version}")
        finally:
            nginx.terminate()
            nginx.wait()
    print(f"pools: {asked} requests, {wrong} of them to another pool than the rules' first version's")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
