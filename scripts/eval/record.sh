#!/usr/bin/env bash
# Writes the figures that docs/measurements.md quotes, with commit, machine and commands: scripts/eval/record.sh SPEECH OUT
#   SPEECH  folder with manifest.tsv (the splits `dev` and `test`)
#   OUT     folder to write to, for example benches/records/2026-11-24
set -euo pipefail
speech=$1 out=$2
program=${PARETONE:-target/release/paretone}
mkdir -p "$out"
{
    echo "commit   $(git rev-parse --short HEAD)$(git diff --quiet HEAD -- src models || echo ', changed')"
    echo "machine  $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors, $(rustc --version)"
    echo "model    $(sha256sum models/en/acoustic.safetensors | cut -c1-16)"
} >"$out/machine.txt"

bench() { # name, then bench's arguments
    local name=$1
    shift
    echo "paretone bench --manifest SPEECH/manifest.tsv $*" | tee "$out/$name.txt"
    "$program" bench --manifest "$speech/manifest.tsv" "$@" 2>/dev/null >>"$out/$name.txt"
    sed -n '3p' "$out/$name.txt"
}

# Speed and accuracy along the beam, on development speech, one recording at a time.
for beam in 10 13 16; do
    bench "dev-beam-$beam" --split dev --set librispeech-test-clean --jobs 1 --beam "$beam"
done
bench dev-without-rescoring --split dev --set librispeech-test-clean --jobs 2 --no-rescore
# The test sets, by speaker.
for set in librispeech-test-clean ocean-adults voxforge-submissions; do
    bench "test-$set" --split test --set "$set" --jobs 2 --by speaker
done
bench test-librispeech-test-clean-strict --split test --set librispeech-test-clean --jobs 2 --strict
