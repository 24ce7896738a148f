#!/bin/sh
# Slack's own SDK as a counterpart, npm @slack/web-api, installed below DIR when it is not there: see slack.mjs.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DIR < QUESTION.json" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
[ -d "$1/node_modules/@slack/web-api" ] || npm install --prefix "$1" --no-save --no-audit --no-fund --silent @slack/web-api@8.2.0 >&2
exec node "$here/slack.mjs" "$1"
