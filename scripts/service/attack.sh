#!/usr/bin/env bash
# Attacks on `paretone serve` by other people's tools and a few small scripts, all on loopback, and a table of what came of them.
# --short: fewer of each, as continuous integration runs them. Ends with 1 where the service did not withstand one.
# Needs target/release/paretone (or $PARETONE), Python 3, curl; slowhttptest and wrk (Debian's) for their rows; root for the full disk.
set -uo pipefail
cd "$(dirname "$0")/../.."
source scripts/service/start.sh
attack=scripts/service/attack.py recording=corpora/samples/river.wav
many=60 wide=1000 seconds=20 jobs=200
[ "${1:-}" = --short ] && many=12 wide=200 seconds=5 jobs=30
lost=0

row() { # NAME VERDICT TEXT
    [ "$2" = held ] || { [ "$2" = "left out" ] || lost=1; }
    printf '| %-34s | %-8s | %s\n' "$1" "$2" "$3"
}
try() { # NAME COMMAND...: its last line, and its exit code as the verdict
    local name=$1 text verdict=held
    shift
    text=$("$@" 2>&1) || verdict=LOST
    row "$name" "$verdict" "$(tail -1 <<<"$text")"
}
compute() { curl -s -o /dev/null -m 30 -w '%{http_code}' --data-binary @$recording "http://$1/compute"; }
# ends PID: SIGTERM ends it with 0
ends() { kill -TERM "$1" && wait "$1"; }

# log NAME FILE: 2,000 requests with the log going there, then SIGTERM.
log_to() {
    local name=$1 out=$scratch/log.out answered pid
    "$program" serve --listen 127.0.0.1:0 >"$out" 2>"$2" &
    pid=$!
    pids+=("$pid")
    for _ in $(seq 300); do grep -q '^listening' "$out" && break; sleep 0.1; done
    local address=$(sed -n 's|^listening on http://||p' "$out")
    [ "$name" = "1 log's reader is dead" ] && kill "$reader"
    answered=$(for _ in $(seq 2000); do echo "url=http://$address/healthz"; done |
        curl -s -o /dev/null -w '%{http_code}\n' -K - 2>/dev/null | grep -c 200)
    local words=$(compute "$address") lines=$(curl -s "http://$address/metrics" | sed -n 's/^paretone_log_lines_lost_total //p')
    local end=0
    ends "$pid" || end=$?
    local verdict=held
    [ "$answered" -ge 2000 ] && [ "$words" = 200 ] && [ "$end" = 0 ] || verdict=LOST
    row "$name" "$verdict" "$answered of 2000 answered, compute $words, $lines lines lost, SIGTERM ends it with $end"
}

printf '| %-34s | %-8s | %s\n|---|---|---\n' "attack" "verdict" "what came of it"
if [ "$(id -u)" = 0 ] && mkdir "$scratch/disk" && mount -t tmpfs -o size=64k tmpfs "$scratch/disk" 2>/dev/null; then
    log_to "1 log on a full disk" "$scratch/disk/log"
    umount "$scratch/disk"
else
    log_to "1 log on a full device" /dev/full
fi
mkfifo "$scratch/dead" "$scratch/stalled"
sleep 600 <"$scratch/dead" & reader=$!
log_to "1 log's reader is dead" "$scratch/dead"
sleep 600 <"$scratch/stalled" & pids+=($!)
log_to "2 log's reader sleeps" "$scratch/stalled"

serve service --max-client-streams 64
address=$(cat "$scratch/service")
memory() { echo $(($(curl -s "http://$address/metrics" | sed -n 's/^process_resident_memory_bytes //p' | cut -d. -f1) >> 20)); }
# Before the attacks, and after every worker has searched the longest segment there is, whose memory it keeps for the next.
python3 -c 'import sys, wave
with wave.open(sys.argv[1]) as short, wave.open(sys.argv[2], "wb") as long:
    long.setparams(short.getparams())
    long.writeframes(short.readframes(short.getnframes()) * 20)' $recording "$scratch/long.wav"
