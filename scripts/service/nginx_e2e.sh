#!/usr/bin/env bash
# contrib/nginx.conf end to end: Debian's nginx before two `paretone serve` on loopback, one for each pool. Requests
# reach both by their Tolerance header; one is killed and traffic goes on.
# Needs nginx, curl and target/release/paretone (or $PARETONE); runs as root or not, and takes a few seconds.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/service/start.sh
recording=corpora/samples/river.wav
chmod 755 "$scratch"

serve large --workers 1
serve small --workers 1
large=$(cat "$scratch/large") small=$(cat "$scratch/small")
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# The example with its hosts on loopback; a pool has one host here and the other pool's as backup.
{
    echo "pid $scratch/nginx.pid; error_log $scratch/nginx.log; daemon off; worker_processes 1;"
    echo "events {} http { access_log off;"
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $scratch/$kind;"; done
    sed -e '/server \(large\|small\)-2:/d' -e "s/large-1:8080/$large/; s/small-1:8080/$small/" \
        -e "s/listen 80;/listen 127.0.0.1:$port; add_header Upstream \$upstream_addr always;/" contrib/nginx.conf
    echo "}"
} >"$scratch/nginx.conf"
nginx -p "$scratch" -c "$scratch/nginx.conf" &
pids+=($!)
for _ in $(seq 50); do curl -sf "http://127.0.0.1:$port/readyz" >/dev/null && break; sleep 0.1; done

# Sends a recording at a tolerance ('' for none): the status, then the host that answered last.
ask() {
    local header=()
    [ -z "$1" ] || header=(-H "Tolerance: $1")
    curl -s -o "$scratch/text" -D "$scratch/head" -w '%{http_code} ' --data-binary @$recording "${header[@]}" \
        "http://127.0.0.1:$port/compute"
    sed -n 's/^upstream: \(.*, \)\?\([0-9.:]*\)\r\?$/\2/Ip' "$scratch/head"
}
expect() {
    local got
    got=$(ask "$1")
    [ "$got" = "200 $2" ] || fail "tolerance '$1': got $got, not 200 $2"
    [ -s "$scratch/text" ] || fail "tolerance '$1': no text"
    answered=$((answered + 1))
}
answered=0
for tolerance in '' 0 0.01 0.049 2% 4.9%; do expect "$tolerance" "$large"; done
for tolerance in 0.05 .1 0.5 5% 10%; do expect "$tolerance" "$small"; done
# The page's stream: a browser says where it is from, with the port.
curl -s -o /dev/null -m 2 -D "$scratch/stream" -H "Origin: http://127.0.0.1:$port" -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
    -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' "http://127.0.0.1:$port/v1/stream" || true
grep -q '^HTTP/1.1 101' "$scratch/stream" || fail "the page's stream on port $port: $(head -1 "$scratch/stream")"

[ "$(ask -1 | cut -d' ' -f1)" = 400 ] || fail "a negative tolerance is not turned away"

kill -KILL "${pids[1]}"
for _ in $(seq 5); do expect 0.1 "$large"; done
expect 0 "$large"
echo "nginx: $answered requests answered, 6 of them after one of two services was killed"
