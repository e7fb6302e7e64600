#!/usr/bin/env bash
# The web page in a real browser: types of its scripts, then tests/browser in Chromium against two services on loopback,
# one of which asks for a token. SCREENSHOTS=FOLDER keeps pictures of the page, light and dark, wide and narrow.
# Needs node 20 or later, npm, Debian's chromium (or $CHROMIUM) and target/release/paretone (or $PARETONE); takes a minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PARETONE:-target/release/paretone}
scratch=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$scratch"
}
trap finish EXIT

# Starts a service on a free port with these flags; its address goes to the file $scratch/NAME.
serve() {
    local name=$1
    shift
    : >"$scratch/$name.out"
    "$program" serve --listen 127.0.0.1:0 "$@" >"$scratch/$name.out" 2>"$scratch/$name.log" &
    pids+=($!)
    for _ in $(seq 300); do
        grep -q '^listening on http://' "$scratch/$name.out" && break
        sleep 0.1
    done
    sed -n 's|^listening on ||p' "$scratch/$name.out" >"$scratch/$name"
    [ -s "$scratch/$name" ] || { echo "failed: $name did not start: $(cat "$scratch/$name.log")" >&2; exit 1; }
}

TOKEN='a token/with=signs'
export TOKEN
serve open
serve guarded --token "$TOKEN"
OPEN_SERVICE=$(cat "$scratch/open") GUARDED_SERVICE=$(cat "$scratch/guarded")
export OPEN_SERVICE GUARDED_SERVICE
if [ -n "${SCREENSHOTS:-}" ]; then
    mkdir -p "$SCREENSHOTS"
    SCREENSHOTS=$(realpath "$SCREENSHOTS")
    export SCREENSHOTS
fi

cd tests/browser
[ -d node_modules ] || npm ci --no-audit --no-fund
npm run --silent types
npm test --silent
