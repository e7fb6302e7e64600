#!/usr/bin/env bash
# Makes every kind of recording that people have from our own samples, transcribes each, and prints what was expected and what came.
#
#   scripts/eval/recordings.sh [FOLDER]      # FOLDER: where the recordings are made [default: a temporary one]
#
# Needs Debian's ffmpeg, sox, opus-tools, vorbis-tools, flac and lame, and target/release/paretone (or PARETONE). Expected are the words of the
# plain WAV; a lossy codec may change a few of them (the column "within"). A row is right where the exit code, the words and, in place of
# words, the message are. The script ends with 1 where a row is wrong.
set -u
cd "$(dirname "$0")/../.."
PARETONE=$(realpath "${PARETONE:-target/release/paretone}")
SAMPLES=$(realpath corpora/samples)
FOLDER=${1:-$(mktemp -d)}
mkdir -p "$FOLDER" && cd "$FOLDER" || exit 2
R=$SAMPLES/river.wav W=$SAMPLES/winter.wav
WRONG=0 ROWS=0

ff() { ffmpeg -nostdin -v error -y "$@"; }
hear() { "$PARETONE" transcribe "$@" 2>err; }

# Word errors between two texts.
errors() {
    python3 - "$1" "$2" <<'PY'
import sys
a, b = sys.argv[1].split(), sys.argv[2].split()
row = list(range(len(b) + 1))
for i, x in enumerate(a, 1):
    last, row[0] = row[0], i
    for j, y in enumerate(b, 1):
        last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
print(row[-1])
PY
}

# row NAME EXIT WITHIN EXPECTED PATTERN ARGS…: transcribe ARGS ends with EXIT and says EXPECTED within so many words; PATTERN is in what
# standard error says, and where it is empty, nothing is.
row() {
    local name=$1 exit=$2 within=$3 expected=$4 pattern=$5 got code off verdict
    shift 5
    hear "$@" >got; code=$?
    got=$(tr '\n' ' ' <got)
    off=$(errors "$expected" "$got")
    verdict=right
    [ "$code" = "$exit" ] || verdict="WRONG (exit $code, not $exit)"
    [ "$off" -le "$within" ] || verdict="WRONG ($off words)"
    if [ -n "$pattern" ]; then grep -qiE -- "$pattern" err || verdict="WRONG (not told: $pattern)"
    elif [ -s err ]; then verdict="WRONG (told: $(head -c 80 err))"; fi
    ROWS=$((ROWS + 1))
    [ "$verdict" = right ] || WRONG=$((WRONG + 1))
    printf '%-34s %4s %6s %6s  %s\n' "$name" "$code" "$within" "$off" "$verdict"
    if [ "$verdict" != right ]; then
        printf '    expected: %s\n    got:      %s\n    told:     %s\n' "$expected" "$got" "$(head -c 300 err)"
    fi
}
heard() { row "$1" 0 "$2" "$3" "" "${@:4}"; }
refused() { row "$1" 1 0 "" "$2.*ffmpeg -i" "${@:3}"; }
partly() { row "$1" 1 "$2" "$3" "only a part" "${@:4}"; }

RIVER=$(hear "$R") WINTER=$(hear "$W")
BOTH="$RIVER $WINTER"
printf '%-34s %4s %6s %6s\n' recording exit within errors

