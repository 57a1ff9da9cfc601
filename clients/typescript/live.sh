#!/bin/sh
# The client against the local system: starts one of its own, with data that is thrown away, and stops it again.
set -eu
cd "$(dirname "$0")"
data=$(mktemp -d)
(cd ../.. && exec cargo run -q --locked -- --port 4140 --data "$data") > "$data.log" 2>&1 &
system=$!
trap 'kill $system 2>/dev/null || true; wait $system 2>/dev/null || true; rm -rf "$data" "$data.log"' EXIT
export QUTAB_API=http://localhost:4140
tries=0
until node -e 'fetch(process.env.QUTAB_API + "/api/products").then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))'; do
    tries=$((tries + 1))
    if [ "$tries" -ge 300 ] || ! kill -0 $system 2>/dev/null; then cat "$data.log"; exit 1; fi
    sleep 2
done
npm run -s test:live
npm run -s example
