#!/usr/bin/env bash
# What /openapi.json says of a service, held against the service (https://schemathesis.readthedocs.io): generated requests,
# valid and not, find no server error, and every answer has a status, a content type, headers and a body that are described.
# Needs target/release/paretone (or $PARETONE); makes a virtual environment unless $PYTHON has schemathesis. Half a minute or less.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/service/start.sh
need_python

# A token, so that /reload is tried too. What is generated seldom is as long as it says: nothing waits for the rest.
serve described --token secret --idle-timeout 2
url=http://$(cat "$scratch/described")

export RECORDING=$PWD/corpora/samples/night.wav SCHEMATHESIS_HOOKS=schemathesis_hooks PYTHONPATH=$PWD/scripts/service
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance
(cd "$scratch" && "$PYTHON" -m schemathesis.cli run "$url/openapi.json" -H "Authorization: Bearer secret" --checks "$checks" \
    --seed 1 --max-examples "${EXAMPLES:-300}" --request-timeout 30 --generation-database none --no-color --warnings off)
kill -0 "${pids[0]}"
echo "answers by path and status:"
curl -sf -H "Authorization: Bearer secret" "$url/metrics" | grep '^paretone_exchanges_total' | sort