# Containers and codecs.
ff -i "$R" -c:a aac -b:a 64k aac.m4a;                         heard "M4A, AAC" 2 "$RIVER" aac.m4a
ff -i "$R" -c:a alac alac.m4a;                                heard "M4A, ALAC" 0 "$RIVER" alac.m4a
ff -i "$R" -c:a aac -b:a 64k -movflags faststart fast.m4a;    heard "M4A, index in front" 2 "$RIVER" fast.m4a
ff -i "$R" -c:a aac -b:a 64k -movflags frag_keyframe+empty_moov frag.mp4; heard "MP4 in fragments" 2 "$RIVER" frag.mp4
ff -i "$R" -f lavfi -i testsrc=d=5:s=64x48 -c:v mpeg4 -c:a aac -b:a 64k video.mp4; heard "MP4 with video" 2 "$RIVER" video.mp4
ff -i "$R" -c:a libopus -b:a 32k opus.mp4;                    heard "MP4, Opus" 2 "$RIVER" opus.mp4
ff -i "$R" -c:a pcm_s16le pcm.mov;                            heard "MOV, PCM" 0 "$RIVER" pcm.mov
ff -i "$R" -c:a libopus -b:a 32k opus.webm;                   heard "WebM, Opus" 2 "$RIVER" opus.webm
ff -i "$R" -c:a libopus -b:a 32k -f webm - >recorder.webm;    heard "WebM without duration" 2 "$RIVER" recorder.webm
ff -i "$R" -c:a libvorbis vorbis.webm;                        heard "WebM, Vorbis" 2 "$RIVER" vorbis.webm
ff -i "$R" -c:a flac flac.mka;                                heard "Matroska, FLAC" 0 "$RIVER" flac.mka
ff -i "$R" -c:a libmp3lame mp3.mkv;                           heard "Matroska, MP3" 2 "$RIVER" mp3.mkv
ff -i "$R" -c:a aac -b:a 64k aac.ts;                          heard "MPEG-TS, AAC" 2 "$RIVER" aac.ts
ff -i "$R" -c:a mp2 -b:a 96k mp2.ts;                          heard "MPEG-TS, MP2" 2 "$RIVER" mp2.ts
ff -i "$R" -c:a aac -b:a 64k adts.aac;                        heard "AAC in ADTS" 2 "$RIVER" adts.aac
lame --quiet "$R" plain.mp3;                                  heard "MP3" 2 "$RIVER" plain.mp3
ff -i "$R" -c:a mp2 -b:a 96k plain.mp2;                       heard "MP2" 2 "$RIVER" plain.mp2
oggenc -Q -o plain.ogg "$R";                                  heard "Ogg Vorbis" 2 "$RIVER" plain.ogg
opusenc --quiet "$R" plain.opus;                              heard "Ogg Opus" 2 "$RIVER" plain.opus
ff -i "$R" -ac 6 -c:a libopus -b:a 256k surround.opus;        heard "Ogg Opus, six channels" 3 "$RIVER" surround.opus
ff -i "$R" -c:a flac -f ogg flac.oga;                         heard "Ogg FLAC" 0 "$RIVER" flac.oga
flac -s -f -o plain.flac "$R";                                heard "FLAC" 0 "$RIVER" plain.flac
ff -i "$R" plain.aiff;                                        heard "AIFF" 0 "$RIVER" plain.aiff
sox "$R" plain.aifc;                                          heard "AIFF-C" 0 "$RIVER" plain.aifc
ff -i "$R" plain.au;                                          heard "AU" 0 "$RIVER" plain.au
ff -i "$R" -c:a pcm_mulaw mulaw.au;                           heard "AU, mu-law" 2 "$RIVER" mulaw.au
ff -i "$R" plain.caf;                                         heard "CAF" 0 "$RIVER" plain.caf
ff -i "$R" -c:a alac alac.caf;                                heard "CAF, ALAC" 0 "$RIVER" alac.caf
ff -i "$R" -c:a adpcm_ima_wav ima.wav;                        heard "WAV, IMA ADPCM" 2 "$RIVER" ima.wav
ff -i "$R" -c:a adpcm_ms ms.wav;                              heard "WAV, Microsoft ADPCM" 2 "$RIVER" ms.wav
sox "$R" -r 8000 narrow.wav; NARROW=$(hear narrow.wav)
sox "$R" -r 8000 -e gsm-full-rate gsm.wav;                    heard "WAV, GSM 06.10 (of 8 kHz)" 4 "$NARROW" gsm.wav
ff -i "$R" -c:a libmp3lame -b:a 64k mp3.wav;                  heard "WAV, MP3" 2 "$RIVER" mp3.wav
ff -i "$R" -c:a pcm_mulaw mulaw.wav;                          heard "WAV, mu-law" 2 "$RIVER" mulaw.wav
ff -i "$R" -c:a pcm_s24le s24.wav;                            heard "WAV, 24 bits" 0 "$RIVER" s24.wav
sox "$R" -B -t wav rifx.wav;                                  heard "WAV, big-endian (RIFX)" 0 "$RIVER" rifx.wav
sox "$R" -t raw -e signed -b 16 -r 8000 raw.s16;              heard "headerless s16le, 8 kHz" 1 "$NARROW" --raw s16le --rate 8000 raw.s16
sox "$R" -t raw -e mu-law -r 8000 raw.ul;                     heard "headerless mu-law, 8 kHz" 4 "$NARROW" --raw mulaw --rate 8000 raw.ul
sox -M "$R" "$R" -t raw -e signed -b 16 stereo.s16;           heard "headerless s16le, two channels" 0 "$RIVER" --raw s16le --rate 16000 --channels 2 stereo.s16

