#!/bin/sh
# An emulator of Telegram's Bot API for tests: npm telegram-test-api, installed below DIR when it is not there.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 DIR PORT" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
[ -d "$1/node_modules/telegram-test-api" ] || npm install --prefix "$1" --no-save --no-audit --no-fund --silent telegram-test-api@4.2.1 >&2
exec node "$here/telegram.js" "$1" "$2"
