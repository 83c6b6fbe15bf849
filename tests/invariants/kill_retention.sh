# Retention, for scripts/kill_test, which reads this file where one of these cases is asked for:
#
#   retention   expired chats of thirty customers into archives, and away, by the retention account
#   erase       a customer who has chats here and in archives, by the owner
#
# What is checked after each kill: the vault passes `doctor`; every message is here or in an archive that the offline
# identity opens (of an erased customer: all of it or nothing); the same command run again ends with every message in
# exactly one place, or with nothing of the erased customer anywhere.
#
# $KILL_TEST_MESSAGES is how many messages have expired (default 3000).
expired=${KILL_TEST_MESSAGES:-3000}

# said FIRST COUNT DAY: each message once, of thirty customers, over forty days from DAY on.
said() {
  awk -v first="$1" -v count="$2" -v from="$(date -u -d "$3" +%s)" 'BEGIN {
    for (i = first; i < first + count; ++i)
      printf "{\"phone\":\"+82102000%04d\",\"time\":\"%s\",\"direction\":\"in\",\"text\":\"message %d\"}\n",
             i % 30, strftime("%Y-%m-%dT%H:%M:%SZ", from + (i % 40) * 86400 + i, 1), i
  }'
}

prepare_retention() {
  vault=$work/identities
  as_owner init --owner owner --region KR --archive-identity-out "$work/identity.txt" >/dev/null 2>&1
  local recipient
  recipient=$(sed -n 's/^# public key: //p' "$work/identity.txt")
  vault=$work/base
  as_owner policy show | sed "s/\"age1[a-z0-9]*\"/\"$recipient\"/" >"$work/retention.toml"
  vault=$work/expired
  as_owner init --owner owner --policy "$work/retention.toml" >/dev/null 2>&1
  as_owner book add seoul >/dev/null
  as_owner member add cron --role retention --key-file-out "$work/cron.key" >/dev/null
  said 0 "$expired" 2024-03-10 >"$work/expired.jsonl"
  said "$expired" 90 "45 days ago" >"$work/young.jsonl"
  as_owner chat import "$work/expired.jsonl" "$work/young.jsonl" --book seoul >/dev/null
  said 0 "$expired" 2024-03-10 | grep -o '"message [0-9]*"' | tr -d '"' | sort >"$work/expired.messages"
  said "$expired" 90 "45 days ago" | grep -o '"message [0-9]*"' | tr -d '"' | sort >"$work/young.messages"
  uid=$(as_owner --json lookup --phone 01020000007 | grep -o 'UID_[0-9]*' | head -n 1)
  awk -v count=$((expired + 90)) 'BEGIN { for (i = 7; i < count; i += 30) print "message " i }' | sort >"$work/erased.messages"
  cp -a "$work/expired" "$work/archived"
  vault=$work/archived
  sealbook --key-file "$work/cron.key" retention run >/dev/null
}

run_retention() { exec env "${fault[@]}" "$SEALBOOK" --vault "$vault" --key-file "$work/cron.key" --json retention run </dev/null; }
run_erase() {
  # Erased already: what an earlier run did.
  if [ -e "$work/now/ran" ] && ! as_owner --json show "$uid" >/dev/null 2>&1; then exit 0; fi
  touch "$work/now/ran"
  run_as_owner --json subject erase "$uid" --reason 'asked for it'
}

live() {
  as_owner --json chat search message --limit 10000000 >"$work/now/live.output" 2>"$work/now/live.error" ||
    fail "chat search: $(cat "$work/now/live.error")"
  grep -o '"text":"message [0-9]*"' "$work/now/live.output" | grep -o 'message [0-9]*' | sort || true
}
# What whoever has the offline identity reads, of the archives that have a signature.
archived() {
  local file
  for file in "$vault"/archives/*.sba.age; do
    [ -e "$file.sig" ] || continue
    sealbook --quiet archive read --file "$file" --identity "$work/identity.txt" 2>/dev/null
  done | grep -o '"text":"message [0-9]*"' | grep -o 'message [0-9]*' | sort || true
}
all_of() { sort -m "$@"; }

check_retention() {
  local purged
  doctor
  live >"$work/now/live"
  archived >"$work/now/archived"
  [ "$(all_of "$work/now/live" "$work/now/archived" | uniq | comm -13 - <(all_of "$work/expired.messages" "$work/young.messages") | wc -l)" -eq 0 ] ||
    fail "messages are nowhere"
  purged=$((expired + 90 - $(wc -l <"$work/now/live")))
  if [ "$purged" -eq "$expired" ]; then there=$((there + 1)); elif [ -s "$work/now/archived" ] || [ "$purged" -gt 0 ]; then partly=$((partly + 1)); fi
  [ "$ended" -ne 0 ] || [ "$purged" -eq "$expired" ] || fail "it says that all is well, and purged $purged of $expired"
  again || fail "run again: $(cat "$work/now/again.output")"
  retained
}
retained() {
  doctor
  live | cmp -s "$work/young.messages" - || fail "what is here differs: $(live | wc -l) messages"
  archived | cmp -s "$work/expired.messages" - || fail "what is archived differs: $(archived | wc -l) messages, $expired expected"
  [ -z "$(ls "$vault/spool")" ] || fail "the spool has $(ls "$vault/spool")"
}
check_erase() {
  local mine
  doctor
  live >"$work/now/live"
  mine=$(comm -12 "$work/now/live" "$work/erased.messages" | wc -l)
  if as_owner --json show "$uid" >/dev/null 2>&1; then
    [ "$mine" -gt 0 ] || fail "the customer is here, without messages"
  else
    there=$((there + 1))
    [ "$mine" -eq 0 ] || fail "the customer is erased, and $mine messages are here"
  fi
  again || fail "run again: $(cat "$work/now/again.output")"
  sealbook --key-file "$work/cron.key" retention run >"$work/now/run.output" 2>&1 || fail "retention run: $(cat "$work/now/run.output")"
  doctor
  live | cmp -s <(comm -23 "$work/young.messages" "$work/erased.messages") - || fail "what is here differs"
  archived | cmp -s <(comm -23 "$work/expired.messages" "$work/erased.messages") - || fail "what is archived differs"
  [ "$(sealbook --key-file "$work/cron.key" --json retention status | grep -o '"pending_erasures":[0-9]*')" = '"pending_erasures":0' ] ||
    fail "an erasure is pending"
}
