"""What a running `paretone serve` adds to the bare decode: the caller's wait less the workers' time that the answer tells of,
at tolerance 0 (one version, so both count the same run), over one connection. Needs nothing but Python.

    python scripts/service/overhead.py 127.0.0.1:8080 corpora/samples/night.wav 200
"""

import http.client
import statistics
import sys
import time


def main(address: str, recording: str, requests: str) -> None:
    body = open(recording, "rb").read()
    connection = http.client.HTTPConnection(address)
    added, decoded = [], []
    for _ in range(int(requests)):
        started = time.perf_counter()
        connection.request("POST", "/compute", body, {"Tolerance": "0"})
        reply = connection.getresponse()
        reply.read()
        waited = 1e3 * (time.perf_counter() - started)
        assert reply.status == 200, reply.status
        decoded.append(float(reply.headers["paretone-machine-ms"]))
        added.append(waited - decoded[-1])
    p50, p95 = statistics.median(added), statistics.quantiles(added, n=20)[-1]
    print(f"{requests} requests: added p50 {p50:.2f} ms, p95 {p95:.2f} ms; decode p50 {statistics.median(decoded):.1f} ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
