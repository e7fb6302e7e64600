"""A long time under load: honest callers who keep the workers busy for a share of the time, beside callers who go away, hostile ones,
and reloads. How much that is depends on what else the machine does, so that the rate follows the workers' own clock.

    python3 scripts/service/soak.py HOST:PORT PID SECONDS WORDS.json OUT.csv

WORDS.json: by recording, what the command line hears in it. Each honest request is sent once, must be answered once, with these words.
Prints what was lost, answered twice or differently, the memory over time, and the open files before and after. soak.sh starts it.
"""

import csv
import json
import os
import random
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import attack

SHARE = 0.7
# How often the rules are read again and the rate is set anew, in seconds, and by how much at most.
STEP, FACTOR = 10, 1.25
# How far apart the memory may be after the first sixth.
DRIFT = 0.1


def memory(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def metric_busy(address):
    """Seconds that the workers were busy, each, since the rules were read."""
    return attack.metric(address, "paretone_workers_busy_seconds_total") / max(1.0, attack.metric(address, "paretone_workers"))


class Honest:
    """Callers whose requests must all be answered."""

    def __init__(self, address, words):
        self.address, self.words, self.lock = address, words, threading.Lock()
        self.bodies = {name: open(name, "rb").read() for name in words}
        self.sent, self.answered, self.refused, self.wrong, self.lost, self.twice = 0, 0, 0, [], [], 0
        self.ids, self.times = set(), []

    def call(self, number):
        name = sorted(self.words)[number % len(self.words)]
        identity = f"soak-{number}"
        headers = {"Tolerance": "0", "Accept": "application/json", "X-Request-Id": identity}
        started = time.monotonic()
        try:
            host, port = self.address.rsplit(":", 1)
            connection = attack.http.client.HTTPConnection(host, int(port), timeout=60, source_address=("127.0.0.3", 0))
            connection.request("POST", "/compute", self.bodies[name], headers)
            reply = connection.getresponse()
            status, back, body = reply.status, reply.headers["x-request-id"], reply.read()
            # Were it answered twice, a second answer would stand here.
            connection.sock and connection.sock.settimeout(0.0)
            connection.close()
        except OSError as error:
            with self.lock:
                self.sent += 1
                self.lost.append(f"{identity}: {error}")
            return
        with self.lock:
            self.sent += 1
            self.times.append(time.monotonic() - started)
            if back in self.ids or back != identity:
                self.twice += 1
            self.ids.add(back)
            if status == 429:
                self.refused += 1
            elif status != 200:
                self.lost.append(f"{identity}: {status}")
            elif json.loads(body)["text"] != self.words[name]:
                self.wrong.append(f"{identity}: {name}: {json.loads(body)['text']}")
            else:
                self.answered += 1

    def capacity(self, seconds=6):
        """Requests a second that two callers at a time get answered."""
        count, end = [0], time.monotonic() + seconds

        def loop(first):
            number = first
            while time.monotonic() < end:
                self.call(number)
                number -= 4
                count[0] += 1

        threads = [threading.Thread(target=loop, args=(-first - 1,)) for first in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        return count[0] / seconds


def leave(address, stop, draw):
    """Callers who go away in the middle."""
    body = open(attack.RECORDING, "rb").read()
    while not stop.wait(draw.expovariate(2.0)):
        try:
            stream = attack.connect(address, "127.0.0.4")
            head = f"POST /compute HTTP/1.1\r\nHost: {address}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            stream.sendall(head + body[: draw.randrange(len(body) + 1)])
            time.sleep(draw.random() * 0.05)
            stream.close()
        except OSError:
            pass


def harass(address, stop, draw):
    """Hostile ones, of each kind in turn."""
    while not stop.wait(1.0):
        try:
            kind = draw.randrange(5)
            if kind == 0:
                streams = [attack.connect(address) for _ in range(50)]
                time.sleep(1)
                del streams
            elif kind == 1:
                streams = [attack.open_stream(address) for _ in range(30)]
                time.sleep(1)
                del streams
            elif kind == 2:
                stream = attack.connect(address)
                stream.setblocking(False)
                stream.send(f"GET /openapi.json HTTP/1.1\r\nHost: {address}\r\n\r\n".encode() * 200)
                time.sleep(2)
                stream.close()
            elif kind == 3:
                body = b"--x\r\nA: " + b"a" * 5_000_000
                attack.ask(address, "POST", "/v1/audio/transcriptions", body, {"Content-Type": "multipart/form-data; boundary=x"})
            else:
                stream = attack.open_stream(address)
                for _ in range(3):
                    stream.sendall(attack.frame(2, draw.randbytes(64000)))
                    attack.read_frame(stream)
                stream.close()
        except (OSError, AttributeError):
            pass


def main(address, pid, seconds, words, out):
    pid, seconds, draw = int(pid), float(seconds), random.Random(1)
    honest = Honest(address, json.load(open(words)))
    capacity = honest.capacity()
    rate = SHARE * capacity
    # Warm before it is counted.
    files_before = files(pid)
    stop = threading.Event()
    others = [threading.Thread(target=what, args=(address, stop, random.Random(seed))) for seed, what in enumerate((leave, leave, harass))]
    [thread.start() for thread in others]
    started, number, rows, threads, reloads = time.monotonic(), 0, [], [], 0
    due, sample_at, reload_at, rates = started, started, started + STEP, []
    while due < started + seconds:
        due += draw.expovariate(rate)
        time.sleep(max(0.0, due - time.monotonic()))
        thread = threading.Thread(target=honest.call, args=(number,))
        thread.start()
        threads = [other for other in threads if other.is_alive()] + [thread]
        number += 1
        now = time.monotonic()
        if now >= sample_at:
            rows.append((round(now - started), round(memory(pid), 1), files(pid), honest.answered))
            sample_at = now + 5
        if now >= reload_at:
            # What is busy is counted from one reload to the next.
            share = metric_busy(address) / (now - reload_at + STEP)
            rate *= min(FACTOR, max(1 / FACTOR, SHARE / max(share, 0.01)))
            rates.append((rate, share))
            os.kill(pid, signal.SIGHUP)
            reloads, reload_at = reloads + 1, now + STEP
    [thread.join() for thread in threads]
    stop.set()
    [thread.join() for thread in others]
    time.sleep(20)
    with open(out, "w", newline="") as file:
        csv.writer(file).writerows([("seconds", "resident_mib", "open_files", "answered"), *rows])
    times = sorted(honest.times)
    # After the first sixth, as ten minutes are of an hour.
    settled = [row[1] for row in rows if row[0] > seconds / 6]
    drift = (max(settled) - min(settled)) / min(settled) if settled else 0.0
    offered, shares = zip(*rates) if rates else ((rate,), (SHARE,))
    print(f"capacity at first {capacity:.1f}/s, offered {min(offered):.1f} to {max(offered):.1f}/s for {seconds:.0f} s, {reloads} reloads")
    print(f"workers busy for {sum(shares) / len(shares):.0%} of the time, in steps of {STEP} s {min(shares):.0%} to {max(shares):.0%}")
    print(f"sent {honest.sent}, answered {honest.answered}, refused with 429 {honest.refused}")
    print(f"lost {len(honest.lost)}, answered twice {honest.twice}, with other words {len(honest.wrong)}")
    for text in (honest.lost + honest.wrong)[:10]:
        print(f"  {text}")
    print(f"p50 {times[len(times) // 2] * 1e3:.0f} ms, p99 {times[int(len(times) * 0.99)] * 1e3:.0f} ms")
    print(f"resident after the first sixth: {min(settled):.0f} to {max(settled):.0f} MiB ({drift:.1%} apart), at last {memory(pid):.0f} MiB")
    print(f"open files: {files_before} before, {files(pid)} after")
    held = not honest.lost and not honest.twice and not honest.wrong and drift <= DRIFT and files(pid) <= files_before
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
