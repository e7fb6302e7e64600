#!/usr/bin/env bash
# Tiers over recorded outcomes: evaluates them on both services, trains the rules that ship with the model, and brings
# its checksums up to date: scripts/eval/record_tiers.sh OUT. A minute or two on two cores.
#   OUT     folder to write to, for example benches/records/2026-11-28
set -euo pipefail
out=$1
program=${PARETONE:-target/release/paretone}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for service in speech images; do
    "$program" tiers evaluate --outcomes "corpora/outcomes/$service.csv" --out "$work/$service" >/dev/null
    cp "$work/$service/report.txt" "$out/$service-tiers.txt"
done
# Promises kept on each corpus alone.
for set in $(cut -d, -f"$(head -1 corpora/outcomes/speech.csv | tr , '\n' | grep -nx set | cut -d: -f1)" corpora/outcomes/speech.csv | tail -n +2 | sort -u); do
    echo "set $set"
    "$program" tiers evaluate --outcomes corpora/outcomes/speech.csv --set "$set" --method point,next-batch --out "$work/$set" |
        sed -n '/^Fig 8/,/^ *fold broken/p' | grep -v "fold broken"
done >"$out/speech-tiers-by-set.txt"
"$program" tiers train --outcomes corpora/outcomes/speech.csv --out models/en/rules.toml | tee "$out/rules.txt"
# What is listed and has changed: the rules, and whatever was fitted before them.
(cd models/en && cut -d" " -f3 SHA256SUMS | xargs sha256sum >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
# What docs/tiers.md quotes.
grep -E "^  TT-Opt-Resp-Time|^  Naive-Opt-Resp-Time" "$out/speech-tiers.txt"
grep -A13 "^Certificates" "$out/speech-tiers.txt"
