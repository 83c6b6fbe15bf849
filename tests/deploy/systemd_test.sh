#!/usr/bin/env bash
# deploy/sealbook-retention.service and .timer, run by a systemd of the test's own: a system manager, with its journal,
# as the first process of its own namespaces. Nothing else is started in it.
source "$(dirname "$0")/../invariants/common.sh"
[ -x /lib/systemd/systemd ] || skip "systemd is not here"
source "$(dirname "$0")/common.sh"

# A cgroup of its own, which systemd is the master of.
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$cgroups" ] || skip "there is no cgroup2 here"
cgroup=$cgroups$(sed -n 's/^0:://p' /proc/self/cgroup)/sealbook-test-$$
mkdir "$cgroup" 2>/dev/null || skip "no cgroup can be made here"
inside='' manager=''
clean_up() {
  status=$?
  [ -z "$inside" ] || kill -KILL "$inside" 2>/dev/null || true
  [ -z "$manager" ] || wait "$manager" 2>/dev/null || true
  remove_sftp
  for _ in $(seq 50); do
    find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [ -d "$cgroup" ] || break
    sleep 0.1
  done
  if [ $status -eq 0 ] || [ $status -eq 77 ]; then rm -rf "$work"; else echo "see $work" >&2; fi
}
trap clean_up EXIT

