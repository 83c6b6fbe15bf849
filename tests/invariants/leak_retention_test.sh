#!/usr/bin/env bash
# Invariant 4, "No leak", of archives: a customer's phone, name and note, a message's text and its author are looked for
# in the archives' folder, the spool while a run is stopped in the middle, the vault, the state folder, new files of /tmp and
# /var/tmp, metrics, the journal's line, receipts, and all that the commands print to whom. Beside it the controls: the searcher
# finds each form of each marker when it is there, and whoever has the offline identity reads the chat.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/leaks.sh"

phone=1$(digits 7)
name="나래 $(letters 12)"
note="비고 $(letters 12)"
text="상담 $(letters 12)"
author="상담사 $(letters 12)"
reason="편지 $(letters 12)"
printf '%s\n' "$text" >"$work/markers.chat"  # of the customer's own messages no author is kept
{ printf '+8210%s\n10-%s-%s\n' "$phone" "${phone:0:4}" "${phone:4}"; printf '%s\n' "$name" "$note" "$reason" "$author"; cat "$work/markers.chat"
  for marker in "$name" "$note" "$text" "$author"; do echo "${marker#* }"; done; } >"$work/markers.all"
control "$work/markers.all"

touch "$work/start"
recipient=$("$SEALBOOK" init --vault "$work/other" --owner other --passphrase-file <(echo 'only for the identity of it') \
  --archive-identity-out "$work/identity" --json </dev/null 2>/dev/null | grep -o 'age1[a-z0-9]*' | head -n 1)
rm -r "$work/other"
mkdir "$work/nas" "$work/out"
sed "s#\"age1[a-z0-9]*\"#\"$recipient\"#; s#^destinations = .*#destinations = [\"file://$work/nas/archives\"]#" "$SEALBOOK_TEST_POLICY" >"$work/policy"
SEALBOOK_TEST_POLICY=$work/policy make_vault
expect 0 as owner book add seoul
add_member mina agent seoul
add_member check auditor seoul
add_service robot importer
add_service keeper retention
printf 'name,phone,note\n"%s",010-%s-%s,"%s"\n' "$name" "${phone:0:4}" "${phone:4}" "$note" >"$work/list.csv"
expect 0 as robot import "$work/list.csv" --book seoul
# So much that a run can be met in the middle.
seq 5000 | awk -v phone="+8210$phone" -v text="$text" -v author="$author" '{
  printf "{\"phone\":\"%s\",\"time\":\"2024-%02d-%02dT%02d:%02d:%02dZ\",\"direction\":\"out\",\"author\":\"%s\",\"text\":\"%s %d\"}\n",
         phone, 1 + $1 % 12, 1 + $1 % 28, $1 / 3600, $1 / 60 % 60, $1 % 60, author, text, $1 * 7919 % 104729 }' >"$work/chats.jsonl"
expect 0 as robot chat import "$work/chats.jsonl" --book seoul
uid=$(as owner --json lookup --phone "+8210$phone" | grep -o 'UID_[0-9]*')
expect 0 as owner archive list

# --- A run that is stopped in the middle, whenever there is something in the spool. ---
"$SEALBOOK" --key-file "$work/keeper.key" retention run >"$work/out/keeper.run.out" 2>"$work/out/keeper.run.err" </dev/null &
running=$!
met=
for _ in $(seq 20000); do
  kill -0 $running 2>/dev/null || break
  if [ -n "$(find "$SEALBOOK_VAULT/spool" -size +0 2>/dev/null)" ]; then
    kill -STOP $running
    met=yes
    break
  fi
done
[ -n "$met" ] || fail "the spool was never met with something in it: $(cat "$work"/out/keeper.run.*)"
nowhere "$work/markers.all"
unnamed_files "$work/markers.all" $running
absent "$work/markers.all" "$work/nas"
kill -KILL $running
wait $running 2>/dev/null || true
absent "$work/markers.all" "$SEALBOOK_VAULT" "$work/state" "$work/nas"
pass "stopped and killed with something in the spool"

