# For the scripts of this folder: a folder to work in, a vault whose passphrases are cheap, and members.
# ctest gives SEALBOOK, SEALBOOK_TEST_POLICY and TEST_PROGRAMS (a folder).
set -euo pipefail
umask 077
unset SEALBOOK_VAULT SEALBOOK_MEMBER SEALBOOK_PASSPHRASE_FILE SEALBOOK_KEY_FILE

# In the build's folder: /tmp is searched for what should not be there.
work=$(mktemp -d "$PWD/$(basename "$0" .sh).XXXXXX")
trap 'status=$?; if [ $status -eq 0 ] || [ $status -eq 77 ]; then rm -rf "$work"; else echo "see $work" >&2; fi' EXIT
export XDG_STATE_HOME=$work/state XDG_DATA_HOME=$work/data SEALBOOK_VAULT=$work/vault

fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "SKIPPED: $*"; exit 77; }
pass() { echo "ok: $*"; }

# as MEMBER COMMAND…: with a member's passphrase or key file.
as() {
  local member=$1
  shift
  if [ -e "$work/$member.key" ]; then
    "$SEALBOOK" --key-file "$work/$member.key" "$@"
  else
    "$SEALBOOK" --as "$member" --passphrase-file "$work/$member.passphrase" "$@"
  fi </dev/null
}
# expect EXIT COMMAND…
expect() {
  local expected=$1 status=0
  shift
  "$@" >"$work/expect.out" 2>"$work/expect.err" || status=$?
  [ $status -eq "$expected" ] || fail "exit $status instead of $expected: $*: $(cat "$work/expect.out" "$work/expect.err")"
}
passphrase() { head -c 18 /dev/urandom | base64 >"$work/$1.passphrase"; }

make_vault() {
  passphrase owner
  expect 0 as owner init --owner owner --policy "$SEALBOOK_TEST_POLICY"
}
# add_member NAME ROLE BOOK: a person who has chosen a passphrase.
add_member() {
  passphrase "$1"
  mv "$work/$1.passphrase" "$work/$1.first"
  expect 0 as owner member add "$1" --role "$2" --book "$3" --new-passphrase-file "$work/$1.first"
  passphrase "$1"
  expect 0 "$SEALBOOK" --as "$1" --passphrase-file "$work/$1.first" member passwd --new-passphrase-file "$work/$1.passphrase"
}
add_service() { expect 0 as owner member add "$1" --role "$2" --key-file-out "$work/$1.key"; }

digits() { tr -dc 0-9 </dev/urandom | head -c "$1" || true; }
letters() { tr -dc a-z </dev/urandom | head -c "$1" || true; }
