# For the tests of deploy/, after tests/invariants/common.sh: namespaces in which the files of deploy/ are installed as
# deploy/README.md says, on copies of /etc and /var/lib, so that this machine keeps nothing of it. A vault with expired chats
# stands at /var/lib/sealbook/vault there, and archives go to an SFTP server on loopback.
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/sftp_server.sh
source "$repository/scripts/sftp_server.sh"

[ "$(id -u)" -eq 0 ] || skip "namespaces with users of their own need root"
unshare --mount --pid --fork true 2>/dev/null || skip "no namespaces can be made here"

# What goes on in the namespaces: as MEMBER COMMAND… is outside.
enter() { nsenter --target "$inside" --mount --pid --cgroup "$@"; }

expired_chats() {  # FROM COUNT
  seq "$1" $(($1 + $2 - 1)) | awk '{ printf "{\"phone\":\"+82102000%04d\",\"time\":\"2024-03-%02dT10:00:00Z\",\"direction\":\"in\",\"text\":\"message %d\"}\n", $1 % 5, 1 + $1 % 28, $1 }'
}
# A vault whose archives go to $1, for the job's account `cron`; in $work/lib, which is /var/lib inside.
make_job() {  # URL
  mkdir -p -m 0755 "$work/lib/sealbook/metrics"
  chmod 0755 "$work/lib" "$work/lib/sealbook"
  export SEALBOOK_VAULT=$work/lib/sealbook/vault
  sed "s#^destinations = .*#destinations = [\"$1\"]#" "$SEALBOOK_TEST_POLICY" >"$work/policy.toml"
  SEALBOOK_TEST_POLICY=$work/policy.toml make_vault
  expect 0 as owner book add seoul
  add_service cron retention
  expired_chats 1 40 >"$work/chats.jsonl"
  expect 0 as owner chat import "$work/chats.jsonl" --book seoul
}

# Inside, before anything runs: the copies, the program, the user, the keys.
furnish() {
  mount --make-rprivate /
  # A service's own mounts come from here.
  mount --make-rshared /
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/lock /run/etc
  cp -a /etc/. /run/etc
  mount --bind /run/etc /etc
  mkdir -p -m 0755 "$work/bin"
  cp "$SEALBOOK" "$work/bin/sealbook"
  chmod 0755 "$work/bin" "$work/bin/sealbook"
  mount --bind "$work/bin" /usr/local/bin
  mount --bind "$work/lib" /var/lib

  # As deploy/README.md says.
  getent passwd sealbook >/dev/null || useradd --system --home-dir /var/lib/sealbook --shell /usr/sbin/nologin sealbook
  install -d -m 0755 -o sealbook -g sealbook /var/lib/sealbook /var/lib/sealbook/metrics
  install -d -m 0700 -o sealbook -g sealbook /var/lib/sealbook/state
  install -d -m 0750 -g sealbook /etc/sealbook
  chgrp -R sealbook /var/lib/sealbook/vault
  cp "$work/cron.key" /etc/sealbook/cron.key
  cp "$sftp_key" /etc/sealbook/sftp.key
  cp "$sftp_known_hosts" /etc/sealbook/known_hosts
}
metric() { sed -n "s/^sealbook_retention_$1 //p" "$work/lib/sealbook/metrics/sealbook_retention.prom"; }
archives_there() { find "$sftp_folder" -name '*.sba.age' | wc -l; }
