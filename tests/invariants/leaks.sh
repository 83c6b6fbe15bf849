# For the leak tests, after common.sh: looking for markers, and running commands whose output is kept for that.
find_markers=$TEST_PROGRAMS/find_markers

absent() {  # MARKERS PATH…
  local status=0
  "$find_markers" "$@" >"$work/found" 2>&1 || status=$?
  [ $status -eq 0 ] || fail "$(head -n 20 "$work/found")"
}
present() {  # MARKERS PATH…: every marker of the list
  local status=0 line
  "$find_markers" "$@" >"$work/found" 2>&1 || status=$?
  [ $status -eq 1 ] || fail "control: nothing was found in ${*:2}"
  for line in $(seq "$(wc -l <"$1")"); do
    grep -q ": marker $line as" "$work/found" || fail "control: marker $line of $1 was not found in ${*:2}"
  done
}

# The searcher finds each form of each marker of a list, written by other programs than itself.
control() {  # MARKERS
  local line=0 marker offset
  mkdir "$work/control"
  write() {  # FORM: standard input, somewhere in a file of noise
    { head -c 1001 /dev/urandom; cat; head -c 501 /dev/urandom; } >"$work/control/file"
    "$find_markers" "$markers" "$work/control" >"$work/found" || true
    grep -qxF "$work/control/file: marker $line as $1" "$work/found" || fail "control: marker $line as $1: $(cat "$work/found")"
  }
  local markers=$1
  while IFS= read -r marker; do
    line=$((line + 1))
    printf %s "$marker" | write UTF-8
    printf %s "$marker" | iconv -f UTF-8 -t UTF-16LE | write UTF-16LE
    printf %s "$marker" | iconv -f UTF-8 -t UTF-16BE | write UTF-16BE
    printf %s "$marker" | od -An -v -tx1 | tr -d ' \n' | write hexadecimal
    printf %s "$marker" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F | write HEXADECIMAL
    for offset in 0 1 2; do
      { head -c $offset /dev/urandom; printf '%s and more' "$marker"; } | base64 -w 0 | write "base64 at $offset"
      { head -c $offset /dev/urandom; printf '%s and more' "$marker"; } | base64 -w 0 | tr +/ -_ | write "base64url at $offset"
    done
    [ "$(printf %s "$marker" | tr -dc 0-9 | wc -c)" -ge 8 ] || continue
    printf %s "$marker" | sed 's/[^0-9]//g; s/..../& /g' | write digits
    printf %s "$marker" | iconv -f UTF-8 -t UTF-16LE | write digits
  done <"$markers"
  rm -r "$work/control"
  head -c 100000 /dev/urandom >"$work/noise"
  absent "$markers" "$work/noise"
  pass "the searcher finds each form of each of $line markers, and nothing in noise"
}

# New files of the temporary folders, since $work/start was made.
new_files() {  # MARKERS
  find /tmp /var/tmp -xdev -path "$work" -prune -o -type f -newer "$work/start" -print0 2>/dev/null |
    xargs -0 -r "$find_markers" "$1" 2>/dev/null || true
}
# Nothing is in the vault, the state folder and the temporary folders.
nowhere() {  # MARKERS
  inside "$1"
  [ -z "$(new_files "$1")" ] || fail "$(new_files "$1")"
}
# The same without what other programs may be writing just now, which takes long to search: commands make their
# temporary files in TMPDIR.
inside() {  # MARKERS
  absent "$1" "$SEALBOOK_VAULT" "$work/state" ${TMPDIR:+"$TMPDIR"}
}
# A command that runs, stopped in the middle: files that have no name any more.
unnamed_files() {  # MARKERS PID
  local file
  for file in "/proc/$2/fd"/*; do
    case $(readlink "$file") in *"(deleted)" | *memfd:*) absent "$1" "$file" ;; esac
  done
}
# Stops a command when a batch or more is in the write-ahead log, of so many bytes.
stop_in_the_middle() {  # PID BYTES OUTPUT…
  until [ "$(stat -c %s "$SEALBOOK_VAULT/vault.db-wal" 2>/dev/null || echo 0)" -ge "$2" ]; do
    kill -0 "$1" 2>/dev/null || fail "it ended early: $(cat "${@:3}")"
  done
  kill -STOP "$1"
  kill -0 "$1" 2>/dev/null || fail "it had ended"
}

run() {  # MEMBER COMMAND…: the output is kept as that member's; exit codes are other tests' business
  local member=$1 file
  shift
  file=$work/out/$member.$(ls "$work/out" | wc -l)
  as "$member" "$@" >"$file.out" 2>"$file.err" || true
}
# As text and as JSON.
both() { run "$@"; run "$1" --json "${@:2}"; }
