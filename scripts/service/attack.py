"""Attacks on a running `paretone serve`, by name, each of which tells in one line what came of it; attack.sh runs them.

    python3 scripts/service/attack.py NAME HOST:PORT [NUMBER]

Only Python's own library, only loopback, and every loop is bounded in count and time. Exit code 1: the service did not withstand.
"""

import base64
import http.client
import json
import os
import socket
import struct
import sys
import threading
import time

PATIENCE = 30.0
RECORDING = os.path.join(os.path.dirname(__file__), "../../corpora/samples/river.wav")


def connect(address, source=None):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=PATIENCE, source_address=(source, 0) if source else None)


def ask(address, method, path, body=None, headers=None, source=None):
    """Status and body of one exchange."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE, source_address=(source, 0) if source else None)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def metric(address, name):
    text = ask(address, "GET", "/metrics")[1].decode()
    values = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
    return sum(map(float, values))


def compute(address, source=None, **headers):
    with open(RECORDING, "rb") as file:
        started = time.monotonic()
        status, _ = ask(address, "POST", "/compute", file.read(), headers, source)
        return status, time.monotonic() - started


def open_stream(address, source=None):
    """A WebSocket without a library; none where it is refused."""
    stream = connect(address, source)
    key = base64.b64encode(os.urandom(16)).decode()
    stream.sendall(
        f"GET /v1/stream HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        part = stream.recv(1)
        if not part:
            return None
        head += part
    if b" 101 " not in head.split(b"\r\n")[0]:
        stream.close()
        return None
    return stream


def frame(opcode, payload):
    mask = os.urandom(4)
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
    repeated = (mask * (length // 4 + 1))[:length]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big") if length else b""
    return head + mask + masked


def read_frame(stream):
    def exactly(count):
        data = b""
        while len(data) < count:
            part = stream.recv(count - len(data))
            if not part:
                raise ConnectionError("the stream ended")
            data += part
        return data

    _, length = exactly(2)
    length &= 127
    if length == 126:
        (length,) = struct.unpack("!H", exactly(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", exactly(8))
    return exactly(length)


def silent_streams(address, count):
    """Row 3: streams that are opened and say nothing but pings."""
    opened = [stream for stream in (open_stream(address) for _ in range(count)) if stream]
    for stream in opened:
        try:
            stream.sendall(frame(9, b"still here"))
        except OSError:
            pass
    uploads = [compute(address)[0] for _ in range(5)]
    other = open_stream(address, "127.0.0.2")
    held = metric(address, "paretone_stream_memory_held_bytes")
    line = f"{len(opened)} of {count} opened, {held:.0f} bytes held, uploads {uploads}, another client's stream {bool(other)}"
    return line, set(uploads) == {200} and len(opened) < count and held == 0 and bool(other)


def part_heads(address, count):
    """Row 4: forms whose parts have heads of 30 MB."""
    body = b'--x\r\nContent-Disposition: form-data; name="' + b"a" * 30_000_000 + b'"\r\n\r\nRIFF\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    statuses = []

    def one():
        try:
            statuses.append(ask(address, "POST", "/v1/audio/transcriptions", body, headers)[0])
        except OSError:
            statuses.append(0)

    before = metric(address, "process_resident_memory_bytes")
    peak = [before]
    stop = threading.Event()

    def watch():
        while not stop.wait(0.05):
            peak[0] = max(peak[0], metric(address, "process_resident_memory_bytes"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    watcher.join()
    grown = (peak[0] - before) / 1e6
    counted = {status: statuses.count(status) for status in sorted(set(statuses))}
    return f"{count} × 30 MB: statuses {counted}, memory grew by {grown:.0f} MB", grown < 100 and set(statuses) <= {400, 413, 429, 0}


def unread(address, count):
    """Row 8: pipelined requests whose answers nobody reads."""
    request = f"GET /openapi.json HTTP/1.1\r\nHost: {address}\r\n\r\n".encode() * 200
    streams = []
    for _ in range(count):
        stream = connect(address)
        stream.setblocking(False)
        try:
            stream.send(request)
        except BlockingIOError:
            pass
        streams.append(stream)
    started = time.monotonic()
    left = count
    while left > 1 and time.monotonic() - started < 60:
        time.sleep(0.5)
        left = metric(address, "paretone_connections")
    return f"{count} clients, after {time.monotonic() - started:.1f} s {left:.0f} connection open", left == 1


def all_slots(address, count):
    """Row 9: silent and half-asking connections of one address."""
    silent = [connect(address) for _ in range(count)]
    half = [connect(address) for _ in range(count)]
    for stream in half:
        stream.sendall(b"GET /tiers HTT")
    times = []
    for path in ("/healthz", "/readyz") * 5:
        started = time.monotonic()
        status = ask(address, "GET", path)[0]
        times.append(time.monotonic() - started)
        if status != 200:
            return f"{path}: {status}", False
    status, took = compute(address, "127.0.0.2", Tolerance="10%")
    del silent, half
    return f"{2 * count} connections: slowest probe {max(times) * 1e3:.0f} ms, another client {status} in {took * 1e3:.0f} ms", (
        max(times) < 2 and status == 200
    )


def floods(address, count):
    """Row 10: streams that send as fast as they are answered, beside one that speaks in real time."""
    with open(RECORDING, "rb") as file:
        pcm = file.read()[44:]

    def honest(seconds):
        stream = open_stream(address, "127.0.0.2")
        if not stream:
            return [PATIENCE]
        times, started = [], time.monotonic()
        for number in range(int(seconds / 0.2)):
            time.sleep(max(0.0, started + number * 0.2 - time.monotonic()))
            at = number * 6400 % (len(pcm) - 6400)
            sent = time.monotonic()
            stream.sendall(frame(2, pcm[at : at + 6400]))
            read_frame(stream)
            times.append(time.monotonic() - sent)
        stream.close()
        return sorted(times)

    stop = threading.Event()

    def flood():
        stream = open_stream(address)
        try:
            while stream and not stop.is_set():
                stream.sendall(frame(2, pcm[: len(pcm) // 2 * 2]))
                read_frame(stream)
        except OSError:
            pass

    alone = honest(10)
    threads = [threading.Thread(target=flood) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    beside = honest(15)
    stop.set()
    for thread in threads:
        thread.join()
    ninetynine = lambda times: times[min(len(times) - 1, int(len(times) * 0.99))] * 1e3
    median = lambda times: times[len(times) // 2] * 1e3
    line = f"{count} floods: a stream's p50 {median(alone):.0f} → {median(beside):.0f} ms, p99 {ninetynine(alone):.0f} → {ninetynine(beside):.0f} ms"
    return line, ninetynine(beside) < 1000


def spray(address, count):
    """Row 10: requests over all tiers at once, beside one of another client."""
    with open(RECORDING, "rb") as file:
        recording = file.read()
    statuses, most = [], [0.0]
    stop = threading.Event()

    def one(number):
        while not stop.is_set():
            try:
                headers = {"Tolerance": f"{number % 100 / 10}%", "Objective": ("cost", "response-time")[number % 2]}
                statuses.append(ask(address, "POST", "/compute", recording, headers)[0])
            except OSError:
                statuses.append(0)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    honest = []
    for _ in range(10):
        honest.append(compute(address, "127.0.0.2"))
        most[0] = max(most[0], metric(address, "paretone_queue_length"))
    stop.set()
    for thread in threads:
        thread.join()
    counted = {status: statuses.count(status) for status in sorted(set(statuses))}
    slowest = max(took for _, took in honest)
    line = f"{count} callers: {counted}; queue at most {most[0]:.0f}; another client {[status for status, _ in honest].count(200)} of 10 answered, slowest {slowest * 1e3:.0f} ms"
    return line, most[0] <= 128 and all(status == 200 for status, _ in honest) and set(statuses) <= {200, 429, 0}


def endless_messages(address, count):
    """Row 4: messages in pieces of which the last never comes."""
    piece = frame(0, b"\0" * 500_000)
    begun = bytes([piece[0] & 0x7F]) + piece[1:]
    first = bytes([begun[0] | 2]) + begun[1:]
    before = metric(address, "process_resident_memory_bytes")
    streams = [stream for stream in (open_stream(address) for _ in range(count)) if stream]
    most = 0.0
    for number in range(8):
        for stream in streams:
            stream.setblocking(False)
            try:
                stream.send(begun if number else first)
            except OSError:
                pass
        most = max(most, metric(address, "paretone_stream_memory_held_bytes"))
    grown = (metric(address, "process_resident_memory_bytes") - before) / 1e6
    status, _ = compute(address, "127.0.0.2")
    del streams
    line = f"{count} streams: {most / 1e6:.0f} MB held at most, memory grew by {grown:.0f} MB, another client {status}"
    return line, 0 < most <= 256 << 20 and grown < 400 and status == 200


def events(address, count):
    """Row 10: recordings told by events, as many as one client can send, beside another client."""
    with open(RECORDING, "rb") as file:
        recording = file.read()
    recording = recording[:44] + recording[44:] * 12
    body = b'--x\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n'
    body += b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + recording + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    statuses = []

    def one():
        try:
            statuses.append(ask(address, "POST", "/v1/audio/transcriptions", body, headers)[0])
        except OSError:
            statuses.append(0)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    open_now = metric(address, "paretone_streams")
    honest = [compute(address, "127.0.0.2") for _ in range(5)]
    for thread in threads:
        thread.join()
    counted = {status: statuses.count(status) for status in sorted(set(statuses))}
    slowest = max(took for _, took in honest)
    answered = [status for status, _ in honest].count(200)
    line = f"{count} recordings: {counted}, {open_now:.0f} told at once; another client {answered} of 5 answered, slowest {slowest * 1e3:.0f} ms"
    return line, open_now <= 64 and answered == 5 and set(statuses) <= {200, 429, 0}


def to_decode(address, count):
    """Row 10: recordings that take long to decode, sent again and again, beside another client."""
    with open(RECORDING, "rb") as file:
        recording = file.read()
    # At 48 kHz, which must be resampled.
    data = recording[44:] * 60
    head = recording[:4] + struct.pack("<I", 36 + len(data)) + recording[8:24] + struct.pack("<II", 48000, 96000) + recording[32:40]
    slow = head + struct.pack("<I", len(data)) + data
    stop, statuses = threading.Event(), []

    def one():
        while not stop.is_set():
            try:
                statuses.append(ask(address, "POST", "/compute", slow, {"Tolerance": "10%", "Deadline": "20"})[0])
            except OSError:
                statuses.append(0)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    honest = [compute(address, "127.0.0.2", Tolerance="10%") for _ in range(5)]
    stop.set()
    for thread in threads:
        thread.join()
    counted = {status: statuses.count(status) for status in sorted(set(statuses))}
    slowest = max(took for _, took in honest)
    answered = [status for status, _ in honest].count(200)
    line = f"{count} callers: {counted}; another client {answered} of 5 answered, slowest {slowest * 1e3:.0f} ms"
    return line, answered == 5 and set(statuses) <= {200, 429, 503, 0}


def strangers(address, _):
    """Row 7: names and pages that are not ours."""
    cases = [
        ({"Host": "evil.example:8080", "Origin": "http://evil.example:8080"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": f"http://{address}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ]
    with open(RECORDING, "rb") as file:
        recording = file.read()
    got = [ask(address, "POST", "/compute", recording, headers)[0] for headers, _ in cases]
    return f"statuses {got}", got == [status for _, status in cases]


def job_of(address, number):
    """Status and job of one more submission of a numbered job."""
    with open(RECORDING, "rb") as file:
        status, body = ask(address, "POST", "/v1/jobs", file.read(), {"Idempotency-Key": f"attack-{number}"})
        return status, json.loads(body)


def submit_jobs(address, count):
    """Jobs: so many are taken in."""
    statuses = [job_of(address, number)[0] for number in range(count)]
    return f"{statuses.count(202)} of {count} taken in", statuses.count(202) == count


def await_jobs(address, count):
    """Jobs: each that was taken in by a process that was killed is answered once."""
    expected = json.loads(ask(address, "POST", "/compute", open(RECORDING, "rb").read(), {"Accept": "application/json"})[1])["text"]
    again = [job_of(address, number) for number in range(count)]
    kept = [status for status, _ in again].count(200)
    ids = {job["id"] for _, job in again}
    left, end, answered = set(ids), time.monotonic() + 300, 0
    while left and time.monotonic() < end:
        for name in sorted(left):
            job = json.loads(ask(address, "GET", f"/v1/jobs/{name}")[1])
            if job["state"] in ("done", "failed"):
                left.remove(name)
                answered += job["state"] == "done" and job["result"]["text"] == expected
        time.sleep(0.2)
    total = metric(address, "paretone_jobs")
    line = f"{kept} of {count} kept, {answered} answered with the right words, {len(left)} not, {total:.0f} jobs in all"
    return line, kept == answered == len(ids) == total == count


ATTACKS = {
    attack.__name__: attack
    for attack in (
        silent_streams,
        part_heads,
        endless_messages,
        unread,
        all_slots,
        floods,
        spray,
        events,
        to_decode,
        strangers,
        submit_jobs,
        await_jobs,
    )
}

if __name__ == "__main__":
    name, where = sys.argv[1:3]
    line, withstood = ATTACKS[name](where, int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    print(line)
    sys.exit(not withstood)
