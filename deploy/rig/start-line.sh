#!/bin/sh
# LINE's own SDK as a counterpart, npm @line/bot-sdk, installed below DIR when it is not there: see line.mjs.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DIR < QUESTION.json" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
[ -d "$1/node_modules/@line/bot-sdk" ] || npm install --prefix "$1" --no-save --no-audit --no-fund --silent @line/bot-sdk@11.0.0 >&2
exec node "$here/line.mjs" "$1"
