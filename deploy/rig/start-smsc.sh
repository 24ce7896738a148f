#!/bin/sh
# An SMSC for tests: npm smpp, installed below DIR when it is not there.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 DIR PORT" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
[ -d "$1/node_modules/smpp" ] || npm install --prefix "$1" --no-save --no-audit --no-fund --silent smpp@0.5.1 >&2
exec node "$here/smsc.js" "$1" "$2"
