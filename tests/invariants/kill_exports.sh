# Exports and second factors, for scripts/kill_test, which reads this file where one of these cases is asked for:
#
#   export     into a new file, encrypted to a recipient of stock age
#   approved   the same in place of an older file, as the policy asks another admin to approve
#   enroll, confirm, codes, remove   `factor enroll totp`, its --confirm, `enroll recovery`, `factor remove`
#   agree, agree_removal             `factor approve` of an enrolment, and of a removal
#
# What is checked after each kill: either nothing happened and nothing is spent, or all of it did, and the log
# tells so; a file under the target's name is whole, and what stands beside it opens for nobody until the vault
# has recorded the export; the same command run again ends as if it had never been interrupted; no code and no
# approval is good for a second time.

# A code of the authenticator that is good for half a minute at least, and newer than any that was given.
totp() { oathtool --totp -b -N 'now + 30 seconds' "$(cat "$work/$1.secret")"; }
# $fresh is a recovery code of the owner's that was not given in this copy of the vault.
next_code() {
  codes_given=$((codes_given + 1))
  fresh=$(sed -n "${codes_given}p" "$work/owner.codes")
  [ -n "$fresh" ] || fail "there are no more recovery codes"
}
# $code is what the command under test is given: by the authenticator or from paper.
draw_code() {
  codes_given=0
  next_code
  random 2
  if [ $drawn -eq 0 ]; then code=$fresh; else code=$(totp owner); fi
}
# factor MEMBER ARGUMENTS…
factor() {
  if [ "$1" = owner ]; then as_owner --json factor "${@:2}"; else as "$1" --json factor "${@:2}"; fi
}
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
enroll() {  # MEMBER: up to a code that is right
  begin_enrolling "$1"
  factor "$1" enroll totp --confirm "$(oathtool --totp -b "$(cat "$work/$1.secret")")" >/dev/null
}
begin_enrolling() {
  factor "$1" enroll totp >"$work/enrolled"
  field secret <"$work/enrolled" >"$work/$1.secret"
  field id <"$work/enrolled" >"$work/$1.id"
}
# Of the authenticator: active, waiting, unconfirmed; nothing where there is none.
status_of() { as_owner --json factor list --member "$1" | grep -o '"kind":"totp","status":"[a-z]*"' | cut -d '"' -f 8 | head -n 1; }

# An owner with an authenticator and ten recovery codes, and another admin.
prepare_codes() {
  cp -a "$work/base" "$work/coded"
  vault=$work/coded
  add_person ada admin
  enroll owner
  factor owner enroll recovery | grep -oE '"[^"]{12,}"' | grep -v recovery_codes | tr -d '"' >"$work/owner.codes"
  [ "$(wc -l <"$work/owner.codes")" -eq 10 ] || fail "there are $(wc -l <"$work/owner.codes") recovery codes"
}
prepare_exports() {
  local row id
  cp -a "$work/coded" "$work/exports"
  vault=$work/exports
  { echo "name,phone,email,note,skin"
    for ((row = 0; row < ${KILL_TEST_CUSTOMERS:-3000}; ++row)); do
      printf 'Many %d,010-5000-%04d,m%d@example.com,note %d,dry\n' $row $row $row $row
    done; } >"$work/exported.csv"
  as_owner import "$work/exported.csv" --book seoul >/dev/null
  age-keygen -o "$work/reader.txt" 2>/dev/null
  recipient=$(sed -n 's/^# public key: //p' "$work/reader.txt")

  cp -a "$work/exports" "$work/approved"
  vault=$work/approved
  as_owner policy show | sed 's/^approvals = 0/approvals = 1/' >"$work/approvals.toml"
  as_owner policy apply "$work/approvals.toml" >/dev/null
  enroll ada
  as_owner factor approve "$(cat "$work/ada.id")" --otp "$(sed -n 10p "$work/owner.codes")" >/dev/null
  id=$(as_owner --json export request --format vcard --book seoul --reason 'yearly mailing' --recipient "$recipient" | field id)
  as ada export approve "$id" --otp "$(totp ada)" >/dev/null
}
prepare_factors() {
  cp -a "$work/coded" "$work/factors"
  vault=$work/factors
  add_person eve admin
  add_person mina agent seoul
  add_person jun agent seoul
  begin_enrolling mina
  enroll jun
  enroll eve
  as_owner factor approve "$(cat "$work/eve.id")" --otp "$(sed -n 10p "$work/owner.codes")" >/dev/null
  factor eve remove --otp "$(totp eve)" | field id >"$work/eve.id"
  enroll ada
  [ "$(status_of ada)" = waiting ] && [ "$(status_of eve)" = active ] || fail "preparation: ada is $(status_of ada)"
}