# --- Runs that end, told in each way. ---
both keeper retention plan
as keeper retention run --limit 1000 --metrics "$work/out/keeper.metrics.out" >"$work/out/keeper.limit.out" 2>&1 || fail "$(cat "$work/out/keeper.limit.out")"
# As under systemd: standard error is the journal's stream.
(JOURNAL_STREAM=$(stat -L -c %d:%i "$work/out/journal.err") as keeper retention run --metrics "$work/out/keeper.metrics2.out") \
  2>"$work/out/journal.err" >"$work/out/journal.out" || true
expect 0 as keeper retention run
both keeper retention status
for member in keeper owner; do
  both $member archive list
  both $member archive verify --remote
  both $member retention plan
done
[ "$(as keeper --json retention status | grep -o '"purged":[0-9]*' | head -n 1)" = '"purged":5000' ] || fail "not all was archived: $(as keeper retention status)"
nowhere "$work/markers.all"
absent "$work/markers.all" "$work/nas"
pass "runs: the vault, $(find "$work/nas" -type f | wc -l) files of archives, metrics, the journal"

# --- Who has the offline identity reads it; nobody else does, by whatever way. ---
names=$(as keeper --json archive list | grep -o '[0-9a-f]*-[0-9-]*\.sba\.age' | sort -u)
archive=$(echo "$names" | head -n 1)
as owner archive read "$archive" --identity "$work/identity" >"$work/read"
present "$work/markers.chat" "$work/read"
printf '%s\n' "$name" "$note" >"$work/markers.profile"
absent "$work/markers.profile" "$work/read"
age-keygen -o "$work/wrong" 2>/dev/null || "$SEALBOOK" init --vault "$work/wrong.vault" --owner w --passphrase-file <(echo 'only for the identity of it') --archive-identity-out "$work/wrong" </dev/null >/dev/null 2>&1
for member in owner keeper; do run $member archive read "$archive" --identity "$work/wrong"; done
for member in mina check robot; do
  both $member archive read "$archive" --identity "$work/identity"
  both $member archive restore "$archive" --identity "$work/identity"
  both $member retention run
  both $member subject erase "$uid" --reason "$reason"
done
run keeper chat show "$uid"
run keeper archive restore "$archive" --identity "$work/identity"
run owner archive read "$text" --identity "$work/identity"
run owner archive read "$archive" --identity "$work/identity" --uid "$name"
run owner archive verify "+8210$phone"
run owner subject hold "$name" --reason "$reason"
run owner subject label "$uid" "$text"
# Something damaged is told of without a word of it.
cp -r "$work/nas" "$work/damaged"
for file in "$work"/damaged/archives/*.sba.age "$work"/damaged/archives/subjects/*; do
  printf X | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc status=none
done
run nobody archive read --file "$work/damaged/archives/$archive" --identity "$work/identity"
rm -r "$work/damaged"
pass "whoever has the offline identity reads the chat"

# --- Erased: the log, the receipts, what is told of it; and then nobody reads it. ---
both owner subject hold "$uid" --reason "$reason"
both owner subject erase "$uid" --reason "$reason"
both owner subject release "$uid"
expect 0 as owner subject erase "$uid" --reason "$reason" -o "$work/out/owner.receipt.out"
[ -e "$work/out/owner.receipt.out.confirmed" ] || fail "the erasure did not reach the folder"
for archive in $names; do
  as owner archive read "$archive" --identity "$work/identity" >"$work/read" 2>"$work/out/owner.gone.$archive.err" || fail "$(cat "$work"/out/owner.gone.*)"
  [ ! -s "$work/read" ] || fail "$archive still gives $(wc -l <"$work/read") messages"
done
both robot import "$work/list.csv" --book seoul
both robot chat import "$work/chats.jsonl" --book seoul
as keeper retention run --metrics "$work/out/keeper.metrics3.out" >"$work/out/keeper.last.out" 2>&1 || fail "$(cat "$work/out/keeper.last.out")"
both keeper retention status
both owner doctor
grep -v "^$reason" "$work/markers.all" >"$work/markers.out"
absent "$work/markers.out" "$work/out"
nowhere "$work/markers.all"
absent "$work/markers.all" "$work/nas"
absent "$work/markers.all" "$work"/out/*receipt*
expect 0 as owner doctor
pass "erased: $(ls "$work/out" | wc -l) outputs, receipts among them, the archives and the vault"
