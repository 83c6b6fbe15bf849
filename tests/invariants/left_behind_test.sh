#!/usr/bin/env bash
# Invariant 5 for the files outside the vault: a service account's key and the archive identity. `member add`
# is killed at every write that it makes, one after the other, and run again; `init` at its first, when the
# identity's file is there and empty.
source "$(dirname "$0")/common.sh"

make_vault
cp -a "$SEALBOOK_VAULT" "$work/base"
add() { as owner member add robot --role importer --key-file-out "$work/robot.key.out"; }
preload() { LD_PRELOAD=$FAULT_LIBRARY "$@"; }

FAULT_COUNT=$work/calls preload expect 0 add
calls=$(cat "$work/calls")
[ "$calls" -ge 10 ] || fail "only $calls writes were counted"
empty=0
for ((call = 1; call <= calls; ++call)); do
  rm -rf "$SEALBOOK_VAULT" "$XDG_STATE_HOME" "$work/robot.key.out"
  cp -a "$work/base" "$SEALBOOK_VAULT"
  FAULT_AT=kill:$call preload expect 137 add
  [ ! -e "$work/robot.key.out" ] || [ -s "$work/robot.key.out" ] || empty=$((empty + 1))
  status=0
  add >"$work/again" 2>&1 || status=$?
  # 2 where the member was there already.
  [ $status -eq 0 ] || { [ $status -eq 2 ] && grep -q "member of this name" "$work/again"; } ||
    fail "killed at write $call, run again: exit $status, $(cat "$work/again")"
  expect 0 "$SEALBOOK" --key-file "$work/robot.key.out" member list </dev/null
  expect 0 as owner doctor
done
[ $empty -gt 0 ] || fail "no kill came between making the key file and writing it"
pass "member add, killed at each of $calls writes ($empty left an empty key file)"

SEALBOOK_VAULT=$work/other
passphrase first
init() { "$SEALBOOK" --passphrase-file "$work/first.passphrase" init --owner first --archive-identity-out "$work/identity.txt" </dev/null; }
FAULT_AT=kill:1 preload expect 137 init
[ -e "$work/identity.txt" ] && [ ! -s "$work/identity.txt" ] || fail "the identity's file is not there and empty"
expect 0 init
recipient=$(sed -n 's/^# public key: //p' "$work/identity.txt")
expect 0 as first policy show
[ -n "$recipient" ] && grep -qF "\"$recipient\"" "$work/expect.out" || fail "the archives go to another identity"
pass "init, killed before it wrote the archive identity"