seq 8 | xargs -P 4 -I{} curl -s -o /dev/null -m 60 --data-binary "@$scratch/long.wav" "http://$address/compute"
sleep 12
memory_before=$(memory)
try "3 silent streams" python3 $attack silent_streams "$address" "$wide"
try "4 heads of 30 MB in forms" python3 $attack part_heads "$address" "$many"
try "4 messages that do not end" python3 $attack endless_messages "$address" "$many"
try "7 pages and names from elsewhere" python3 $attack strangers "$address"
try "10 requests over all tiers" python3 $attack spray "$address" "$many"
try "10 streams that flood" python3 $attack floods "$address" $((many * 2 / 3))
try "10 recordings told by events" python3 $attack events "$address" "$many"
try "10 recordings slow to decode" python3 $attack to_decode "$address" $((many / 4))
serve impatient --idle-timeout 2 --max-connections 64
try "8 answers that nobody reads" python3 $attack unread "$(cat "$scratch/impatient")" 30
serve narrow --max-connections 20
try "9 all slots of one address" python3 $attack all_slots "$(cat "$scratch/narrow")" "$wide"

printf '#!/bin/sh\nulimit -n 400\nexec "%s" "$@"\n' "$(realpath "$program")" >"$scratch/with-few-files"
chmod +x "$scratch/with-few-files"
program=$scratch/with-few-files serve few --idle-timeout 600
try "9 more connections than files" python3 $attack all_slots "$(cat "$scratch/few")" "$wide"
cp -r models/en "$scratch/model"
serve cut --model "$scratch/model"
for file in "$scratch"/model/*; do : >"$file"; done
status=$(compute "$(cat "$scratch/cut")")
[ "$status" = 200 ] && verdict=held || verdict=LOST
row "12 model cut short while it serves" $verdict "compute $status"

serve jobs --jobs "$scratch/jobs.sqlite"
worker=${pids[-1]}
text=$(python3 $attack submit_jobs "$(cat "$scratch/jobs")" "$jobs")
kill -KILL "$worker"
wait "$worker" 2>/dev/null
serve jobs --jobs "$scratch/jobs.sqlite"
try "jobs, killed with them queued" python3 $attack await_jobs "$(cat "$scratch/jobs")" "$jobs"

text=$("$program" serve --listen 127.0.0.1:0 --cors-origin nonsense 2>&1)
[ $? = 2 ] && verdict=held || verdict=LOST
row "6 malformed origin" $verdict "$(head -1 <<<"$text")"

if [ "$(id -u)" = 0 ] && mkdir "$scratch/cache" && mount -t tmpfs -o size=1m tmpfs "$scratch/cache" 2>/dev/null; then
    PARETONE_CACHE=$scratch/cache serve cacheless
    status=$(compute "$(cat "$scratch/cacheless")")
    [ "$status" = 200 ] && verdict=held || verdict=LOST
    row "12 cache on a full disk" $verdict "compute $status"
    umount -l "$scratch/cache"
else
    row "12 cache on a full disk" "left out" "needs root"
fi

if command -v slowhttptest >/dev/null; then
    for kind in "slow heads:-H" "slow bodies:-B -s 100000" "slow readers:-X -w 10 -y 20 -n 5 -z 32"; do
        slowhttptest ${kind#*:} -c "$wide" -r 200 -l "$seconds" -u "http://$address/openapi.json" >"$scratch/slow" 2>&1 &
        slow=$!
        sleep 2
        statuses=$(for _ in 1 2 3 4 5; do compute "$address"; echo -n ' '; done)
        wait $slow
        [ "$statuses" = "200 200 200 200 200 " ] && verdict=held || verdict=LOST
        row "slowhttptest, ${kind%%:*}" $verdict "$wide connections, beside them compute $statuses"
    done
else
    row "slowhttptest" "left out" "is not installed"
fi
if command -v wrk >/dev/null; then
    text=$(wrk -t 2 -c 200 -d "$seconds" --latency "http://$address/tiers" 2>&1 | grep -E 'Requests/sec|Socket errors|Non-2xx' | tr -s ' \n' ' ')
    status=$(compute "$address")
    [ "$status" = 200 ] && [[ $text != *Non-2xx* ]] && verdict=held || verdict=LOST
    row "wrk, 200 connections" $verdict "$text, then compute $status"
else
    row "wrk" "left out" "is not installed"
fi

# 14: what is given back once all is over.
sleep 12
memory_after=$(memory)
[ "$memory_after" -le $((memory_before + memory_before / 4)) ] && verdict=held || verdict=LOST
row "14 memory after all of it" $verdict "$memory_before MiB resident before the attacks, $memory_after after"
exit $lost
