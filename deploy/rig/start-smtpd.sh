#!/bin/sh
# OpenSMTPD for tests: in for rig.test to LMTP, out for everybody else to a sink.
set -eu
[ $# -eq 4 ] || { echo "usage: $0 DIR SMTP_PORT LMTP_PORT SINK_PORT" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
id weftline-rig >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin weftline-rig
grey=
[ -z "${RIG_GREYLIST:-}" ] || grey='filter "grey"'
cat >"$dir/smtpd.conf" <<CONF
filter "grey" phase rcpt-to match src { "127.0.0.1" } reject "451 4.7.1 greylisted, come back later"
listen on 127.0.0.1 port $2 hostname "mx.rig.test" $grey
action "in" lmtp "127.0.0.1:$3" rcpt-to virtual { "@" = weftline-rig }
action "out" relay host "smtp://127.0.0.1:$4" helo "mx.rig.test"
match from any for domain "rig.test" action "in"
match from any for any action "out"
CONF
exec smtpd -d -f "$dir/smtpd.conf"