# What systemd says of the files alone, before they run.
mkdir "$work/units"
cp "$repository"/deploy/sealbook-retention.{service,timer} "$work/units"
sed -i "s#/usr/local/bin/sealbook#$SEALBOOK#" "$work/units/sealbook-retention.service"
systemd-analyze verify --man=no "$work"/units/* >"$work/verify" 2>&1 || fail "systemd-analyze verify: $(cat "$work/verify")"
! grep -F sealbook-retention "$work/verify" || fail "systemd-analyze verify: $(cat "$work/verify")"
exposure=$(systemd-analyze security --no-pager --offline=true --threshold=25 "$work/units/sealbook-retention.service" 2>&1 | tail -n 1) ||
  fail "the service is not hardened: $exposure"
pass "systemd-analyze finds no fault: ${exposure#→ }"

start_sftp || skip "$sftp_missing"
make_job "$sftp_url"

boot() {
  furnish
  mount -t tmpfs tmpfs /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mount -t proc proc /proc
  mkdir -p /var/lib/systemd/timers
  chown root:root /etc/sealbook/*; chmod 0600 /etc/sealbook/*
  rm -rf /etc/systemd/system /etc/systemd/journald.conf.d
  printf '[Journal]\nStorage=volatile\nReadKMsg=no\n' >/etc/systemd/journald.conf
  mkdir /etc/systemd/system
  install -m 0644 "$repository"/deploy/sealbook-retention.{service,timer} /etc/systemd/system/
  # What every unit hangs on, without what this machine hangs on it.
  mkdir /run/units
  for target in sysinit basic timers shutdown network-online time-sync test; do
    printf '[Unit]\nDefaultDependencies=no\n' >/run/units/$target.target
  done
  ln -s /lib/systemd/system/systemd-journald.{service,socket} /lib/systemd/system/systemd-journald-dev-log.socket /run/units/
  exec env -i container=sealbook-test PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units \
    SYSTEMD_GENERATOR_PATH=/nonexistent /lib/systemd/systemd --system --unit=test.target --log-target=console --show-status=no
}
export work SEALBOOK SEALBOOK_VAULT repository sftp_key sftp_known_hosts
export -f boot furnish
(
  echo "$BASHPID" >"$cgroup/cgroup.procs"
  exec unshare --mount --pid --fork --cgroup --uts --ipc bash -euo pipefail -c boot
) >"$work/systemd.log" 2>&1 </dev/null &
manager=$!
for _ in $(seq 300); do
  inside=$(pgrep -P "$manager" || true)
  [ -z "$inside" ] || ! enter systemctl is-active -q test.target 2>/dev/null || break
  kill -0 "$manager" 2>/dev/null || break
  sleep 0.1
done
# Where systemd cannot be the first of its namespaces, that is no fault of the unit's.
[ -n "$inside" ] && enter systemctl is-active -q test.target 2>/dev/null || skip "no systemd runs here: $(tail -n 3 "$work/systemd.log")"
enter systemctl start systemd-journald.service || skip "no journal runs here"

service=sealbook-retention.service
property() { enter systemctl show -P "$1" $service; }
said() { enter journalctl -q -o cat -u $service -t sealbook; }
drop_in() {  # NAME: lines on standard input
  enter mkdir -p /etc/systemd/system/$service.d
  enter tee "/etc/systemd/system/$service.d/$1.conf" >/dev/null
  enter systemctl daemon-reload
}

# --- It does its work, and says so in one line. ---
enter systemctl start $service || fail "the service failed: $(said)"
[ "$(property ExecMainStatus)" = 0 ] || fail "exit $(property ExecMainStatus): $(said)"
[ "$(said | wc -l)" = 1 ] || fail "not one line in the journal: $(said)"
said | grep -qx 'sealbook retention: state=done archived=40 purged=40 .* exit=0' || fail "the journal's line: $(said)"
[ "$(archives_there)" -ge 1 ] || fail "no archive is at the server"
[ "$(metric success)" = 1 ] && [ "$(metric purged_messages)" = 40 ] || fail "metrics: $(cat "$work"/lib/sealbook/metrics/*)"
[ "$(stat -c '%U %a' "$work"/lib/sealbook/metrics/*.prom | cut -d' ' -f2)" = 644 ] || fail "the collector cannot read the metrics"
expect 0 as owner doctor
pass "the service: $(said)"

# --- The timer makes up for a night that was missed. ---
enter mkdir -p /etc/systemd/system/sealbook-retention.timer.d
printf '[Timer]\nRandomizedDelaySec=0\n' | enter tee /etc/systemd/system/sealbook-retention.timer.d/now.conf >/dev/null
enter systemctl daemon-reload
enter touch -d '3 days ago' /var/lib/systemd/timers/stamp-sealbook-retention.timer
enter systemctl start sealbook-retention.timer
for _ in $(seq 200); do
  [ "$(said | wc -l)" -lt 2 ] || break
  sleep 0.1
done
said | tail -n 1 | grep -q 'state=idle .* exit=0' || fail "the timer did not start the service: $(said)"
next=$(enter systemctl show -P NextElapseUSecRealtime sealbook-retention.timer)
[[ $next == *" 02:30:00 "* ]] || fail "the timer's next time is $next"
pass "the timer, after a night without it; next: $next"

# --- The server is away: tried again later, and the metrics keep the last success. ---
success=$(metric last_success_timestamp_seconds)
stop_sftp
expired_chats 41 10 >"$work/more.jsonl"
expect 0 as owner chat import "$work/more.jsonl" --book seoul
! enter systemctl start $service 2>/dev/null || fail "without a server the service ended well"
[ "$(property ExecMainStatus)" = 9 ] || fail "without a server: exit $(property ExecMainStatus)"
[ "$(property SubState)" = auto-restart ] || fail "without a server: $(property SubState)"
[ "$(metric success)" = 0 ] && [ "$(metric last_success_timestamp_seconds)" = "$success" ] || fail "metrics: $(cat "$work"/lib/sealbook/metrics/*)"
said | grep -q 'state=failed .* exit=9' || fail "the journal does not say it: $(said)"
enter systemctl stop $service 2>/dev/null
resume_sftp || fail "the server does not come back"
enter systemctl start $service || fail "with the server back: $(said)"
said | tail -n 1 | grep -q 'state=done archived=10 purged=10' || fail "with the server back: $(said)"
pass "a server that is away, and back"

# --- What other exit codes mean to systemd. ---
for code in 2:exit-code:failed 7:exit-code:failed 8:success:dead 130:success:dead; do
  IFS=: read -r exit result state <<<"$code"
  printf '[Service]\nExecStart=\nExecStart=/bin/sh -c "exit %s"\n' "$exit" | drop_in probe
  enter systemctl reset-failed $service 2>/dev/null || true
  enter systemctl start $service 2>/dev/null || true
  [ "$(property Result):$(property SubState)" = "$result:$state" ] || fail "exit $exit: $(property Result):$(property SubState)"
done
pass "exit codes: 8 and 130 are no failure, 2 and 7 wait for somebody to look"

# --- What a stranger in its place could do. ---
cat >"$work/bin/stranger" <<'END'
#!/bin/sh
can() { if eval "$2" >/dev/null 2>&1; then echo "can: $1"; else echo "cannot: $1"; fi; }
can 'write its folder' 'touch /var/lib/sealbook/state/probe'
can 'read its key' 'test -s "$SEALBOOK_KEY_FILE"'
can 'change its key' 'echo x >>"$SEALBOOK_KEY_FILE"'
can 'read the keys on the disk' 'cat /etc/sealbook/cron.key'
can 'write elsewhere' 'touch /etc/probe || touch /usr/probe || touch /var/probe || touch /var/lib/probe || touch /srv/probe'
can 'see homes' 'ls /root/* || ls /home/* || ls /root/.profile'
can 'see the temporary files of others' "test -e '$SEEN'"
can 'see other processes' 'test -e /proc/1/cmdline'
can 'see devices' 'test -e /dev/vda || test -e /dev/sda || test -e /dev/kmsg'
can 'make a program of another user' 'cp /bin/true /var/lib/sealbook/state/suid && chmod 4755 /var/lib/sealbook/state/suid'
can 'open raw sockets' '/usr/bin/python3 -c "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"'
can 'talk to the kernel' '/usr/bin/python3 -c "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"'
can 'make writable memory executable' '/usr/bin/python3 -c "import mmap; mmap.mmap(-1, 4096, prot=7)"'
can 'make namespaces' 'unshare --user true'
can 'leave an image of its memory' 'test "$(ulimit -Hc)" != 0'
sed -n 's/^\(NoNewPrivs\|Seccomp\|CapBnd\|CapEff\):\t/\1 /p' /proc/self/status
id -un
END
chmod 0755 "$work/bin/stranger"
seen=$(mktemp /tmp/sealbook-seen.XXXXXX)
printf '[Service]\nEnvironment=SEEN=%s\nExecStart=\nExecStart=/usr/local/bin/stranger\nStandardOutput=file:/var/lib/sealbook/state/stranger\n' "$seen" | drop_in probe
enter systemctl reset-failed $service 2>/dev/null || true
enter systemctl start $service || fail "the probe failed: $(enter journalctl -q -o cat -u $service | tail -n 3)"
# The same without the service's walls: what is looked for can be done.
enter env SEEN="$seen" SEALBOOK_KEY_FILE=/etc/sealbook/cron.key /usr/local/bin/stranger >"$work/free" 2>&1
for what in 'write its folder' 'read its key' 'change its key' 'read the keys on the disk' 'write elsewhere' 'see the temporary files of others' \
  'see other processes' 'make a program of another user' 'open raw sockets' 'talk to the kernel' 'make writable memory executable'; do
  grep -qx "can: $what" "$work/free" || fail "control: $(grep "$what" "$work/free")"
done
rm -f "$seen"
sort >"$work/wanted" <<'END'
can: write its folder
can: read its key
cannot: change its key
cannot: read the keys on the disk
cannot: write elsewhere
cannot: see homes
cannot: see the temporary files of others
cannot: see other processes
cannot: see devices
cannot: make a program of another user
cannot: open raw sockets
cannot: talk to the kernel
cannot: make writable memory executable
cannot: make namespaces
cannot: leave an image of its memory
NoNewPrivs 1
Seccomp 2
CapBnd 0000000000000000
CapEff 0000000000000000
sealbook
END
sort "$work/lib/sealbook/state/stranger" | diff "$work/wanted" - || fail "the sandbox is another one"
pass "a stranger in its place: one folder, its key, the network, and nothing else"

# --- Without the credentials of SFTP, for archives in a folder. ---
printf '[Service]\nExecStart=\nExecStart=/bin/sh -c "cat $SEALBOOK_SFTP_KEY"\n' | drop_in probe
enter rm /etc/sealbook/sftp.key /etc/sealbook/known_hosts
enter systemctl start $service || fail "without the files of SFTP the service does not start"
pass "archives in a folder need no files of SFTP"
