#!/usr/bin/env bash
# The web page in a real browser: types of its scripts, then tests/browser in Chromium against two services on loopback,
# one of which asks for a token. SCREENSHOTS=FOLDER keeps pictures of the page, light and dark, wide and narrow.
# Needs node 20 or later, npm, Debian's chromium (or $CHROMIUM) and target/release/paretone (or $PARETONE); takes a minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/service/start.sh

TOKEN='a token/with=signs'
export TOKEN
serve open
serve guarded --token "$TOKEN"
OPEN_SERVICE=http://$(cat "$scratch/open") GUARDED_SERVICE=http://$(cat "$scratch/guarded")
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
