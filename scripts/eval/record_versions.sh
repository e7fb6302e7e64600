#!/usr/bin/env bash
# Sweeps, picks and calibrates the versions on development speech, measures them on test speech, and writes what docs/measurements.md
# quotes: scripts/eval/record_versions.sh SPEECH OUT. About two hours on two cores; every step goes on where it was.
#   SPEECH  folder with manifest.tsv (the splits `dev` and `test`)
#   OUT     folder to write to, for example benches/records/2026-11-25; what is large and not kept goes to OUT.work
set -euo pipefail
speech=$1 out=$2 work=$2.work
program=${PARETONE:-target/release/paretone}
mkdir -p "$out" "$work"
dev=(--manifest "$speech/manifest.tsv" --split dev --jobs 2)

# Wide: 135 settings of the network's two knobs and 500 of all six, on 320 utterances.
wide=("${dev[@]}" --limit 320 --dir "$work/wide")
"$program" sweep "${wide[@]}" --lattice-beam 4 --search grid \
    --levels network_beam=14,13.5,13,12.5,12,11.5,11,10.5,10,9.5,9,8.5,8,7.5,7 \
    --levels network_top_n=inf,5000,2500,1500,1000,700,500,350,200
"$program" sweep "${wide[@]}" --search random --settings 380 --seed 1
"$program" sweep "${wide[@]}" --search near --settings 120 --seed 2
cp "$work/wide/points.csv" "$out/sweep-points.csv"
cp "$work/wide/sweep.svg" "$out/sweep.svg"
python3 scripts/eval/six_knobs.py "$work/wide/points.csv" | tee "$out/six-knobs.txt"

# Narrow: those near the front, on all utterances; the versions are picked from these.
python3 scripts/eval/near_front.py "$work/wide/points.csv" >"$work/near.txt"
"$program" sweep "${dev[@]}" --dir "$work/narrow" --search list --list "$work/near.txt" | tee "$out/front.txt"
cp "$work/narrow/points.csv" "$out/front-points.csv"
"$program" versions pick --in-place --points "$work/narrow/points.json" --measured-on "$(nproc) cores, $(date +%F)"

# Each knob alone.
"$program" sweep "${dev[@]}" --limit 150 --repeats 3 --dir "$work/knobs" --search knobs \
    --setting "network_beam=13 lattice_beam=4 rescore" \
    --levels network_beam=16,14,13,12,11,10,9,8,7 --levels network_top_n=inf,5000,2500,1000,500,250,100 \
    --levels global_beam=inf,10,9,8,7,6 --levels global_top_n=inf,250,100,50,25,12 \
    --levels local_beam=inf,8,6,5,4,3 --levels local_top_n=inf,15,10,5,3 >/dev/null
cp "$work/knobs/knobs.txt" "$work/knobs/knobs.svg" "$out"

# Calibration on development speech, then the measurement.
"$program" bench "${dev[@]}" --versions all --outcomes "$work/dev.csv" --words "$work/dev-words.csv" >"$out/dev-versions.txt"
"$program" confidence fit --in-place --outcomes "$work/dev.csv" --words "$work/dev-words.csv"
"$program" bench --manifest "$speech/manifest.tsv" --split test --versions all --analyse --repeats 2 --jobs 2 \
    --out "$work/test" --outcomes corpora/outcomes/speech.csv --words "$work/test-words.csv" >"$out/test-versions.txt"
"$program" confidence words "$work/test-words.csv" >"$out/word-confidence.txt"
"$program" report corpora/outcomes/speech.csv --out "$out/report" >"$out/report.txt"

# Tiers over what was measured.
scripts/eval/record_tiers.sh "$out"