# Recordings after each other.
lame --quiet "$W" winter.mp3; cat plain.mp3 winter.mp3 >two.mp3; heard "MP3 after MP3" 3 "$BOTH" two.mp3
ff -i "$W" -ac 2 -ar 44100 -c:a libmp3lame -b:a 96k stereo.mp3; cat plain.mp3 stereo.mp3 >rates.mp3; heard "MP3 that changes rate, channels" 3 "$BOTH" rates.mp3
ff -i "$R" -ar 44100 -c:a libmp3lame -b:a 64k tagged.mp3; cat tagged.mp3 stereo.mp3 >xing.mp3; heard "MP3s with Xing tags" 3 "$BOTH" xing.mp3
opusenc --quiet "$W" winter.opus; cat plain.opus winter.opus >two.opus; heard "chained Opus" 3 "$BOTH" two.opus
oggenc -Q -o winter.ogg "$W"; cat plain.ogg winter.ogg >two.ogg;  heard "chained Vorbis" 3 "$BOTH" two.ogg
cat plain.ogg winter.opus >mixed.ogg;                         heard "Vorbis, then Opus" 3 "$BOTH" mixed.ogg
cat "$R" "$W" >two.wav;                                       heard "WAV after WAV" 2 "$BOTH" two.wav
sox "$W" -r 44100 -c 2 winter44.wav; cat "$R" winter44.wav >rates.wav; heard "WAV of another rate after WAV" 2 "$BOTH" rates.wav
flac -s -f -o winter.flac "$W"; cat plain.flac winter.flac >two.flac; heard "FLAC after FLAC" 2 "$BOTH" two.flac
ff -i "$W" -c:a aac -b:a 64k winter.m4a; cat aac.m4a winter.m4a >two.m4a; heard "M4A after M4A" 3 "$BOTH" two.m4a
ff -i "$W" -c:a libopus -b:a 32k -f webm - >winter.webm; cat recorder.webm winter.webm >two.webm; heard "WebM after WebM" 3 "$BOTH" two.webm
ff -i "$W" winter.aiff; cat plain.aiff winter.aiff >two.aiff; heard "AIFF after AIFF" 2 "$BOTH" two.aiff
ff -i "$W" -c:a aac -b:a 64k winter.aac; cat adts.aac winter.aac >two.aac; heard "AAC after AAC" 3 "$BOTH" two.aac
ff -i "$W" -c:a libspeex speex.spx; cat plain.opus speex.spx >speex.ogg; partly "Opus, then Speex" 2 "$RIVER" speex.ogg
(cat "$R"; head -c 20000 /dev/urandom) >junk.wav;             partly "WAV, then something else" 1 "$RIVER" junk.wav

# Tags and tails.
SAMPLE=$R python3 - <<'PY'
import os, struct
rng = bytes((i * 2654435761 >> 13) & 255 for i in range(3 << 20))
def id3(size): return b"ID3\4\0\0" + bytes((size >> s) & 127 for s in (21, 14, 7, 0)) + rng[:size]
mp3, flac = open("plain.mp3", "rb").read(), open("plain.flac", "rb").read()
ape = lambda flags: b"APETAGEX" + struct.pack("<4I8x", 2000, 532, 1, flags)
ape = ape(0xA0000000) + rng[:500] + ape(0x80000000)
v1 = b"TAG" + b"\xff\xfb" * 62 + b"\0"
open("cover.mp3", "wb").write(id3(3_000_000) + mp3)
open("tails.mp3", "wb").write(mp3 + ape + v1)
open("cover.flac", "wb").write(id3(2_000_000) + flac)
pcm = open(os.environ["SAMPLE"], "rb").read()[44:]
chunk = lambda name, body, size=None: name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)
form = lambda body, name=b"RIFF": name + b"\xff\xff\xff\xffWAVE" + body
fmt = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16))
info = chunk(b"LIST", b"INFOINAM" + struct.pack("<I", 200000) + rng[:200000])
ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, len(pcm), len(pcm) // 2, 0))
for name, body in {
    "open0": form(fmt + chunk(b"data", pcm, 0) + info),
    "openff": form(fmt + chunk(b"data", pcm, 0xFFFFFFFF) + info),
    "tail": form(fmt + chunk(b"data", pcm) + info),
    "empty": form(fmt + chunk(b"data", b"") + info),
    "early": form(chunk(b"data", pcm) + fmt + info),
    "odd": form(b"note\3\0\0\0abc" + fmt + chunk(b"data", pcm) + b"note\1\0\0\0x" + info),
    "rf64": form(ds64 + fmt + chunk(b"data", pcm, 0xFFFFFFFF) + info, b"RF64"),
    "bw64": form(ds64 + fmt + chunk(b"data", pcm, 0xFFFFFFFF) + info, b"BW64"),
    "cut": form(fmt + chunk(b"data", pcm, len(pcm) + 50000)),
}.items():
    open(name + ".wav", "wb").write(body)
