#!/usr/bin/env bash
# Word error rate on degraded development speech: one table, a column a model.
#
#     scripts/eval/conditions.sh [--limit N] [--version v7] [MODEL…]      (default: 200 utterances, models/en)
#
# Needs ../shared, Python with numpy and soundfile ($PYTHON, default python3), sox, lame, opus-tools and ffmpeg.
set -euo pipefail
cd "$(dirname "$0")/../.."
limit=200 setting=()
while [[ ${1-} == --* ]]; do
    case $1 in
    --limit) limit=$2 ;;
    --version) setting=(--versions "$2") ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done
models=("${@:-models/en}")
speech=.cache/conditions-$limit results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
"${PYTHON:-python3}" scripts/eval/degrade.py --manifest ../shared/speech/manifest.tsv --limit "$limit" --out "$speech"
cargo build -q --release
printf '# commit %s, %s utterances, %s\n' "$(git rev-parse --short HEAD)" "$limit" "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2)"
printf 'condition'
printf '\t%s' "${models[@]}"
printf '\tagainst plain\n'
for folder in $(ls -d "$speech"/plain "$speech"/*/ | xargs -n1 basename | awk '!seen[$0]++'); do
    printf '%s' "$folder"
    for number in "${!models[@]}"; do
        target/release/paretone bench --model "${models[$number]}" --manifest "$speech/$folder/manifest.tsv" --split dev \
            "${setting[@]}" --out "$results/$number-$folder" >/dev/null 2>&1
        awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
            { wrong += $at["S"] + $at["D"] + $at["I"]; words += $at["words"] }
            END { printf "%.2f", 100 * wrong / words }' "$results/$number-$folder/errors.tsv" | tee "$results/$number-$folder.wer" | sed 's/^/\t/'
    done
    paste -d' ' "$results/$number-$folder.wer" "$results/$number-plain.wer" | awk '{ printf "\t%.2f\n", $1 / $2 }'
done
