#!/usr/bin/env bash
# Sweeps, picks and calibrates the versions on development speech, measures them on test speech, and writes what docs/measurements.md
# quotes: scripts/eval/record_versions.sh SPEECH OUT. About an hour on two cores; every step goes on where it was.
#   SPEECH  folder with manifest.tsv (the splits `dev` and `test`)
#   OUT     folder to write to, for example benches/records/2026-11-27; what is large and not kept goes to OUT.work
#   MODEL   (environment) the model's folder, models/en by default
# The degraded copies need Python with numpy and soundfile ($PYTHON, default python3), sox, lame, opus-tools and ffmpeg.
set -euo pipefail
speech=$1 out=$2 work=$2.work model=${MODEL:-models/en}
program=${PARETONE:-target/release/paretone}
mkdir -p "$out" "$work"
dev=(--model "$model" --manifest "$speech/manifest.tsv" --split dev --jobs 2)

# Wide, on 200 utterances: the two knobs of the network, with the neural language model and without, by the lattice's beam.
wide=("${dev[@]}" --limit 200 --dir "$work/wide" --search grid)
"$program" sweep "${wide[@]}" --setting "lattice_beam=4 rescore" --levels network_beam=13,12,11,10.5,10,9.5,9,8.5,8,7 --levels network_top_n=2500,1000
for beam in 3 4 6 8; do
    "$program" sweep "${wide[@]}" --neural --lattice-beam "$beam" \
        --levels network_beam=14,13,12,11,10.5,10,9.5,9,8,7 --levels network_top_n=5000,2500,1500
done
cp "$work/wide/points.csv" "$out/sweep-points.csv"
cp "$work/wide/sweep.svg" "$out/sweep.svg"

# Narrow: those near the front, on all utterances; the versions are picked from these.
"$program" sweep "${dev[@]}" --dir "$work/narrow" --search close --points "$work/wide/points.json" | tee "$out/front.txt"
cp "$work/narrow/points.csv" "$out/front-points.csv"
"$program" versions pick --model "$model" --points "$work/narrow/points.json" --gap 0.4 --measured-on "$(nproc) cores, $(date +%F)"

# All six knobs at random, and each knob alone.
"$program" sweep "${dev[@]}" --limit 200 --dir "$work/six" --search random --settings 380 --seed 1 --neural >/dev/null
python3 scripts/eval/six_knobs.py "$work/six/points.csv" | tee "$out/six-knobs.txt"
"$program" sweep "${dev[@]}" --limit 150 --repeats 3 --dir "$work/knobs" --search knobs \
    --setting "network_beam=13 lattice_beam=4 rescore" \
    --levels network_beam=16,14,13,12,11,10,9,8,7 --levels network_top_n=inf,5000,2500,1000,500,250,100 \
    --levels global_beam=inf,10,9,8,7,6 --levels global_top_n=inf,250,100,50,25,12 \
    --levels local_beam=inf,8,6,5,4,3 --levels local_top_n=inf,15,10,5,3 >/dev/null
cp "$work/knobs/knobs.txt" "$work/knobs/knobs.svg" "$out"

# Calibration on development speech, clean and degraded.
"${PYTHON:-python3}" scripts/eval/degrade.py --manifest "$speech/manifest.tsv" --limit 100 --out "$work/degraded"
"$program" bench "${dev[@]}" --versions all --outcomes "$work/dev.csv" --words "$work/dev-words.csv" >"$out/dev-versions.txt"
"$program" bench --model "$model" --manifest "$work/degraded/manifest.tsv" --split dev --jobs 2 --versions all \
    --outcomes "$work/degraded.csv" --words "$work/degraded-words.csv" >"$out/degraded-versions.txt"
for kind in .csv -words.csv; do
    awk 'FNR > 1 || NR == 1' "$work/dev$kind" "$work/degraded$kind" >"$work/both$kind"
done
"$program" confidence fit --model "$model" --outcomes "$work/both.csv" --words "$work/both-words.csv"
"$program" confidence answers --model "$model" "$work/degraded.csv" >"$out/degraded-confidence.txt"
"$program" confidence words --model "$model" --outcomes "$work/degraded.csv" --by-set "$work/degraded-words.csv" >>"$out/degraded-confidence.txt"

# The measurement.
"$program" bench --model "$model" --manifest "$speech/manifest.tsv" --split test --versions all --analyse --repeats 2 --jobs 2 \
    --out "$work/test" --outcomes corpora/outcomes/speech.csv --words "$work/test-words.csv" >"$out/test-versions.txt"
"$program" confidence words --by-set "$work/test-words.csv" >"$out/word-confidence.txt"
"$program" confidence answers corpora/outcomes/speech.csv >"$out/answer-confidence.txt"
"$program" report corpora/outcomes/speech.csv --round-trip 0.05 --beside-paper --out "$out/report" >"$out/report.txt"

# Tiers over what was measured.
scripts/eval/record_tiers.sh "$out"

# The page that sets all that beside the paper.
python3 scripts/eval/paper_page.py "$out"
