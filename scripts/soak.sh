#!/bin/sh
# The scheduler's soak in full: 10,000 requests in mixed tiers at twice the workers' capacity, then
# how soon real searches stop, on the sample recordings. About two minutes.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --example rig-soak
target/release/examples/rig-soak "${1:-10000}"
[ -f models/en/graph.ngram ] && target/release/examples/rig-soak --model models/en corpora/samples/*.wav
