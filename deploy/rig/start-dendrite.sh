#!/bin/sh
# Dendrite for tests: a Matrix homeserver named rig.test on 127.0.0.1, anybody may register, no federation,
# state under a directory of its own. It is built into .bin/dendrite when it is not there, which takes minutes and a C
# compiler: with SQLite in Go, a request that ends early leaves a transaction open, and its table fails for ever.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 DIR PORT" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
bin=${WEFTLINE_RIG_DENDRITE:-$here/../../.bin/dendrite}
[ -x "$bin/dendrite" ] || {
  mkdir -p "$bin"
  bin=$(cd "$bin" && pwd)
  GOWORK=off CGO_ENABLED=1 GOBIN="$bin" go -C "$here/dendrite" install tool >&2
}
bin=$(cd "$bin" && pwd)
mkdir -p "$1"
cd "$1"
dir=$PWD
[ -f key.pem ] || "$bin/generate-keys" --private-key key.pem >&2
# A database for each of its components: within one file they block each other, and requests fail.
"$bin/generate-config" -dir "$dir" -server rig.test |
  sed -e 's|private_key: matrix_key.pem|private_key: key.pem|' \
    -e 's|disable_federation: false|disable_federation: true|' \
    -e 's|registration_disabled: true|registration_disabled: false|' \
    -e 's|bcrypt_cost: 10|bcrypt_cost: 4|' \
    -e 's|in_memory: false|in_memory: true|' \
    -e '/rate_limiting:/{n;s|enabled: true|enabled: false|;}' >dendrite.yaml
exec "$bin/dendrite" -config dendrite.yaml -http-bind-address "127.0.0.1:$2" -really-enable-open-registration
