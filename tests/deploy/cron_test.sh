#!/usr/bin/env bash
# deploy/sealbook-retention.cron, run by Debian's cron: in namespaces of its own, whose /etc/cron.d holds that file alone, and
# one like it with a vault whose server is away. Their time is moved to every minute. Most of the test is waiting for one.
source "$(dirname "$0")/../invariants/common.sh"
[ -x /usr/sbin/cron ] || skip "cron is not here"
source "$(dirname "$0")/common.sh"
inside='' daemon=''
clean_up() {
  status=$?
  [ -z "$inside" ] || kill -KILL "$inside" 2>/dev/null || true
  [ -z "$daemon" ] || wait "$daemon" 2>/dev/null || true
  remove_sftp
  if [ $status -eq 0 ] || [ $status -eq 77 ]; then rm -rf "$work"; else echo "see $work" >&2; fi
}
trap clean_up EXIT

start_sftp || skip "$sftp_missing"
make_job "$sftp_url"
lines=$(grep -vcE '^(#|[A-Z_]+=|$)' "$repository/deploy/sealbook-retention.cron")
[ "$lines" = 1 ] || fail "deploy/sealbook-retention.cron has $lines lines"

start_cron() {
  furnish
  mount -t proc proc /proc
  chown -R sealbook:sealbook /etc/sealbook; chmod 0400 /etc/sealbook/*
  rm -rf /etc/cron.* /var/spool/cron
  : >/etc/crontab
  mkdir -p /etc/cron.d
  install -m 0644 "$repository/deploy/sealbook-retention.cron" /etc/cron.d/sealbook-retention
  sed -i -E 's/^[0-9]+ [0-9]+ \* \* \*/* * * * */' /etc/cron.d/sealbook-retention
  # Another vault, whose archives' server refuses this key.
  cp -a /var/lib/sealbook/vault /var/lib/sealbook/other
  ssh-keygen -q -t ed25519 -N '' -f /etc/sealbook/strange.key
  chown sealbook /etc/sealbook/strange.key
  sed 's#/var/lib/sealbook/vault#/var/lib/sealbook/other#; s#metrics/#metrics/other_#; s#/sftp.key#/strange.key#' \
    /etc/cron.d/sealbook-retention >/etc/cron.d/sealbook-other
  # What would be mailed.
  mkdir "$work/sbin" "$work/mail"
  chmod 0755 "$work/sbin"
  chmod 0777 "$work/mail"
  cp /usr/sbin/cron "$work/sbin/cron"
  printf '#!/bin/sh\ncat >"$(mktemp %s/XXXXXX)"\n' "$work/mail" >"$work/sbin/sendmail"
  chmod 0755 "$work/sbin/sendmail"
  mount --bind "$work/sbin" /usr/sbin
  exec env -i PATH=/usr/bin:/bin /usr/sbin/cron -f
}
chmod 0711 "$work"
export work SEALBOOK SEALBOOK_VAULT repository sftp_key sftp_known_hosts
export -f start_cron furnish
unshare --mount --pid --fork bash -euo pipefail -c start_cron >"$work/cron.log" 2>&1 </dev/null &
daemon=$!
for _ in $(seq 900); do
  inside=${inside:-$(pgrep -P "$daemon" || true)}
  [ ! -e "$work/lib/sealbook/metrics/sealbook_retention.prom" ] || [ ! -e "$work/lib/sealbook/metrics/other_sealbook_retention.prom" ] || break
  kill -0 "$daemon" 2>/dev/null || fail "cron ended: $(cat "$work/cron.log")"
  sleep 0.1
done
# A mail is written after the job.
for _ in $(seq 100); do
  [ -z "$(ls "$work/mail")" ] || break
  sleep 0.1
done
[ "$(metric success)" = 1 ] && [ "$(metric purged_messages)" = 40 ] ||
  fail "the job did not run: $(cat "$work"/lib/sealbook/metrics/*.prom "$work"/mail/* "$work/cron.log" 2>&1)"
[ "$(archives_there)" -ge 1 ] || fail "no archive is at the server"
expect 0 as owner doctor
sleep 1
[ "$(ls "$work/mail" | wc -l)" = 1 ] || fail "mails: $(cat "$work"/mail/*)"
mail=$(echo "$work"/mail/*)
grep -q '/var/lib/sealbook/other' "$mail" && grep -q 'does not take the key' "$mail" || fail "the mail says: $(cat "$mail")"
pass "cron ran the line; no mail came of it, and one of the vault whose server refuses"
sed 's/^/    /' "$mail"
