#!/usr/bin/env python3
"""Writes 100 short Korean recordings that espeak-ng speaks, 000.wav to 099.wav at 16 kHz, for comparisons of engines: what is said matters little.

    python scripts/kaldi/korean_speech.py FOLDER

Needs espeak-ng and sox. The same sentences and voices every time.
"""
import pathlib
import random
import subprocess
import sys
import tempfile

SUBJECTS = "나는 우리는 그는 그녀는 선생님은 학생은 친구가 어머니가 아버지가 동생이 사람들이 아이들이 의사가 기자가 정부는 회사는".split()
TIMES = "오늘 어제 내일 아침에 저녁에 지금 주말에 지난주에 올해 매일".split()
PLACES = "학교에서 집에서 서울에서 부산에서 회사에서 시장에서 병원에서 공원에서 도서관에서 식당에서".split()
OBJECTS = "책을 밥을 물을 영화를 음악을 신문을 편지를 사과를 커피를 노래를 한국어를 영어를 운동을 공부를 이야기를".split()
VERBS = "읽었습니다 먹었습니다 마셨습니다 보았습니다 들었습니다 썼습니다 샀습니다 좋아합니다 시작했습니다 배웠습니다 말했습니다 했습니다".split()
LINKS = "그리고 그래서 하지만 그런데".split()
TAILS = ("날씨가 좋습니다|비가 많이 왔습니다|시간이 없습니다|아주 재미있었습니다|정말 감사합니다|다시 만나요|길이 막혔습니다|기분이 좋았습니다|문제가 있습니다|"
         "내일 다시 오겠습니다").split("|")


def sentence(draw, at):
    text = " ".join(draw.choice(words) for words in (SUBJECTS, TIMES, PLACES, OBJECTS, VERBS))
    if at % 3:
        text += f" {draw.choice(LINKS)} {draw.choice(TAILS)}"
    return f"{draw.choice(TAILS)} {text}" if at % 3 == 2 else text


def main():
    folder, draw = pathlib.Path(sys.argv[1]), random.Random(7)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        spoken = f"{temporary}/spoken.wav"
        for at in range(100):
            voice = draw.choice(["m1", "m3", "m7", "f1", "f2", "f4"])
            speed, pitch = draw.choice([120, 135, 150]), draw.choice([35, 50, 65])
            subprocess.run(["espeak-ng", "-v", f"ko+{voice}", "-s", str(speed), "-p", str(pitch), "-w", spoken, sentence(draw, at)], check=True)
            subprocess.run(["sox", "-R", "-D", spoken, "-r", "16000", "-b", "16", "-c", "1", str(folder / f"{at:03d}.wav"), "gain", "-3", "pad", "0.3", "0.5"],
                           check=True)


if __name__ == "__main__":
    main()
