#!/bin/sh
# A community client as a counterpart, npm discord.js, installed below DIR when it is not there: see discord.mjs.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DIR < QUESTION" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
[ -d "$1/node_modules/discord.js" ] || npm install --prefix "$1" --no-save --no-audit --no-fund --silent discord.js@14.28.1 >&2
exec node "$here/discord.mjs" "$1"
