#!/bin/sh
# Kannel for tests, an SMPP client of an SMSC: it sends what is asked for by HTTP
# and posts what it receives to a hook. State and logs under DIR.
set -eu
[ $# -eq 6 ] || { echo "usage: $0 DIR ADMIN_PORT BOX_PORT SENDSMS_PORT SMSC_PORT HOOK" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
cat >kannel.conf <<CONF
group = core
admin-port = $2
admin-interface = 127.0.0.1
admin-password = bar
smsbox-port = $3
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
log-file = "$PWD/bearerbox.log"
log-level = 1
dlr-storage = internal
sms-combine-concatenated-mo = true

group = smsc
smsc = smpp
smsc-id = rig
host = 127.0.0.1
port = $5
transceiver-mode = true
system-type = ""
address-range = ""
smsc-username = "kannel"
smsc-password = "bar"
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = $4
sendsms-interface = 127.0.0.1
log-file = "$PWD/smsbox.log"
log-level = 1

group = sendsms-user
username = hub
password = hubpw
max-messages = 10
concatenation = true

group = sms-service
keyword = default
accept-x-kannel-headers = true
max-messages = 0
catch-all = true
get-url = "$6?from=%p&to=%P&text=%b&coding=%c&charset=%C"
CONF
bearerbox kannel.conf &
box=$!
trap 'kill $box 2>/dev/null || true' EXIT
trap 'exit 0' TERM INT
for _ in 1 2 3 4 5 6 7 8 9 10; do
  grep -q "MAIN: Start-up done" bearerbox.log 2>/dev/null && break
  sleep 0.5
done
smsbox kannel.conf &
wait $!
