#!/usr/bin/env bash
# fuzz.sh [-s SECONDS] [-n EXECUTIONS] [-r ROUNDS] [-l LOG] [TARGET ...]: gives each fuzz target (all by default) a turn of so many
# seconds (60) or executions (no bound), so many times over (1), and prints what it took: executions, executions a second, processor
# seconds, findings. The inputs that it learns from are the tests' where they exist, and what earlier turns kept in `fuzz/corpus`; an
# input that fails is kept in `fuzz/artifacts`. Turns are appended to LOG (target/fuzz-turns.tsv): the table is of all turns there.
# `containers:EXT,EXT` is the target `containers` with a turn of its own for these files of tests/audio. `fuzz.sh -t` prints the table only.
# Needs cargo-fuzz and a nightly toolchain. Arithmetic that overflows and assertions that fail are findings, as bad memory is.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60 executions=-1 rounds=1 log=target/fuzz-turns.tsv table_only=
while getopts s:n:r:l:t option; do
    case $option in
    s) seconds=$OPTARG ;;
    n) executions=$OPTARG ;;
    r) rounds=$OPTARG ;;
    l) log=$OPTARG ;;
    t) table_only=yes ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
built=target/fuzz-run

# The readers of what callers send come first.
formats=(m4a,mp4,mov webm,mka ogg,oga,opus ts aac aiff caf au wav mp2,mp3 flac)
first=(audio containers "${formats[@]/#/containers:}" kaldi_data kaldi_archive kaldi_model kaldi_ivector kaldi_rescoring kaldi_lines kaldi_conf lookahead_fst ngram_fst score_file multipart request stream_message)
order() {
    printf '%s\n' "${first[@]}"
    sed -n 's/^name = "\(.*\)"/\1/p' fuzz/Cargo.toml | grep -vxF -e paretone-fuzz "${first[@]/#/-e}"
}

# The files of this tree that are inputs of a target.
seeds() {
    case $1 in
    containers:*) for kind in $(tr , ' ' <<<"${1#*:}"); do find tests/audio -name "*.$kind" -size -64k; done ;;
    audio) find tests/audio -type f -size -64k && echo tests/golden/mfcc_speech.wav ;;
    arpa) find tests/fixtures -name '*.arpa' ;;
    kaldi_model) find tests/golden/kaldi -name '*.mdl' ;;
    kaldi_ivector) find tests/golden/kaldi -name final.ie -o -name final.dubm ;;
    kaldi_rescoring) find tests/golden/kaldi -name '*.carpa' -o -name G.fst ;;
    kaldi_archive) find tests/golden/kaldi -name '*.ark' ;;
    kaldi_conf) find tests/golden/kaldi -name '*.conf' ;;
    kaldi_lines) find tests/golden/kaldi -name '*.config' ;;
    openfst) find tests/golden/kaldi -name '*.fst' ;;
    ngram_fst) echo tests/golden/kaldi/{Gr,const,vector}.fst | tr ' ' '\n' ;;
    lookahead_fst) echo tests/golden/kaldi/HCLr.fst ;;
    calibration) echo models/en/confidence.json ;;
    lexicon) find tests/fixtures -name '*lexicon*' -type f ;;
    outcomes) find tests/fixtures -name '*.csv' ;;
    rules) echo models/en/rules.toml ;;
    tsv) find tests/fixtures corpora/samples -size -8k \( -name '*.tsv' -o -name '*.txt' -o -name PROMPTS \) ;;
    versions) echo models/en/versions.toml ;;
    esac
}

# One turn: a line of the log.
turn() {
    local target=${1%%:*} kept=fuzz/corpus/${1/:/-} before after report cpu
    mkdir -p "$kept" "fuzz/artifacts/$target"
    seeds "$1" | while read -r seed; do
        # The first byte of that target's inputs says what the others are: a whole file.
        { [ "$target" != containers ] || printf '\377'; cat "$seed"; } >"$kept/seed-$(basename "$seed")"
    done
    before=$(find "fuzz/artifacts/$target" -name 'crash-*' -o -name 'oom-*' -o -name 'timeout-*' | wc -l)
    report=$(mktemp)
    cpu=$({
        TIMEFORMAT='%U %S'
        time "$built/x86_64-unknown-linux-gnu/release/$target" "$kept" -artifact_prefix="fuzz/artifacts/$target/" \
            -max_total_time="$seconds" -runs="$executions" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 >"$report" 2>&1 || true
    } 2>&1 | tail -1)
    after=$(find "fuzz/artifacts/$target" -name 'crash-*' -o -name 'oom-*' -o -name 'timeout-*' | wc -l)
    printf '%s\t%s\t%s\t%s\n' "$1" "$(awk '/number_of_executed_units/ { print $2 }' "$report")" \
        "$(awk '{ print $1 + $2 }' <<<"$cpu")" $((after - before)) >>"$log"
    [ "$after" = "$before" ] || { echo "$target found something:" && tail -40 "$report"; } >&2
    rm "$report"
}

table() {
    printf '%-24s %14s %12s %12s %9s\n' target executions 'a second' 'CPU seconds' findings
    awk -F '\t' '
        function line(name, runs, cpu, found) { printf "%-24s %14d %12.0f %12.0f %9d\n", name, runs, cpu ? runs / cpu : 0, cpu, found }
        { if (!($1 in runs)) order[++n] = $1; runs[$1] += $2; cpu[$1] += $3; found[$1] += $4; all += $2; took += $3; sum += $4 }
        END { for (i = 1; i <= n; i++) line(order[i], runs[order[i]], cpu[order[i]], found[order[i]]); line("all", all, took, sum) }' "$log"
}

if [ -z "$table_only" ]; then
    mkdir -p target
    targets=("$@")
    mapfile -t binaries < <(printf '%s\n' "${targets[@]%%:*}" | sort -u)
    # An empty name builds all.
    for binary in "${binaries[@]}"; do (cd fuzz && cargo +nightly fuzz build --fuzz-dir . --target-dir "../$built" $binary >&2); done
    [ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(order)
    for ((round = 0; round < rounds; round++)); do
        for target in "${targets[@]}"; do turn "$target"; done
    done
fi
table
