#!/bin/sh
# The client against the local system: starts one of its own, with data that is thrown away, and stops it again.
set -eu
cd "$(dirname "$0")"
port=4140 # the tests of the system have others
log=$(mktemp)
data=$(mktemp -d)
system=

stop() {
    # As Ctrl-C does, so that it ends its functions too; by force where that takes too long.
    if [ -n "$system" ] && kill -INT "$system" 2>/dev/null; then
        left=20
        while [ "$left" -gt 0 ] && kill -0 "$system" 2>/dev/null; do
            left=$((left - 1))
            sleep 1
        done
        kill -KILL "$system" 2>/dev/null || true
        wait "$system" 2>/dev/null || true
    fi
    rm -rf "$data" "$log"
}
trap stop EXIT
# A shell that a signal ends would leave the system running.
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# What `cargo test --workspace` has built. `cargo run` would choose other features and build the dependencies again.
root=$(cd ../.. && pwd)
(cd "$root" && cargo build -q --workspace --bins --locked)
"${CARGO_TARGET_DIR:-$root/target}/debug/qutab-local" --port "$port" --data "$data" > "$log" 2>&1 &
system=$!

# Its own word and not an answer on the port, which could be somebody else's.
tries=0
until grep -q '^Qutab runs' "$log"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 300 ] || ! kill -0 "$system" 2>/dev/null; then
        cat "$log" >&2
        exit 1
    fi
    sleep 1
done
export QUTAB_API="http://localhost:$port"
npm run -s test:live
npm run -s example
