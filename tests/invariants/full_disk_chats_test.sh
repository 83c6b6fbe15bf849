#!/usr/bin/env bash
# Invariant 5 for chats on a disk that is full: an import, writing again, and what comes through a pipe fail with a clear
# error where they find no room, the vault opens and passes `doctor`, and when there is room again the same command ends
# as if nothing had happened. With a limit on the size of files, and on a small file system where one can be mounted;
# there the file of rejected messages and what a pipe's text is put aside in find no room either.
source "$(dirname "$0")/common.sh"

mount=$work/small
trap 'status=$?; umount "$mount" 2>/dev/null || true; if [ $status -eq 0 ]; then rm -rf "$work"; else echo "see $work" >&2; fi' EXIT

count=15000
seq $count | awk '{ printf "2024-%02d-%02d, %02d:%02d - %s: message %d and %d\n",
  1 + int($1 / 14400) % 12, 1 + int($1 / 1440) % 28, int($1 / 60) % 24, $1 % 60, $1 % 3 ? "Ann" : "Shop", $1 * 7919 % 104729, $1 }' >"$work/chat.txt"
mkdir "$work/live"
for ((file = 0; file < 12; ++file)); do
  seq 300 | awk -v file=$file '{ printf "{\"phone\":\"+8210200%05d\",\"time\":\"2024-03-04T10:%02d:00Z\",\"direction\":\"in\",\"text\":\"message %d\"}\n",
    $1 % 40, file, $1 * 7919 % 104729 }' >"$work/live/$file.jsonl"
done
make_vault
expect 0 as owner book add seoul
add_service robot importer
cp -a "$SEALBOOK_VAULT" "$work/empty"
cp -a "$work/state" "$work/state.empty"
fresh() {  # VAULT COPY
  rm -rf "$XDG_STATE_HOME" "$1"
  cp -a "$work/state.empty" "$XDG_STATE_HOME"
  cp -a "$2" "$1"
}
messages() { as owner --json chat search message --limit 100000 | sed 's/"uid":"UID_[0-9]*"//'; }
import() { as robot chat import "${1-$work/chat.txt}" --me Shop --book seoul "${@:2}"; }
expect 0 import
messages >"$work/expected"
[ "$(wc -l <"$work/expected")" -eq $count ] || fail "$(wc -l <"$work/expected") messages"
full=$(du -sk "$SEALBOOK_VAULT" | cut -f 1)

# check WHAT: after a command that found no room, whose exit was $status.
check() {
  [ $status -gt 0 ] && [ $status -lt 10 ] || fail "$1: exit $status"
  grep -qi "full\|no space\|no room\|too large\|grow no more" "$work/error" || fail "$1: no clear error: $(cat "$work/error")"
  expect 0 as owner doctor
}
again() {  # WHAT COMMAND…
  expect 0 "${@:2}"
  expect 0 as owner doctor
  messages | cmp -s - "$work/expected" || fail "$1: the messages differ from those of an uninterrupted command"
  pass "$1: $(head -n 1 "$work/error")"
}
partly() { [ "$(messages | wc -l)" -lt $count ] || fail "$1: everything was imported all the same"; }

for limit in 150 300; do  # of KiB, at two places of the import
  fresh "$SEALBOOK_VAULT" "$work/empty"
  status=0
  (ulimit -f $limit && import) >"$work/output" 2>"$work/error" || status=$?
  check "files of at most $limit KiB"
  partly "files of at most $limit KiB"
  again "files of at most $limit KiB" import
done
# What a pipe's text is put aside in is larger than that.
piped() { "$SEALBOOK" --key-file "$work/robot.key" chat import - --me Shop --book seoul <"$work/pipe"; }
mkfifo "$work/pipe"
feed() { cat "$work/chat.txt" >"$work/pipe" 2>/dev/null & }
fresh "$SEALBOOK_VAULT" "$work/empty"
status=0
feed
(ulimit -f 450 && piped) >"$work/output" 2>"$work/error" || status=$?
check "a pipe, files of at most 450 KiB"
[ "$(messages | wc -l)" -eq 0 ] || fail "a chat that could not be read to its end was imported in part"
feed
again "a pipe, files of at most 450 KiB" piped

