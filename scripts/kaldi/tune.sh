#!/usr/bin/env bash
# From our own model, written as a Vosk folder, to tiers of that folder: export, `paretone tune`, `paretone serve`, and a request at each
# of some tolerances, whose words must be those that the manifest of the samples has.
#
#   scripts/kaldi/tune.sh MANIFEST [FOLDER]
#
# MANIFEST is a table with the columns id, path, text, speaker and split; of its rows of split `dev`, at most 25 utterances a speaker are
# tuned on ($PER_SPEAKER). FOLDER is where the Vosk folder goes (a temporary one); a tuning that was stopped there goes on. Needs curl,
# Python 3 and target/release/paretone (or $PARETONE). Some ten minutes of one processor.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/service/start.sh
manifest=$1 folder=${2:-$scratch/tuned}
mkdir -p "$folder"

echo "== $("$program" --version), $(git describe --always --dirty), $(nproc) processors, $(date -u +%F)"
[ -f "$folder/vosk/conf/model.conf" ] || "$program" model export --model models/en --vosk "$folder/vosk"
python3 - "$manifest" "${PER_SPEAKER:-25}" >"$folder/dev.tsv" <<'PY'
import collections, csv, os, sys
folder, most, heard = os.path.dirname(os.path.abspath(sys.argv[1])), int(sys.argv[2]), collections.Counter()
out = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
out.writerow(["id", "path", "text", "speaker"])
for row in csv.DictReader(open(sys.argv[1], newline=""), delimiter="\t", quoting=csv.QUOTE_NONE):
    speaker = row["set"] + row["speaker"]
    if row["split"] == "dev" and heard[speaker] < most:
        heard[speaker] += 1
        out.writerow([row["id"], os.path.join(folder, row["path"]), row["text"], speaker])
PY

echo "== paretone tune --jobs 1"
TIMEFORMAT='%R s, of them %U s of one processor in the program'
time "$program" -q tune --model "$folder/vosk" --manifest "$folder/dev.tsv" --dir "$folder/tune" --jobs 1 2>"$folder/tune.log" ||
    fail "$(tail -5 "$folder/tune.log")"
sed -n 's/^setting *= */  /p' "$folder/vosk/versions.toml"

echo "== paretone serve"
serve tiers --model "$folder/vosk"
[ ! -s "$scratch/tiers.log" ] || cat "$scratch/tiers.log"
address=$(cat "$scratch/tiers")
asked=0 right=0
for tolerance in 0 0.01 0.05 0.1; do
    for objective in response-time cost; do
        while IFS=$'\t' read -r name path text _; do
            [ "$name" != id ] || continue
            said=$(curl -sSf -D "$scratch/head" -H "Tolerance: $tolerance" -H "Objective: $objective" -H 'Accept: text/plain' \
                --data-binary "@corpora/samples/$path" "http://$address/compute")
            asked=$((asked + 1))
            if [ "$said" = "$text" ]; then right=$((right + 1)); else printf '  %s: %s\n' "$name" "$said"; fi
        done <corpora/samples/manifest.tsv
        printf '  %-5s %-14s %s\n' "$tolerance" "$objective" \
            "$(tr -d '\r' <"$scratch/head" | sed -n 's/^paretone-\(policy\|certificate\|confidence\): /\1 /Ip' | paste -sd' ')"
    done
done
echo "$right of $asked requests got the words of the samples' manifest"
[ "$right" = "$asked" ]
