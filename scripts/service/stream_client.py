"""Speak vosk-server's protocol with `WS /v1/stream`, as its own example client does, and measure.

One text message configures the stream, every binary message of PCM is answered by exactly one text
message (a partial result, or a result where an utterance ended), and `{"eof" : 1}` by the last.

    python3 stream_client.py ws://127.0.0.1:8080/v1/stream speech.wav              # print the answers
    python3 stream_client.py --real-time --report ws://… a.wav b.wav               # how late they are

With --real-time chunks are sent when they would have been spoken. The report tells, over all files,
how long each answer took from its chunk, and how long after a word's end (by the final result) a
partial result first had it in its place to stay.
"""

import argparse
import asyncio
import json
import time
import wave

import websockets


class Delays:
    """What was late, in seconds."""

    def __init__(self):
        self.answers = []
        self.shown = []
        self.words = 0

    def of_utterance(self, partials, final):
        """Hold the partial results of an utterance, with their times, against its end."""
        words = final.get("result", [])
        self.words += len(words)
        for place, word in enumerate(words):
            since = None
            for at, heard in partials:
                if place < len(heard) and heard[place] == word["word"]:
                    since = at if since is None else since
                else:
                    since = None
            if since is not None:
                self.shown.append(since - word["end"])

    def report(self):
        def line(name, values):
            values = sorted(values) or [float("nan")]
            at = lambda share: 1000 * values[int(share * (len(values) - 1))]
            print(f"{name}\t{len(values)}\tp50 {at(0.5):.0f} ms\tp95 {at(0.95):.0f} ms\tlargest {at(1):.0f} ms")

        line("answers after their chunk", self.answers)
        line("words shown after their end", self.shown)
        soon = sum(delay <= 0.5 for delay in self.shown)
        print(f"words shown within 0.5 s, before the final result, in all\t{soon}\t{len(self.shown)}\t{self.words}")


async def stream(arguments, path, delays):
    """Stream one file; print answers unless only the report is wanted."""
    async with websockets.connect(arguments.uri) as socket:
        with wave.open(path, "rb") as audio:
            assert audio.getnchannels() == 1 and audio.getsampwidth() == 2, "mono 16-bit WAV"
            config = {"sample_rate": audio.getframerate(), **json.loads(arguments.config)}
            await socket.send(json.dumps({"config": config}))
            frames = int(audio.getframerate() * arguments.chunk)
            started, spoken, partials = time.monotonic(), 0.0, []

            def take(answer):
                answer = json.loads(answer)
                if not arguments.report:
                    print(json.dumps(answer), flush=True)
                if "partial" in answer:
                    partials.append((time.monotonic() - started, answer["partial"].split()))
                elif "text" in answer:
                    delays.of_utterance(partials, answer)
                    partials.clear()
                else:
                    raise SystemExit(f"{path}: {answer}")

            while chunk := audio.readframes(frames):
                spoken += len(chunk) / 2 / audio.getframerate()
                if arguments.real_time:
                    await asyncio.sleep(max(0.0, started + spoken - time.monotonic()))
                sent = time.monotonic()
                await socket.send(chunk)
                take(await socket.recv())
                delays.answers.append(time.monotonic() - sent)
            await socket.send('{"eof" : 1}')
            take(await socket.recv())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("uri")
    parser.add_argument("files", nargs="+", help="mono 16-bit WAV")
    parser.add_argument("--chunk", type=float, default=0.2, help="seconds in a message")
    parser.add_argument("--config", default="{}", help="more of the configuration, as JSON")
    parser.add_argument("--real-time", action="store_true", help="send as if spoken now")
    parser.add_argument("--report", action="store_true", help="print delays instead of answers")
    arguments = parser.parse_args()
    delays = Delays()
    for path in arguments.files:
        asyncio.run(stream(arguments, path, delays))
    if arguments.report:
        delays.report()


if __name__ == "__main__":
    main()