run_export() {
  run_as_owner --json export -o "$target" --reason 'yearly mailing' --recipient "$recipient" --otp "$code" "$@"
}
run_approved() { run_export --format vcard --book seoul --force; }
run_enroll() { run_as_owner --json factor enroll totp --otp "$code"; }
run_confirm() {
  exec env "${fault[@]}" "$SEALBOOK" --vault "$vault" --as mina --passphrase-file "$work/mina.passphrase" --json \
    factor enroll totp --confirm "$code" </dev/null
}
run_codes() { run_as_owner $as_json factor enroll recovery --otp "$code"; }
run_remove() {
  exec env "${fault[@]}" "$SEALBOOK" --vault "$vault" --as jun --passphrase-file "$work/jun.passphrase" --json \
    factor remove --otp "$code" </dev/null
}
run_agree() { run_as_owner --json factor approve "$(cat "$work/ada.id")" --otp "$code"; }
run_agree_removal() { run_as_owner --json factor approve "$(cat "$work/eve.id")" --otp "$code"; }

# Once without a kill: what is expected.
expected_export() {
  authority=$(field authority <"$work/now/again.output")
  opens_with_age "$target" || fail "stock age does not open it"
  cp "$work/now/opened" "$work/$case.expected"
  grep -qF "\"rows\":$(as_owner --json list | wc -l)," "$work/now/again.output" || fail "not all customers are in it"
  whole
}
expected_approved() { expected_export; }

# Before each run: the code, and what is there.
ready() {
  [ -e "$work/$case.log" ] || as_owner --json audit log >"$work/$case.log"
  draw_code
  case $case in
    export | approved)
      mkdir "$work/now/out"
      target=$work/now/out/list.age
      [ "$case" != approved ] || echo "Sealbook receipt 1 of an older file" | tee "$target" >"$target.receipt" ;;
    confirm) code=$(totp mina) ;;
    codes)
      random 2
      if [ $drawn -eq 0 ]; then as_json=--json; else as_json=; fi ;;
    remove) code=$(totp jun) ;;
  esac
}

read_log() { as_owner --json audit log >"$work/now/log" || fail "audit log: $(tail -n 1 "$work/now/log")"; }
# since ACT [OUTCOME]: how many of them the log has more than before, as it was read last.
since() {
  local row="\"act\":\"$1\",\"outcome\":\"${2:-done}\""
  echo $(($(grep -cF "$row" "$work/now/log" || true) - $(grep -cF "$row" "$work/$case.log" || true)))
}
# expect EXIT WHAT COMMAND…
expect() {
  local status=0
  "${@:3}" >"$work/now/expect.output" 2>&1 || status=$?
  [ $status -eq "$1" ] || fail "$2: exit $status, not $1: $(cat "$work/now/expect.output")"
}
sound() {
  doctor
  expect 0 "audit verify" as_owner audit verify
}

