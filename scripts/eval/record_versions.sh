#!/usr/bin/env bash
# Sweeps, picks and calibrates the versions on development speech, measures them on test speech, and writes what docs/measurements.md
# quotes: scripts/eval/record_versions.sh SPEECH OUT. Two hours on two cores; every step goes on where it was.
#   SPEECH  folder with manifest.tsv (the splits `dev` and `test`)
#   OUT     folder to write to, for example benches/records/2026-11-28; what is large and not kept goes to OUT.work
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
for beam in 3 4 6 8 10; do
    "$program" sweep "${wide[@]}" --neural --lattice-beam "$beam" \
        --levels network_beam=16,15,14,13,12,11,10.5,10,9.5,9,8,7 --levels network_top_n=10000,7000,5000,2500,1500
done
cp "$work/wide/points.csv" "$out/sweep-points.csv"
cp "$work/wide/sweep.svg" "$out/sweep.svg"

# Narrow: settings near the front, on all utterances.
"$program" sweep "${dev[@]}" --dir "$work/narrow" --search list --list scripts/eval/front.settings | tee "$out/front.txt"
cp "$work/narrow/points.csv" "$out/front-points.csv"

# The seven of them that become versions, measured side by side. They were chosen on development speech: the fastest, one that
# takes four times as long, and those between by what tiers over them would certify if each speaker stood for three.
"$program" sweep "${dev[@]}" --dir "$work/seven" --search list --list scripts/eval/versions.settings | tee -a "$out/front.txt"
"$program" versions pick --model "$model" --points "$work/seven/points.json" --gap 1 --measured-on "$(nproc) cores, $(date +%F)"

# All six knobs at random, and each knob alone.
"$program" sweep "${dev[@]}" --limit 200 --dir "$work/six" --search random --settings 380 --seed 1 --neural >/dev/null
python3 scripts/eval/six_knobs.py "$work/six/points.csv" | tee "$out/six-knobs.txt"
"$program" sweep "${dev[@]}" --limit 150 --repeats 3 --dir "$work/knobs" --search knobs \
    --setting "network_beam=13 lattice_beam=4 rescore" \
    --levels network_beam=16,14,13,12,11,10,9,8,7 --levels network_top_n=inf,5000,2500,1000,500,250,100 \
    --levels global_beam=inf,10,9,8,7,6 --levels global_top_n=inf,250,100,50,25,12 \
    --levels local_beam=inf,8,6,5,4,3 --levels local_top_n=inf,15,10,5,3 >/dev/null
cp "$work/knobs/knobs.txt" "$work/knobs/knobs.svg" "$out"

# Calibration on development speech, clean and degraded. Degraded copies are of one corpus alone; speakers of the training set, in
# whose speech accents have the share that they have elsewhere, make up for that.
"${PYTHON:-python3}" scripts/eval/degrade.py --manifest "$speech/manifest.tsv" --limit 100 --out "$work/degraded"
"$program" bench "${dev[@]}" --versions all --outcomes "$work/dev.csv" --words "$work/dev-words.csv" >"$out/dev-versions.txt"
"$program" bench --model "$model" --manifest "$work/degraded/manifest.tsv" --split dev --jobs 2 --versions all \
    --outcomes "$work/degraded.csv" --words "$work/degraded-words.csv" >"$out/degraded-versions.txt"
"$program" bench --model "$model" --manifest "$speech/manifest.tsv" --split train --set ocean-adults,librispeech-train-clean-5 --limit 1200 \
    --jobs 2 --versions all --outcomes "$work/train.csv" --words "$work/train-words.csv" >"$work/train-versions.txt"
for kind in "" -words; do
    awk 'FNR > 1 || NR == 1' "$work/degraded$kind.csv" "$work/train$kind.csv" >"$work/further$kind.csv"
done
"$program" confidence fit --model "$model" --outcomes "$work/dev.csv" --words "$work/dev-words.csv" \
    --beside "$work/further.csv" --beside-words "$work/further-words.csv"
"$program" confidence answers --model "$model" "$work/degraded.csv" >"$out/degraded-confidence.txt"
"$program" confidence words --model "$model" --outcomes "$work/degraded.csv" --by-set "$work/degraded-words.csv" >>"$out/degraded-confidence.txt"

# The measurement.
"$program" bench --model "$model" --manifest "$speech/manifest.tsv" --split test --versions all --analyse --jobs 2 \
    --out "$work/test" --outcomes corpora/outcomes/speech.csv --words "$work/test-words.csv" >"$out/test-versions.txt"
"$program" confidence words --by-set "$work/test-words.csv" >"$out/word-confidence.txt"
"$program" confidence answers corpora/outcomes/speech.csv >"$out/answer-confidence.txt"
"$program" report corpora/outcomes/speech.csv --round-trip 0.05 --beside-paper --out "$out/report" >"$out/report.txt"

# Tiers over what was measured.
scripts/eval/record_tiers.sh "$out"

# The page that sets all that beside the paper.
python3 scripts/eval/paper_page.py "$out"
