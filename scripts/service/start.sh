# Read by the scripts beside it, in the repository's root: a scratch folder, services on loopback, Python with the clients; all of
# it goes when the script ends.
program=${PARETONE:-target/release/paretone}
scratch=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$scratch"
}
trap finish EXIT
fail() { echo "failed: $*" >&2; exit 1; }

# serve NAME [FLAG ...]: starts a service on a free port; where it listens (127.0.0.1:PORT) goes to the file $scratch/NAME.
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
    sed -n 's|^listening on http://||p' "$scratch/$name.out" >"$scratch/$name"
    [ -s "$scratch/$name" ] || fail "$name did not start: $(cat "$scratch/$name.log")"
}

# Makes a virtual environment of scripts/service/requirements.txt, unless $PYTHON is one.
need_python() {
    [ -z "${PYTHON:-}" ] || return 0
    python3 -m venv "$scratch/venv"
    export PYTHON=$scratch/venv/bin/python
    "$PYTHON" -m pip install -q -r scripts/service/requirements.txt
}