# What came one by one is written again.
fresh "$SEALBOOK_VAULT" "$work/empty"
expect 0 as robot chat import "$work"/live/* --book seoul
cp -a "$SEALBOOK_VAULT" "$work/compacted"
messages >"$work/expected.all"
cp "$work/expected" "$work/expected.import"
cp "$work/expected.all" "$work/expected"
compact() { as owner chat compact; }
fresh "$SEALBOOK_VAULT" "$work/compacted"
status=0
(ulimit -f $(($(stat -c %s "$SEALBOOK_VAULT/vault.db") / 1024 / 4)) && compact) >"$work/output" 2>"$work/error" || status=$?
check "written again, files of a quarter of the vault"
messages | cmp -s - "$work/expected" || fail "writing again that failed changed messages"
again "written again, files of a quarter of the vault" compact
cp "$work/expected.import" "$work/expected"

mkdir "$mount"
if ! mount -t tmpfs -o size=$((full / 2))k,mode=700 none "$mount" 2>/dev/null; then
  echo "a small file system cannot be mounted by this user: left out"
  exit 0
fi
# Room for half of what the vault takes in the end.
fresh "$mount/vault" "$work/empty"
SEALBOOK_VAULT=$mount/vault
status=0
import >"$work/output" 2>"$work/error" || status=$?
check "a file system of $((full / 2)) KiB"
partly "a file system of $((full / 2)) KiB"
mount -o remount,size=64m "$mount"
again "a file system of $((full / 2)) KiB" import

# Little room beside the vault for writing again.
cp "$work/expected.all" "$work/expected"
fresh "$mount/vault" "$work/compacted"
mount -o remount,size=$(($(df -k --output=used "$mount" | tail -n 1) + 40))k "$mount"
status=0
compact >"$work/output" 2>"$work/error" || status=$?
check "written again, 40 KiB of room"
mount -o remount,size=64m "$mount"
again "written again, 40 KiB of room" compact
umount "$mount"

# Rejected messages find no room, from a file and from a spool folder; then the file stays where it is.
cp "$work/expected.import" "$work/expected"
SEALBOOK_VAULT=$work/vault
{ cat "$work/chat.txt"; seq 3000 | sed 's/.*/2024-13-41, 10:00 - Ann: nothing of the calendar &/'; } >"$work/bad.txt"
fresh "$SEALBOOK_VAULT" "$work/empty"
expect 0 import "$work/bad.txt" --rejects "$work/rejects"
mkdir "$work/spool"
cp "$work/bad.txt" "$work/spool/bad.txt"
watch() { as robot chat import --watch "$work/spool" --once --me Shop --book seoul --rejects "$mount/rejects"; }
for command in import watch; do
  fresh "$SEALBOOK_VAULT" "$work/empty"
  mount -t tmpfs -o size=64k,mode=700 none "$mount"
  arguments=()
  [ $command = watch ] || arguments=("$work/bad.txt" --rejects "$mount/rejects")
  status=0
  $command "${arguments[@]}" >"$work/output" 2>"$work/error" || status=$?
  check "$command, no room for rejected messages"
  [ -e "$work/spool/bad.txt" ] || fail "the file was moved, and its rejected messages are nowhere"
  mount -o remount,size=8m "$mount"
  again "$command, no room for rejected messages" $command "${arguments[@]}"
  cmp -s "$work/rejects" "$mount/rejects" || fail "$command: the rejected messages differ"
  [ $command = import ] || [ -e "$work/spool/done/bad.txt" ] || fail "the file was not moved"
  umount "$mount"
done

# Where the text of a pipe is put aside there is no room.
fresh "$SEALBOOK_VAULT" "$work/empty"
mount -t tmpfs -o size=64k,mode=700 none "$mount"
status=0
feed
TMPDIR=$mount piped >"$work/output" 2>"$work/error" || status=$?
check "a pipe, no room in TMPDIR"
[ -z "$(ls -A "$mount")" ] || fail "left: $(ls -A "$mount")"
feed
again "a pipe, no room in TMPDIR" piped
umount "$mount"
