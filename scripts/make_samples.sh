#!/usr/bin/env bash
# Makes corpora/samples/*.wav and corpora/samples/manifest.tsv: short sentences of our own, spoken by free voices.
#
# The voices come from Debian: `apt-get install festival festvox-us-slt-hts flite sox`. Both voice data sets (CMU ARCTIC
# slt and rms) are free to use, copy and distribute; the sentences were written for this repository. Every file is
# 16 kHz, mono, 16 bit, without dither, so that the script makes the same bytes again with the same voices.
set -euo pipefail
cd "$(dirname "$0")/../corpora/samples"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# festival_slt TEXT OUT.wav: the statistical (HTS) voice of speaker slt.
festival_slt() {
    printf '%s\n' "$1" | text2wave -eval '(voice_cmu_us_slt_arctic_hts)' -o "$2"
}

# flite_rms TEXT OUT.wav: flite's voice of speaker rms.
flite_rms() {
    flite -voice rms -t "$1" -o "$2"
}

printf 'id\tpath\ttext\tspeaker\n' >manifest.tsv

# sample NAME VOICE TEXT: one file and its row; the transcript is the text in lower case without punctuation.
sample() {
    "$2" "$3" "$scratch/raw.wav"
    sox -D "$scratch/raw.wav" -r 16000 -c 1 -b 16 -e signed-integer "$1.wav" norm -3 pad 0.2 0.2
    printf '%s\t%s.wav\t%s\t%s\n' "$1" "$1" "$(tr '[:upper:]' '[:lower:]' <<<"$3" | tr -d '.,;')" "$2" >>manifest.tsv
}

sample river festival_slt 'The old man walked slowly along the river, and his dog ran before him.'
sample children festival_slt 'The children were playing in the garden when their mother called them home.'
sample winter flite_rms 'It was a cold winter morning, and the fields were white with snow.'
sample night flite_rms 'She opened the door and looked out into the night.'
