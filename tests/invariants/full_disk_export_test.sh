#!/usr/bin/env bash
# An export onto a disk that is full, and out of a vault on a disk that is full: it fails with a clear error,
# leaves no half file, spends no code, and the log tells of it where it has room to; when there is room again the
# same command with the same code ends as if nothing had happened. Once with a limit on the size of files, and
# on small file systems where they can be mounted.
source "$(dirname "$0")/common.sh"

mount=$work/small
trap 'status=$?; umount "$mount" 2>/dev/null || true; if [ $status -eq 0 ]; then rm -rf "$work"; else echo "see $work" >&2; fi' EXIT
for program in age age-keygen oathtool; do command -v $program >/dev/null || skip "$program is not there"; done

rows=6000
{ echo "name,phone,note"
  for ((row = 0; row < rows; ++row)); do printf 'Person %d,010-2000-%04d,note %d\n' $row $row $row; done
} >"$work/list.csv"
make_vault
expect 0 as owner book add seoul
expect 0 as owner import "$work/list.csv" --book seoul
age-keygen -o "$work/reader.txt" 2>/dev/null
recipient=$(sed -n 's/^# public key: //p' "$work/reader.txt")
expect 0 as owner --json factor enroll totp
expect 0 as owner factor enroll totp --confirm "$(oathtool --totp -b "$(grep -o '"secret":"[A-Z2-7]*"' "$work/expect.out" | cut -d '"' -f 4)")"
expect 0 as owner --json factor enroll recovery
grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){3}' "$work/expect.out" >"$work/codes"
[ "$(wc -l <"$work/codes")" -eq 10 ] || fail "there are $(wc -l <"$work/codes") recovery codes"
given=0

export_to() { as owner export -o "$1" --reason 'yearly mailing' --recipient "$recipient" --otp "$code" "${@:2}"; }
acts() { grep -cF "\"act\":\"$1\",\"outcome\":\"$2\"" "$work/log" || true; }
read_log() { as owner --json audit log >"$work/log"; }
# What the log has before an export, and the next code.
begin() {
  given=$((given + 1))
  code=$(sed -n "${given}p" "$work/codes")
  read_log
  exports=$(acts export done) failures=$(acts export failed) uses=$(acts factor.use done)
}
# full_for FILE WHAT: an export that found no room, whose exit was $status.
full_for() {
  [ $status -gt 0 ] && [ $status -lt 10 ] || fail "$2: exit $status"
  grep -qiE "no room|disk is full|no space|grow no more" "$work/error" || fail "$2: no clear error: $(cat "$work/error")"
  [ "$(wc -l <"$work/error")" -ge 2 ] || fail "$2: not a word of what to do: $(cat "$work/error")"
  [ -z "$(find "$(dirname "$1")" -maxdepth 1 -name '*'"$(basename "$1")"'*')" ] || fail "$2: left $(ls -A "$(dirname "$1")")"
}
# again FILE WHAT: now that there is room.
again() {
  expect 0 as owner doctor
  read_log
  [ "$(acts export done)" -eq "$exports" ] && [ "$(acts factor.use done)" -eq "$uses" ] || fail "$2: an export or a code is on record as used"
  expect 0 export_to "$1"
  expect 0 age -d -i "$work/reader.txt" -o "$work/opened" "$1"
  [ "$(wc -l <"$work/opened")" -eq $((rows + 1)) ] || fail "$2: $(wc -l <"$work/opened") lines"
  expect 0 as owner audit verify
  read_log
  [ "$(acts export done)" -eq $((exports + 1)) ] && [ "$(acts factor.use done)" -eq $((uses + 1)) ] || fail "$2: the export is not on record once"
  pass "$2: $(head -n 1 "$work/error")"
}

# Smaller than the export, of KiB.
begin
status=0
(ulimit -f 200 && export_to "$work/limited.age") >"$work/output" 2>"$work/error" || status=$?
full_for "$work/limited.age" "files of at most 200 KiB"
again "$work/limited.age" "files of at most 200 KiB"

mkdir "$mount"
if ! mount -t tmpfs -o size=64k,mode=700 none "$mount" 2>/dev/null; then
  echo "a small file system cannot be mounted by this user: left out"
  exit 0
fi
# Of each format, whose writers end in different places.
for format in csv xlsx; do
  begin
  status=0
  export_to "$mount/list.age" --format $format >"$work/output" 2>"$work/error" || status=$?
  full_for "$mount/list.age" "$format onto a full disk"
  read_log
  [ "$(acts export failed)" -eq $((failures + 1)) ] || fail "$format: the log does not tell of what failed"
done
# What was there stays.
echo mine >"$mount/list.age"
status=0
export_to "$mount/list.age" --force >"$work/output" 2>"$work/error" || status=$?
[ $status -gt 0 ] && [ "$(cat "$mount/list.age")" = mine ] && [ "$(ls -A "$mount")" = list.age ] || fail "--force onto a full disk: exit $status, $(ls -A "$mount")"
rm "$mount/list.age"
mount -o remount,size=8m "$mount"
again "$mount/list.age" "onto a full disk"
umount "$mount"

# The vault's own disk is full: before the export begins, while it is written, and when it is to be recorded,
# as there is more and more room for the log.
mount -t tmpfs -o size=64m,mode=700 none "$mount"
cp -a "$SEALBOOK_VAULT" "$mount/vault"
SEALBOOK_VAULT=$mount/vault
begin
used=$(df -k --output=used "$mount" | tail -n 1)
refused=0 begun=$(acts export.begin done)
for ((room = 0; room <= 400; room += 8)); do
  # SQLite's shared memory (32 KiB) is made anew by each process.
  mount -o remount,size=$((used + room))k "$mount"
  status=0
  export_to "$work/out.age" >"$work/output" 2>"$work/error" || status=$?
  [ $status -ne 0 ] || break
  full_for "$work/out.age" "a vault with $room KiB of room"
  refused=$((refused + 1))
  mount -o remount,size=64m "$mount"
  read_log
  last=$(acts export.begin done)
  used=$(df -k --output=used "$mount" | tail -n 1)
done
[ $refused -gt 0 ] && [ $status -eq 0 ] || fail "there was never too little room, or never enough: $refused"
[ "$last" -gt "$begun" ] || fail "there was never room for an export's beginning and none for its end"
mount -o remount,size=64m "$mount"
[ -s "$work/out.age" ] || fail "no export is there, in the end"
rm "$work"/out.age*
read_log
[ "$(acts export done)" -eq $((exports + 1)) ] && [ "$(acts factor.use done)" -eq $((uses + 1)) ] || fail "the export is not on record once"
expect 0 as owner doctor
expect 0 as owner audit verify
pass "a vault on a full disk, $refused times"
