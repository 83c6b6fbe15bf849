#!/usr/bin/env bash
# The store, opened by the stock sqlcipher shell with the raw key: the tables are there, and no clear value
# is in them. With another key it does not open.
source "$(dirname "$0")/common.sh"
command -v sqlcipher >/dev/null || skip "the sqlcipher shell is not installed"
find_markers=$TEST_PROGRAMS/find_markers

printf '%s\n' "+82101$(digits 7)" "$(letters 14)@example.com" "나래 $(letters 12)" "비고 $(letters 12)" "$(letters 14)" >"$work/markers"
{ read -r phone; read -r email; read -r name; read -r note; read -r custom; } <"$work/markers"
printf 'name,phone,email,note,피부\n"%s",%s,%s,"%s",%s\n' "$name" "$phone" "$email" "$note" "$custom" >"$work/list.csv"
make_vault
expect 0 as owner book add seoul
expect 0 as owner import "$work/list.csv" --book seoul
uid=$(as owner --json lookup --phone "$phone" | grep -o 'UID_[0-9]*')
# Found, looked at, changed and refused: what leaves rows in the log as well.
expect 0 as owner lookup --name "$name"
expect 0 as owner set "$uid" "note=$note $note" "email=2$email"
expect 5 as owner lookup --phone "+821012345678"

key=$("$TEST_PROGRAMS/database_key" "$SEALBOOK_VAULT" owner "$work/owner.passphrase")
[ ${#key} -eq 64 ] || fail "the key is $key"
# shell KEY SQL; the key stands in no argument.
shell() { printf '%s\n' ".bail on" "PRAGMA key = \"x'$1'\";" "$2" | sqlcipher "$SEALBOOK_VAULT/vault.db" 2>&1; }

tables=$(shell "$key" ".tables")
for table in contact contact_index book_contact session roster audit; do
  grep -qw $table <<<"$tables" || fail "no table $table: $tables"
done
[ "$(shell "$key" "SELECT count(*) FROM contact;" | tail -n 1)" = 1 ] || fail "the contact is not there"
shell "$key" .dump >"$work/dump"
grep -q 'INSERT INTO contact VALUES' "$work/dump" || fail "nothing was dumped"
# Blobs stand there as hexadecimal, texts as they are; both forms are searched for. As bytes too.
shell "$key" "SELECT writefile('$work/blob.' || number, sealed_values) FROM contact;" >/dev/null || true
status=0
"$find_markers" "$work/markers" "$work/dump" $(ls "$work"/blob.* 2>/dev/null || true) >"$work/found" || status=$?
[ $status -eq 0 ] || fail "$(cat "$work/found")"

# The control: the same shell, the same dump, the same searcher, and a clear value in the same database.
shell "$key" "CREATE TABLE clear (text TEXT, bytes BLOB); INSERT INTO clear VALUES ('$name', CAST('$note' AS BLOB));" >/dev/null
shell "$key" .dump >"$work/dump"
"$find_markers" "$work/markers" "$work/dump" >"$work/found" && fail "control: a clear value was not found"
grep -q "marker 3 as UTF-8" "$work/found" && grep -qi "marker 4 as hexadecimal" "$work/found" || fail "control: $(cat "$work/found")"

other=$(printf '%s' "$key" | tr '0-9a-f' '1-9a-f0')
shell "$other" "SELECT count(*) FROM contact;" >"$work/other" || true
grep -qi "not a database" "$work/other" || fail "with another key: $(cat "$work/other")"
status=0
printf 'SELECT count(*) FROM contact;\n' | sqlcipher "$SEALBOOK_VAULT/vault.db" >"$work/none" 2>&1 || status=$?
grep -qi "not a database" "$work/none" || fail "without a key: $(cat "$work/none")"
pass "$(wc -l <"$work/dump") lines of dump hold no clear value; with another key, and with none, it is no database"
