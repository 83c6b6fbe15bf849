#!/usr/bin/env bash
# Invariant 5 on a disk that is full: an import that finds no room fails with a clear error, the vault opens
# and passes `doctor`, and when there is room again the same command ends as if nothing had happened.
# Once with a limit on the size of files, and once on a small file system where one can be mounted; there
# the file of rejected rows finds no room either.
source "$(dirname "$0")/common.sh"

mount=$work/small
trap 'status=$?; umount "$mount" 2>/dev/null || true; if [ $status -eq 0 ]; then rm -rf "$work"; else echo "see $work" >&2; fi' EXIT

{ echo "name,phone,note"
  for ((row = 0; row < 9000; ++row)); do printf 'Person %d,010-%04d-%04d,note %d\n' $row $((2000 + row / 10000)) $((row % 10000)) $row; done
} >"$work/list.csv"
make_vault
expect 0 as owner book add seoul
add_service robot importer
cp -a "$SEALBOOK_VAULT" "$work/empty"
cp -a "$work/state" "$work/state.empty"
customers() { as owner --json list | sed 's/"uid":"UID_[0-9]*"//'; }
expect 0 as robot import "$work/list.csv" --book seoul
customers >"$work/expected"
[ "$(wc -l <"$work/expected")" -eq 9000 ] || fail "$(wc -l <"$work/expected") customers"

# check WHAT: after an import that found no room, whose exit was $status.
check() {
  [ $status -gt 0 ] && [ $status -lt 10 ] || fail "$1: exit $status"
  grep -qi "full\|no space\|grow no more" "$work/error" || fail "$1: no clear error: $(cat "$work/error")"
  expect 0 as owner doctor
  [ "$(customers | wc -l)" -lt 9000 ] || fail "$1: everything was imported all the same"
}
again() {
  expect 0 as robot import "$work/list.csv" --book seoul
  expect 0 as owner doctor
  customers | cmp -s - "$work/expected" || fail "$1: the customers differ from those of an uninterrupted import"
  pass "$1: $(head -n 1 "$work/error")"
}
fresh() { rm -rf "$XDG_STATE_HOME"; cp -a "$work/state.empty" "$XDG_STATE_HOME"; }

# Of KiB: at two places of the import.
for limit in 900 2000; do
  fresh
  rm -rf "$SEALBOOK_VAULT"
  cp -a "$work/empty" "$SEALBOOK_VAULT"
  status=0
  (ulimit -f $limit && as robot import "$work/list.csv" --book seoul) >"$work/output" 2>"$work/error" || status=$?
  check "files of at most $limit KiB"
  again "files of at most $limit KiB"
done

# The same customers in other formats. They need python3, and the last one python3-openpyxl.
again_from() {  # LIST
  expect 0 as robot import "$1" --book seoul
  expect 0 as owner doctor
  customers | cmp -s - "$work/expected" || fail "$1: the customers differ from those of an uninterrupted import"
}
formats=(vcf)
/usr/bin/python3 -c 'import openpyxl' 2>/dev/null && formats+=(xlsx) || echo "python3-openpyxl is not there: xlsx is left out"
for format in "${formats[@]}"; do
  list=$work/list.$format
  /usr/bin/python3 "$(dirname "$0")/convert_list.py" "$work/list.csv" "$list"
  fresh
  rm -rf "$SEALBOOK_VAULT"
  cp -a "$work/empty" "$SEALBOOK_VAULT"
  status=0
  (ulimit -f 2000 && as robot import "$list" --book seoul) >"$work/output" 2>"$work/error" || status=$?
  check "$format, files of at most 2000 KiB"
  again_from "$list"
  pass "$format, files of at most 2000 KiB: $(head -n 1 "$work/error")"
done
cp -a "$SEALBOOK_VAULT" "$work/full"

# Room for half of what the vault takes in the end.
size=$(($(du -sk "$SEALBOOK_VAULT" | cut -f 1) / 2))
mkdir "$mount"
if ! mount -t tmpfs -o size=${size}k,mode=700 none "$mount" 2>/dev/null; then
  echo "a small file system cannot be mounted by this user: left out"
  exit 0
fi
fresh
cp -a "$work/empty" "$mount/vault"
SEALBOOK_VAULT=$mount/vault
status=0
as robot import "$work/list.csv" --book seoul >"$work/output" 2>"$work/error" || status=$?
check "a file system of $size KiB"
mount -o remount,size=64m "$mount"
again "a file system of $size KiB"

# What is rejected finds no room, while known customers are merged or replaced: nothing is lost of either.
umount "$mount"
{ echo "name,phone,email,note"
  for ((row = 0; row < 600; ++row)); do printf 'Person %d,010-2000-%04d,p%d@example.com,again\nBad %d,12,,%0200d\n' $row $row $row $row $row; done
} >"$work/more.csv"
for mode in merge replace; do
  more() { as owner import "$work/more.csv" --on-duplicate $mode --rejects "$1"; }
  for room in plenty little; do
    fresh
    rm -rf "$work/vault"
    cp -a "$work/full" "$work/vault"
    SEALBOOK_VAULT=$work/vault
    if [ $room = plenty ]; then
      expect 0 more "$work/rejects.csv"
      customers >"$work/expected"
      continue
    fi
    mount -t tmpfs -o size=64k,mode=700 none "$mount"
    status=0
    more "$mount/rejects.csv" >"$work/output" 2>"$work/error" || status=$?
    [ $status -gt 0 ] && [ $status -lt 10 ] || fail "$mode: exit $status with no room for rejected rows"
    grep -q "the disk is full.*rejects.csv" "$work/error" || fail "$mode: no clear error: $(cat "$work/error")"
    expect 0 as owner doctor
    mount -o remount,size=8m "$mount"
    expect 0 more "$mount/rejects.csv"
    expect 0 as owner doctor
    customers | cmp -s - "$work/expected" || fail "$mode: the customers differ"
    cmp -s "$mount/rejects.csv" "$work/rejects.csv" || fail "$mode: the rejected rows differ"
    umount "$mount"
    pass "$mode, no room for rejected rows: $(head -n 1 "$work/error")"
  done
done
