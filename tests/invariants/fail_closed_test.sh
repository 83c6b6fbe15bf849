#!/usr/bin/env bash
# Invariant 8, "Fail closed": a column that nobody named is sensitive, a mask that cannot be made hides the
# value, and a policy that cannot be read, or is not the one that was signed, stops every command.
source "$(dirname "$0")/common.sh"

make_vault
expect 0 as owner book add seoul
add_member mina agent seoul
add_member sora supervisor seoul
add_service robot importer

# --- A column that nobody named. ---
printf 'name,phone,username,favourite planet\nAda,010-2000-0001,longusername1234,Neptune\nBob,010-2000-0002,short,Uranus\n' >"$work/list.csv"
expect 0 as robot --json import "$work/list.csv" --book seoul
grep -qF '{"column":"favourite planet","field":"favourite_planet","class":"sensitive"}' "$work/expect.out" || fail "$(cat "$work/expect.out")"
# sees MEMBER NAME: the fields of that customer, as JSON.
sees() { as "$1" --json lookup --name "$2"; }
sees sora Ada | grep -qF '"favourite_planet":{"value":"Neptune","form":"clear"}' || fail "the supervisor does not see the column"
sees mina Ada >"$work/ada"
grep -qF '"name":{"value":"Ada"' "$work/ada" || fail "the agent does not see the customer"
! grep -qi "planet\|neptune" "$work/ada" || fail "the agent sees a column that nobody named"
expect 3 as mina set "$(grep -o 'UID_[0-9]*' "$work/ada")" favourite_planet=Mars
expect 3 as mina set "$(grep -o 'UID_[0-9]*' "$work/ada")" another_planet=Mars
pass "an unknown column is sensitive"

# --- A mask that cannot be made: four of five characters would be most of the name. ---
grep -qF '"username":{"value":"****1234","form":"masked"}' "$work/ada" || fail "the mask of a long name: $(cat "$work/ada")"
sees owner Bob | grep -qF '"username":{"value":"short","form":"clear"}' || fail "the owner does not see the short name"
for member in mina sora; do
  sees $member Bob >"$work/bob"
  grep -qF '"phone":{"value":"+82 10-****-0002","form":"masked"}' "$work/bob" || fail "$member does not see the customer"
  ! grep -q "username\|short" "$work/bob" || fail "$member sees what could not be masked"
done
pass "a mask that cannot be made hides the value"

# --- The policy, damaged past all that the vault does. ---
cp -a "$SEALBOOK_VAULT" "$work/good"
cp -a "$work/state" "$work/state.good"
printf 'name,phone\nCleo,010-2000-0003\n' >"$work/more.csv"
everything_stops() {  # WHAT SQL
  rm -rf "$SEALBOOK_VAULT" "$work/state"
  cp -a "$work/good" "$SEALBOOK_VAULT"
  cp -a "$work/state.good" "$work/state"
  "$TEST_PROGRAMS/run_sql" "$SEALBOOK_VAULT" owner "$work/owner.passphrase" "$2"
  local uid
  uid=$(grep -o 'UID_[0-9]*' "$work/ada")
  for command in list "show $uid" "lookup $uid" "set $uid note=x" "member list" "book list" "book add busan" "audit log" \
    "audit verify" "policy show" doctor "doctor --repair" "import $work/more.csv" "import --dry-run $work/more.csv" \
    "policy apply $SEALBOOK_TEST_POLICY"; do
    expect 7 as owner $command
    ! grep -q "Ada\|Bob\|Neptune" "$work/expect.out" "$work/expect.err" || fail "$1: $command shows a customer"
  done
  expect 7 as mina list
  expect 7 as sora list
  expect 7 as robot import "$work/more.csv" --book seoul
  pass "$1 stops every command"
}
everything_stops "one letter of the policy changed" "UPDATE policy SET text = replace(text, 'unknown_fields = true', 'unknown_fields = True')"
everything_stops "a policy that gives agents more" "UPDATE policy SET text = replace(text, 'clear = [\"profile\", \"chat\"]', 'clear = [\"profile\", \"identity\"]')"
everything_stops "an empty policy" "UPDATE policy SET text = ''"
everything_stops "a missing policy" "DELETE FROM policy"