PY
heard "MP3 with cover art of 3 MB" 2 "$RIVER" cover.mp3
heard "MP3, then APE and ID3v1" 2 "$RIVER" tails.mp3
heard "FLAC behind a tag of 2 MB" 0 "$RIVER" cover.flac
heard "WAV of size 0, then metadata" 0 "$RIVER" open0.wav
heard "WAV of size 2^32-1, metadata" 0 "$RIVER" openff.wav
heard "WAV with metadata at its end" 0 "$RIVER" tail.wav
heard "WAV of no samples, metadata" 0 "" empty.wav
heard "WAV, data before fmt" 0 "$RIVER" early.wav
heard "WAV, odd chunks not padded" 0 "$RIVER" odd.wav
heard "RF64 with metadata" 0 "$RIVER" rf64.wav
heard "BW64 with metadata" 0 "$RIVER" bw64.wav
partly "WAV cut short" 0 "$RIVER" cut.wav
ff -i "$R" -f wav - >pipe.wav;                                heard "WAV as ffmpeg pipes it" 0 "$RIVER" pipe.wav
ff -i "$R" -rf64 always -metadata title=hanged rf.wav;        heard "RF64 as ffmpeg writes it" 0 "$RIVER" rf.wav
sox "$R" -t wav - >soxpipe.wav 2>/dev/null;                   heard "WAV as sox pipes it" 0 "$RIVER" soxpipe.wav
head -c 30000 fast.m4a >cut.m4a;                              partly "M4A cut short" 8 "$RIVER" cut.m4a

# Channels.
sox -M "$R" "|sox $R -p vol -1" opposed.wav;                  row "channels that cancel" 0 0 "$RIVER" "cancel" opposed.wav
sox -M "$R" "$W" call.wav
heard "channel 1 of a call" 0 "$RIVER" --channel 1 call.wav
heard "channel 2 of a call" 0 "$WINTER" --channel 2 call.wav
row "channel 3 of a call" 1 0 "" "no channel 3" --channel 3 call.wav
sox "$W" late.wav pad 6; sox -M "$R" late.wav turns.wav
heard "both channels of a call" 1 "1: $RIVER 2: $WINTER" --channels separate turns.wav
sox "$R" -c 2 same.wav;                                       heard "two channels of one voice" 0 "$RIVER" same.wav

# What is not read is named.
ff -i "$R" -c:a wmav2 plain.wma;                              refused "Windows Media" "WMA" plain.wma
refused "Speex" "Speex" speex.spx
printf '#!AMR\n\074\0\0' >plain.amr;                          refused "AMR" "AMR" plain.amr
ff -i "$R" -c:a ac3 plain.ac3;                                refused "AC-3" "AC-3" plain.ac3
ff -i "$R" -c:a ac3 ac3.mkv;                                  refused "Matroska, AC-3" "AC-3" ac3.mkv
ff -i "$R" -ac 6 -ar 48000 -c:a aac surround.m4a;             refused "M4A of six channels" "AAC" surround.m4a
ff -i "$R" -c:a wavpack plain.wv;                             refused "WavPack" "WavPack" plain.wv
head -c 8000 opus.webm >cut.webm;                              row "WebM cut short" 0 10 "$RIVER" "" cut.webm
head -c 20000 aac.m4a >nomoov.m4a;                            row "M4A that was not finished" 1 0 "" "not finished" nomoov.m4a

# From standard input.
cat aac.m4a >pipe.bin; row "M4A from standard input" 0 2 "$RIVER" "" - <pipe.bin

printf '%s rows, %s wrong\n' "$ROWS" "$WRONG"
[ "$WRONG" = 0 ]