# Files that were written and are not in their place.
temporaries() { find "$work/now/out" -name '.*sealbook-export-*' ! -name '*.receipt'; }
unfinished() { find "$work/now/out" -name '.*' -type f; }
opens_with_age() { age -d -i "$work/reader.txt" -o "$work/now/opened" "$1" 2>/dev/null; }
# The target is the whole export, and its receipt is of it.
whole() {
  opens_with_age "$target" || fail "what is under the target's name does not open"
  cmp -s "$work/$case.expected" "$work/now/opened" || fail "what is under the target's name is not all of it: $(wc -l <"$work/now/opened") lines"
  [ "$(stat -c %a "$target")" = 600 ] || fail "others may read the export"
  expect 0 "receipt verify" "$SEALBOOK" receipt verify "$target.receipt" --authority "$authority"
  grep -qF "$(sha256sum <"$target" | cut -d ' ' -f 1)" "$target.receipt" || fail "the receipt is of another file"
}
is_older() { [ "$(cat "$1")" = "Sealbook receipt 1 of an older file" ]; }
as_it_was() {
  if [ "$case" = approved ]; then
    is_older "$target" && is_older "$target.receipt"
  else
    [ ! -e "$target" ] && [ ! -e "$target.receipt" ]
  fi
}
check_export() {
  read_log
  doctor
  local made left new=0 state
  made=$(since export) left=$(temporaries)
  [ "$(since factor.use)" -eq "$made" ] || fail "$(since factor.use) codes are spent, and $made exports are on record"
  [ $((made + $(since export failed))) -le "$(since export.begin)" ] || [ "$ended" -ne 137 ] || fail "an export without its beginning is on record"
  [ "$(wc -w <<<"$left")" -le 1 ] || fail "left: $left"
  if [ "$case" = approved ]; then
    state=$(as_owner --json export list | field state)
    [ "$state" = "$([ "$made" -eq 1 ] && echo made || echo approved)" ] || fail "$made exports are on record, and the request is $state"
  fi
  if [ "$made" -eq 0 ]; then
    [ "$ended" -ne 0 ] || fail "it says that it exported, and the log does not"
    as_it_was || fail "nothing is on record, and there is $(ls -A "$work/now/out")"
    [ -z "$left" ] || ! opens_with_age "$left" || fail "nothing is on record, and $left opens"
    # Who is alive tidies up, and tells the log why nothing came of it.
    [ "$ended" -eq 137 ] || [ -z "$left" ] || fail "it failed, and left $left"
    [[ $moment != *eio* ]] || [ "$(since export.begin)" -eq 0 ] || [ "$(since export failed)" -eq 1 ] || fail "the log does not tell that it failed"
    [ -z "$left" ] || partly=$((partly + 1))
  else
    there=$((there + 1))
    [ "$made" -eq 1 ] || fail "$made exports are on record"
    if [ -z "$left" ]; then
      new=1
      whole
    else
      partly=$((partly + 1))
      [ "$ended" -ne 0 ] || fail "it says that all is well, and left $left"
      [ "$ended" -eq 137 ] || grep -q "is recorded and complete, and could not be put in its place" "$work/now/killed.output" ||
        fail "it does not say that the export is recorded: $(cat "$work/now/killed.output")"
      [ "$case" = export ] || is_older "$target" || fail "half of it is under the target's name"
      [ "$case" = approved ] || [ ! -e "$target" ] || fail "half of it is under the target's name"
    fi
  fi

  local status=0
  again || status=$?
  case $new$case in
    1export) [ $status -eq 2 ] && told 'is there already' ;;
    1approved) [ $status -eq 3 ] && told 'approval' ;;
    0*) [ $status -eq 0 ] && told "\"finished_interrupted\":$([ "$made" -eq 1 ] && echo true || echo false)" ;;
  esac || fail "run again: exit $status, $(cat "$work/now/again.output")"
  whole
  [ -z "$(unfinished)" ] || fail "run again, it left $(unfinished)"
  local refused=4
  [ "$case" = export ] || refused=3
  target=$work/now/out/second.age
  status=0
  again || status=$?
  [ $status -eq $refused ] || fail "the same code once more: exit $status, $(cat "$work/now/again.output")"
  [ ! -e "$target" ] && [ -z "$(unfinished)" ] || fail "refused, it left $(ls -A "$work/now/out")"
  read_log
  [ "$(since export)" -eq 1 ] && [ "$(since factor.use)" -eq 1 ] || fail "$(since export) exports are on record in the end, and $(since factor.use) codes"
  # A fresh code is good for another export, where nobody has to approve it.
  next_code
  code=$fresh
  status=0
  again || status=$?
  [ $status -eq $((refused == 4 ? 0 : 3)) ] || fail "with a fresh code: exit $status, $(cat "$work/now/again.output")"
  sound
}
check_approved() { check_export; }

