#!/usr/bin/env bash
# Invariant 9, of the real command: core dumps are off and nobody may look into its memory while it waits for
# a passphrase and while it works; what unlocks stands in no argument and in no variable.
source "$(dirname "$0")/common.sh"

make_vault
add_service robot importer

# Everything here runs as for a user without privileges, for whom PR_SET_DUMPABLE counts.
unprivileged=()
if [ "$(id -u)" -eq 0 ]; then
  command -v setpriv >/dev/null || skip "setpriv is not installed"
  unprivileged=(setpriv --bounding-set -all --inh-caps -all)
fi
may_look_into() { "${unprivileged[@]}" cat "/proc/$1/environ" >/dev/null 2>&1; }

"${unprivileged[@]}" sleep 60 >/dev/null 2>&1 &
other=$!
looked=0
for _ in $(seq 100); do
  ! may_look_into $other || { looked=1; break; }
  sleep 0.05
done
kill $other
[ $looked -eq 1 ] || fail "control: not even another process of this user can be looked into"

check() {  # PID WHAT
  local pid=$1
  grep -q '^Max core file size  *0  *0 ' "/proc/$pid/limits" || fail "$2: core dumps: $(grep core "/proc/$pid/limits")"
  ! may_look_into "$pid" || fail "$2: its memory can be looked into"
  ! "${unprivileged[@]}" head -c 1 "/proc/$pid/mem" 2>/dev/null || fail "$2: its memory can be read"
}
secrets() {
  cat "$work/owner.passphrase"
  cut -d ' ' -f 3 "$work/robot.key"
  "$TEST_PROGRAMS/database_key" "$SEALBOOK_VAULT" owner "$work/owner.passphrase"
}
secrets >"$work/secrets"
[ "$(wc -l <"$work/secrets")" -eq 3 ] || fail "three secrets were to be looked for"
no_secret_beside() {  # PID WHAT: arguments and variables, which every process of this user can read
  cat "/proc/$1/cmdline" >"$work/cmdline"
  cat "/proc/$1/environ" >"$work/environ" || fail "$2: its variables cannot be read"
  [ -s "$work/cmdline" ] && [ -s "$work/environ" ] || fail "$2: nothing was read"
  "$TEST_PROGRAMS/find_markers" "$work/secrets" "$work/cmdline" "$work/environ" || fail "$2: a secret stands in its arguments or variables"
}
# sealbook is there and has got as far as opening FIFO.
wait_for() {  # PID
  for _ in $(seq 200); do
    ! grep -q '^Max core file size  *0  *0 ' "/proc/$1/limits" 2>/dev/null || return 0
    sleep 0.05
  done
  true
}

ulimit -c "$(ulimit -H -c)"
mkfifo "$work/asks" "$work/list"
"${unprivileged[@]}" "$SEALBOOK" --as owner --passphrase-file "$work/asks" member list >"$work/output" 2>&1 </dev/null &
pid=$!
wait_for $pid
check $pid "waiting for a passphrase"
no_secret_beside $pid "waiting for a passphrase"
cat "$work/owner.passphrase" >"$work/asks"
wait $pid || fail "the passphrase did not unlock: $(cat "$work/output")"

# At work: unlocked, and waiting for the rest of a list.
"${unprivileged[@]}" "$SEALBOOK" --key-file "$work/robot.key" import "$work/list" --format csv --encoding utf-8 --delimiter , >"$work/output" 2>&1 </dev/null &
pid=$!
exec 3>"$work/list"
printf 'name,phone\nAda,010-2000-0001\n' >&3
for _ in $(seq 200); do
  [ ! -e "$SEALBOOK_VAULT/vault.db-wal" ] || break
  sleep 0.05
done
[ -e "$SEALBOOK_VAULT/vault.db-wal" ] || fail "the import did not begin: $(cat "$work/output")"
check $pid "at work"
no_secret_beside $pid "at work"
exec 3>&-
wait $pid || fail "the import: $(cat "$work/output")"
pass "core dumps are off, memory is closed, and no secret stands in arguments or variables"

# There is no way to give a secret as an argument or in a variable.
secret=$(cat "$work/owner.passphrase")
expect 2 "$SEALBOOK" --as owner --passphrase "$secret" member list </dev/null
expect 2 "$SEALBOOK" --as owner member list --passphrase "$secret" </dev/null
expect 2 env SEALBOOK_PASSPHRASE="$secret" setsid "$SEALBOOK" --as owner member list </dev/null
chmod 644 "$work/owner.passphrase"
expect 2 as owner member list
chmod 600 "$work/owner.passphrase"
expect 0 as owner member list
pass "a secret is taken from a file that others cannot read, and from nowhere else"
