#!/bin/sh
# Dovecot for tests: IMAP and LMTP on 127.0.0.1, state under a directory of its own.
set -eu
[ $# -eq 3 ] || { echo "usage: $0 DIR IMAP_PORT LMTP_PORT" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
user=weftline-rig
id "$user" >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin "$user"
mkdir -p "$dir/run" "$dir/mail"
chown -R "$user:$user" "$dir/mail"
chmod 755 "$dir" "$dir/run"
[ -e "$dir/users" ] || printf '%s:{PLAIN}secret::::::\n' alice bob >"$dir/users"

# LMTP hands over whole addresses: %Ln keeps their local part. The login and
# anvil services cannot find their chroot when base_dir is moved, so it is off.
cat >"$dir/dovecot.conf" <<CONF
base_dir = $dir/run
state_dir = $dir/run
log_path = $dir/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_username_format = %Ln
default_internal_user = $user
default_internal_group = $user
default_login_user = $user
first_valid_uid = 1
mail_location = maildir:$dir/mail/%n
mailbox_idle_check_interval = 1 secs
passdb {
  driver = passwd-file
  args = scheme=PLAIN $dir/users
}
userdb {
  driver = static
  args = uid=$user gid=$user home=$dir/mail/%n
}
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = $2
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = $3
  }
}
CONF
exec dovecot -F -c "$dir/dovecot.conf"
