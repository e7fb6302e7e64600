#!/usr/bin/env bash
# soak.sh [SECONDS [OUT.csv [FLAG ...]]]: honest callers at 70 % of the capacity for so long (an hour by default), beside callers who go
# away, hostile ones, and reloads. Compares every answer with what the command line hears. Flags are for `paretone serve`.
# Needs target/release/paretone (or $PARETONE) and Python 3.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/service/start.sh
seconds=${1:-3600}
out=${2:-$scratch/soak.csv}
flags=("${@:3}")
"$program" tiers --help >/dev/null
for recording in corpora/samples/*.wav; do
    printf '%s\t%s\n' "$recording" "$("$program" transcribe --tolerance 0 "$recording" 2>/dev/null | sed 's/^[^\t]*\t//')"
done | python3 -c '
import json, sys
print(json.dumps(dict(line.rstrip("\n").split("\t") for line in sys.stdin)))' >"$scratch/words.json"
serve service "${flags[@]}"
pid=${pids[0]}
python3 scripts/service/soak.py "$(cat "$scratch/service")" "$pid" "$seconds" "$scratch/words.json" "$out"
kill -TERM "$pid"
wait "$pid"
echo "and it ended as it should"
