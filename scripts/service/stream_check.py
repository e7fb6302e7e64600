"""Check `WS /v1/stream` of a running service: what it answers, and what it refuses.

    python3 stream_check.py 127.0.0.1:8080 speech.wav …      # mono 16-bit WAV at 16 kHz

- For every tolerance the final result of a file streamed without endpointing is, word for word,
  time for time and to the last digit of its confidence, what `POST /compute` answers for the file.
- Every binary message has exactly one answer, whatever its length, cut samples included.
- What is malformed, unknown, too large or out of range is told with a typed problem, and closed.

Prints one line a check and exits with 1 if any failed.
"""

import asyncio
import json
import sys
import urllib.request
import wave

import websockets

PROBLEMS = [
    ("no JSON", "speech", "bad-request"),
    ("no command", '{"speech": 1}', "bad-request"),
    ("rate too low", '{"config": {"sample_rate": 7999}}', "bad-request"),
    ("rate no number", '{"config": {"sample_rate": "high"}}', "bad-request"),
    ("tolerance below 0", '{"config": {"tolerance": -1}}', "bad-request"),
    ("objective unknown", '{"config": {"objective": "speed"}}', "bad-request"),
    ("version unknown", '{"config": {"version": "v99"}}', "not-found"),
    ("alternatives below 0", '{"config": {"max_alternatives": -3}}', "bad-request"),
    ("message too large", b"\0" * (600 << 10), "too-large"),
]
failed = 0


def check(name, holds, what=""):
    global failed
    failed += not holds
    print(f"{'ok' if holds else 'FAILED'}\t{name}\t{what if not holds else ''}", flush=True)


def pcm(path):
    with wave.open(path, "rb") as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, 16000)
        return audio.readframes(audio.getnframes())


def compute(host, path, tolerance):
    """What the same file is answered when it is uploaded."""
    headers = {"Tolerance": tolerance, "Accept": "application/json"}
    body = open(path, "rb").read()
    request = urllib.request.Request(f"http://{host}/compute", body, headers)
    return json.load(urllib.request.urlopen(request))


async def final(host, audio, chunk, **config):
    """The last answer, having had one answer for every message before it."""
    async with websockets.connect(f"ws://{host}/v1/stream") as socket:
        await socket.send(json.dumps({"config": {"sample_rate": 16000, **config}}))
        for at in range(0, len(audio), chunk):
            await socket.send(audio[at : at + chunk])
            json.loads(await socket.recv())
        await socket.send('{"eof" : 1}')
        last = json.loads(await socket.recv())
        try:
            extra = await socket.recv()
            check("nothing follows the last answer", False, extra)
        except websockets.ConnectionClosedOK:
            pass
        return last


async def problem(host, message):
    """The kind of problem that a message is refused with, and the code of the close."""
    async with websockets.connect(f"ws://{host}/v1/stream") as socket:
        kind = None
        try:
            await socket.send(message)
            kind = json.loads(await socket.recv())["error"]["type"].rsplit(":", 1)[1]
            await socket.recv()
        except websockets.ConnectionClosed as closed:
            return kind, closed.rcvd.code if closed.rcvd else None


async def main(host, paths):
    for path in paths:
        audio = pcm(path)
        for tolerance, chunk in [("0", 6400), ("1%", 3333), ("0.1", 25_001)]:
            streamed = await final(host, audio, chunk, tolerance=tolerance, endpointing=False)
            whole = compute(host, path, tolerance)
            words = [[w["word"], w["start"], w["end"], w["conf"]] for w in streamed.get("result", [])]
            expected = [[w["word"], w["start"], w["end"], w["confidence"]] for w in whole["words"]]
            same = words == expected and streamed["text"] == whole["text"]
            sure = streamed["confidence"] == whole["account"]["confidence"]
            check(f"{path} at {tolerance} as uploaded", same and sure, f"{streamed}\n{whole}")
    version = await final(host, pcm(paths[0]), 6400, version="v1", endpointing=False, words=False)
    check("a version, without words", version["text"] and "result" not in version, version)
    silent = await final(host, b"", 6400)
    check("no audio", silent == {"text": ""}, silent)
    for name, message, kind in PROBLEMS:
        found, code = await problem(host, message)
        check(f"{name}: {kind}", found == kind and code in (1008, 1009), f"{found} {code}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main(sys.argv[1], sys.argv[2:])) else 0)