# done_or_not ACT: $made is whether the command's work was done; then, and only then, its code is spent.
done_or_not() {
  read_log
  doctor
  made=$(since "$1")
  [ "$made" -le 1 ] || fail "$1 is $made times in the log"
  [ $# -gt 1 ] || [ "$(since factor.use)" -eq "$made" ] || fail "$(since factor.use) codes are spent, and $1 is $made times in the log"
  there=$((there + made))
  [ "$made" -eq 1 ] || [ "$ended" -ne 0 ] || fail "it says that it is done, and the log does not"
}
# run_again EXIT: of the same command with the same code, where it was done; otherwise it succeeds.
run_again() {
  local status=0
  again || status=$?
  [ $status -eq $((made == 1 ? $1 : 0)) ] || fail "run again, after it was $([ "$made" -eq 1 ] || echo not )done: exit $status, $(cat "$work/now/again.output")"
}
# Good for nothing any more, in whatever form.
spent() {
  expect 4 "a spent code of $1" factor "$1" enroll recovery --otp "$2"
  expect 4 "a spent code of $1 with a space" factor "$1" enroll recovery --otp "${2:0:3} ${2:3}"
}
check_enroll() {
  done_or_not factor.enroll
  [ "$(status_of owner)" = active ] || fail "the authenticator in force is $(status_of owner)"
  run_again 4
  if [ "$made" -eq 1 ]; then
    next_code
    code=$fresh
    again || fail "with a fresh code: $(cat "$work/now/again.output")"
  fi
  spent owner "$code"
  # What it gave is good, and waits for the other admin; until then the old one counts.
  expect 0 "confirm" factor owner enroll totp --confirm "$(oathtool --totp -b "$(field secret <"$work/now/again.output")")"
  next_code
  expect 0 "a code of before" factor owner enroll recovery --otp "$fresh"
  sound
}
check_confirm() {
  done_or_not factor.confirm without
  [ "$(status_of mina)" = "$([ "$made" -eq 1 ] && echo active || echo unconfirmed)" ] || fail "confirmed $made times, it is $(status_of mina)"
  run_again 2
  [ "$(status_of mina)" = active ] || fail "in the end it is $(status_of mina)"
  spent mina "$code"
  sound
}
new_codes() { grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){3,}' "$1" | sort -u; }
check_codes() {
  done_or_not factor.recovery
  local shown=$work/now/killed.output
  if [ "$made" -eq 1 ]; then
    # What took the place of others was seen.
    [ "$(new_codes "$shown" | wc -l)" -eq 10 ] || fail "nobody saw the codes that are in force: $(cat "$shown")"
  fi
  run_again 4
  [ "$made" -eq 1 ] || shown=$work/now/again.output
  spent owner "$code"
  next_code
  expect 4 "a recovery code of before" factor owner enroll recovery --otp "$fresh"
  code=$(new_codes "$shown" | head -n 1)
  expect 0 "a new recovery code" factor owner enroll totp --otp "$code"
  spent owner "$code"
  sound
}
check_remove() {
  done_or_not factor.remove without
  [ "$(status_of jun)" = "$([ "$made" -eq 1 ] || echo active)" ] || fail "removed $made times, it is $(status_of jun)"
  run_again 4
  [ -z "$(status_of jun)" ] || fail "in the end it is $(status_of jun)"
  cp "$work/jun.secret" "$work/now/jun.secret"
  enroll jun
  mv "$work/now/jun.secret" "$work/jun.secret"
  [ "$(status_of jun)" = active ] || fail "enrolled anew it is $(status_of jun)"
  sound
}
check_agree() {
  done_or_not factor.approve
  [ "$(status_of ada)" = "$([ "$made" -eq 1 ] && echo active || echo waiting)" ] || fail "agreed to $made times, it is $(status_of ada)"
  run_again 4
  [ "$(status_of ada)" = active ] || fail "in the end it is $(status_of ada)"
  spent owner "$code"
  expect 0 "a code of ada's" factor ada enroll totp --otp "$(totp ada)"
  sound
}
check_agree_removal() {
  done_or_not factor.remove
  [ "$(status_of eve)" = "$([ "$made" -eq 1 ] || echo active)" ] || fail "removed $made times, it is $(status_of eve)"
  run_again 4
  [ -z "$(status_of eve)" ] || fail "in the end it is $(status_of eve)"
  spent owner "$code"
  sound
}
