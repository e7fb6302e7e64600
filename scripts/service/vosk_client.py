"""Clients of vosk-server, message for message, with a running `paretone serve`: what theirs send, in their order, is answered as
vosk-server answers it (alphacep/vosk-server, `websocket/asr_server.py`).

    python scripts/service/vosk_client.py ws://127.0.0.1:8080/v1/stream corpora/samples/river.wav river

They send and receive in turns: a missing answer would hold them up for ever, one too many would put all later ones out of step. So here
every answer is waited for, and between turns nothing may come. The three ways of theirs:

- `test.py`: the rate as a whole number, then 0.2 s of PCM at a time;
- `test_words.py`: the rate with a fraction and `"words": 0`, 4000 frames at a time;
- `test_srt.py`: no configuration at all, 8000 bytes at a time, and subtitles from the words of all results.
"""

import asyncio
import json
import sys
import wave

import websockets

EOF = '{"eof" : 1}'


async def turn(socket, message):
    """One message and its only answer."""
    await socket.send(message)
    answer = json.loads(await asyncio.wait_for(socket.recv(), 60))
    assert ("partial" in answer) != ("text" in answer), answer
    assert isinstance(answer.get("partial", answer.get("text")), str), answer
    return answer


async def converse(uri, config, pcm, size):
    """All answers to PCM in messages of this size; the last to the end of the audio."""
    async with websockets.connect(uri) as socket:
        if config:
            await socket.send(config)
        answers = [await turn(socket, pcm[at : at + size]) for at in range(0, len(pcm), size)]
        answers.append(await turn(socket, EOF))
        assert "text" in answers[-1], answers[-1]
        # As vosk-server does, the service closes after the last answer, and says nothing more.
        try:
            raise AssertionError(f"one answer too many: {await asyncio.wait_for(socket.recv(), 60)}")
        except websockets.ConnectionClosedOK:
            return answers


def text_of(answers):
    return " ".join(answer["text"] for answer in answers if answer.get("text"))


def words_of(answers):
    words = [word for answer in answers for word in answer.get("result", [])]
    for word in words:
        assert set(word) >= {"conf", "start", "end", "word"} and 0 <= word["conf"] <= 1 and word["start"] < word["end"], word
    assert all(one["end"] <= other["start"] + 1e-6 for one, other in zip(words, words[1:])), words
    return words


async def main(uri, path, expected):
    with wave.open(path, "rb") as audio:
        assert (audio.getnchannels(), audio.getsampwidth()) == (1, 2), "mono 16-bit WAV"
        rate, pcm = audio.getframerate(), audio.readframes(audio.getnframes())

    plain = await converse(uri, '{ "config" : { "sample_rate" : %d } }' % rate, pcm, 2 * int(rate * 0.2))
    assert expected in text_of(plain).split(), text_of(plain)
    assert any(answer.get("partial") for answer in plain), "no partial result"
    assert [word["word"] for word in words_of(plain)] == text_of(plain).split()

    without = await converse(uri, json.dumps({"config": {"sample_rate": float(rate), "words": 0}}), pcm, 8000)
    assert text_of(without) == text_of(plain) and not words_of(without)

    # Their default rate is 8 kHz and ours 16 kHz: without a configuration a client must speak at the server's.
    bare = await converse(uri, None, open(path, "rb").read(), 8000)
    lines = [words_of(bare)[at : at + 7] for at in range(0, len(words_of(bare)), 7)]
    assert expected in text_of(bare).split() and lines and all(line[0]["start"] < line[-1]["end"] for line in lines)

    turns = len(plain) + len(without) + len(bare)
    print(f"vosk-server's clients: 3 conversations, {turns} messages with one answer each, in step to the end")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
