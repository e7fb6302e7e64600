#!/usr/bin/env bash
# Other people's clients against `paretone serve`, each of a server of its own on loopback: OpenAI's, vosk-server's, what streams
# promise, nginx before two services, the linters of contrib/, and schemathesis over the described interface. Ends at the first failure.
# Needs target/release/paretone (or $PARETONE), Python 3 with venv and PyPI, and for its part nginx and curl. Two minutes at most.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/service/start.sh
export PARETONE=$program
here=scripts/service samples=corpora/samples
need_python

serve service
address=$(cat "$scratch/service")

"$PYTHON" $here/openai_client.py "http://$address" $samples/river.wav river
"$PYTHON" $here/vosk_client.py "ws://$address/v1/stream" $samples/river.wav river
"$PYTHON" $here/stream_check.py "$address" $samples/river.wav $samples/night.wav >"$scratch/stream" || { cat "$scratch/stream"; exit 1; }
echo "streams: $(grep -c '^ok' "$scratch/stream") checks"
if command -v nginx >/dev/null; then $here/nginx_e2e.sh; else echo "no nginx: left out"; fi
$here/contrib.sh
$here/schemathesis.sh >"$scratch/schemathesis" 2>&1 || { cut -c1-300 "$scratch/schemathesis"; exit 1; }
echo "schemathesis: $(grep -o '[0-9]* generated, .*' "$scratch/schemathesis")"

kill -TERM "${pids[0]}"
wait "${pids[0]}"
echo "all clients are content, and the service ended as it should"
