#!/usr/bin/env bash
# Invariant 4, "No leak": a customer's phone, email, name, note, consent and a column of the list's own are
# looked for in every file of the vault while an import runs and after, in the state folder, in new files of /tmp
# and /var/tmp, in all that commands print to roles that may not see them, in errors, and in what is left
# of a command that dies. Beside it the controls: the searcher finds each form of each marker when it is
# there, and an admin sees them all.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/leaks.sh"

phone=1$(digits 7)  # +82 10 1… is a valid number whatever follows
email=$(letters 14)
name="나래 $(letters 12)"
note="비고 $(letters 12)"
custom=$(letters 14)
consent=$(letters 14)  # evidence of one
# Files of markers: what a role may not see.
printf '+8210%s\n10-%s-%s\n' "$phone" "${phone:0:4}" "${phone:4}" >"$work/markers.identity"
echo "$email" >>"$work/markers.identity"
echo "$custom" >"$work/markers.sensitive"
printf '%s\n%s\n%s\n' "$name" "$note" "$consent" >"$work/markers.profile"
cat "$work"/markers.{identity,sensitive} >"$work/markers.agent"
cp "$work/markers.identity" "$work/markers.supervisor"
cat "$work"/markers.{identity,sensitive,profile} >"$work/markers.all"
for role in importer retention auditor; do cp "$work/markers.all" "$work/markers.$role"; done

control "$work/markers.all"

# --- A vault, its people, and an import that is looked at while it runs. ---
touch "$work/start"
make_vault
expect 0 as owner book add seoul
expect 0 as owner book add busan
add_member mina agent seoul
add_member other agent busan
add_member sora supervisor seoul
add_member check auditor seoul
add_service robot importer
add_service keeper retention

head='name,phone,email,note,피부,OPTIN_TIME,OPTIN_IP'
row="\"$name\",010-${phone:0:4}-${phone:4},$email@example.com,\"$note\",$custom,2023-04-05 10:11:12,$consent"
mkfifo "$work/list"
as robot import "$work/list" --book seoul --format csv --encoding utf-8 --delimiter , --json >"$work/import.out" 2>"$work/import.err" &
importing=$!
exec 3>"$work/list"
# A batch and a little more, so that one is stored while the list goes on.
{ echo "$head"; echo "$row"
  seq 21000 | sed "s/.*/P &,,p&@example.com,\"$note\",$custom,,/"; } >&3
for _ in $(seq 600); do
  [ "$(stat -c %s "$SEALBOOK_VAULT/vault.db-wal" 2>/dev/null || echo 0)" -lt 1000000 ] || break
  kill -0 $importing 2>/dev/null || fail "the import ended early: $(cat "$work/import.out" "$work/import.err")"
  sleep 0.1
done
[ "$(stat -c %s "$SEALBOOK_VAULT/vault.db-wal")" -ge 1000000 ] || fail "no batch reached the write-ahead log"
nowhere "$work/markers.all"
pass "while an import runs: $(cd "$SEALBOOK_VAULT" && ls | tr '\n' ' ')"
exec 3>&-
wait $importing || fail "import: $(cat "$work/import.out" "$work/import.err")"
grep -q '"imported":21001,' "$work/import.out" || fail "import: $(cat "$work/import.out")"

# --- What commands print, to whom. ---
uid=$(as owner --json lookup --phone "+8210$phone" | grep -o 'UID_[0-9]*')
mkdir "$work/out"
run owner show "$uid"
run owner --json show "$uid"
for file in "$work"/out/owner.*.out; do present "$work/markers.all" "$file"; done
pass "an admin sees every marker"

echo "$head"$'\n'"$row" >"$work/good.csv"
# Known customers under another name, and rows that are bad in each place that can be.
echo "$head
\"$name\",010-${phone:0:4}-${phone:4}-99999,$email@example.com,\"$note\",$custom,2023-04-05 10:11:12,$consent
\"$name\",$email,$email@example.com,\"$note\",$custom,2023-04-05 10:11:12,$consent
\"$name\",010-${phone:0:4}-${phone:4},$email at example,\"$note\",$custom,2023-04-05 10:11:12,$consent
\"$name\",010-${phone:0:4}-${phone:4},+8210$phone,\"$note\",$custom,2023-04-05 10:11:12,$consent
$custom,010-${phone:0:4}-${phone:4},,,,,$custom,$name
,,,,,,
Another,010-${phone:0:4}-${phone:4},p1@example.com,\"$note\",$custom,2023-04-05 10:11:12,$consent
\"$name,010-${phone:0:4}-${phone:4}" >"$work/bad.csv"
# No header: the first row is a customer.
echo "$row" >"$work/headless.csv"
printf '%s\n' "{\"name\":\"$name\",\"phone\":{\"a\":\"+8210$phone\"}}" "{\"name\":\"$name\",\"phone\":\"$email\"}" \
  "{\"name\":\"$name\" \"$note\"}" "[\"+8210$phone\"]" "\"$name\"" "{\"$email@example.com\":{}}" >"$work/bad.jsonl"
printf '%s\n\xff\xfe%s,%s\n' "$head" "$name" "010-${phone:0:4}-${phone:4}" >"$work/bytes.csv"
{ echo "$head"; echo "$row" | iconv -t UTF-16LE; } >"$work/mixed.csv"
printf '%s\n' "phone=$email" >"$work/bad.set"
printf '%s\n' "+8210$phone" >"$work/line.set"
printf '%s\n' "{\"+8210$phone\": 1}" >"$work/number.json"
printf '%s\n' "{\"phone\": \"+8210$phone" >"$work/cut.json"
for member in mina other sora robot keeper check; do
  both $member list
  both $member show "$uid"
  both $member consent list "$uid"
  both $member lookup --phone "+8210$phone"
  run $member lookup "$uid"
  run $member lookup "+8210$phone"
  run $member lookup --email "$email\@example.com"
  run $member lookup --last4 "${phone:4}"
  run $member lookup --name "$custom"
  run $member lookup --last4 "$custom"
  run $member lookup --telephone="+8210$phone"
  run $member set "$uid" "phone=$email"
  run $member set "$uid" "+8210$phone=1"
  both $member audit log
  [ $member != other ] || continue
  run $member lookup --phone "$email"
  run $member lookup --email "+8210$phone"
  run $member set "+8210$phone" note=1
  run $member show "+8210$phone"
  run $member doctor
  run $member member list
  run $member book list
  run $member book members seoul
  run $member book assign seoul "+8210$phone"
  run $member policy show
done

for file in good.csv bad.csv headless.csv bytes.csv mixed.csv bad.jsonl; do
  both robot import --dry-run "$work/$file"
  run robot import --strict "$work/$file" --book seoul
  [ $file = headless.csv ] || both robot import "$work/$file" --book seoul
  # For the owner as well: a preview, an error and a list of bad rows show nobody in the clear.
  run owner import --dry-run "$work/$file"
  run owner import --strict "$work/$file"
  run owner import "$work/$file" --on-duplicate replace --map "skin=$custom"
  both robot import "$work/$file" --on-duplicate merge
  [ $file = headless.csv ] || run owner import "$work/$file" --on-duplicate merge
done
# What is wrong before anything is unlocked, whoever asks.
for member in mina owner; do
  both $member set "$uid" "+8210$phone"
  both $member --phone="+8210$phone"
  both $member "+8210$phone"
  for file in bad.set line.set number.json cut.json; do both $member set "$uid" --from-file "$work/$file"; done
done
run owner set "$uid" "phone=$email"
run owner lookup --phone "$email"
for command in "audit log" doctor "member list" "book list" "audit verify"; do both owner $command; done
commands=$(ls "$work"/out/*.out | wc -l)
for member in mina other sora robot keeper check owner; do
  for file in "$work/out/$member".*; do
    case $member in
      # All but the two answers at the beginning, which are an admin's.
      owner) [ "${file%.*}" != "$work/out/owner.0" ] && [ "${file%.*}" != "$work/out/owner.2" ] || continue
             role=all ;;
      mina|other) role=agent ;;
      sora) role=supervisor ;;
      robot) role=importer ;;
      keeper) role=retention ;;
      check) role=auditor ;;
    esac
    absent "$work/markers.$role" "$file"
  done
done
# What other books' agents are told of this customer is nothing at all.
absent "$work/markers.all" "$work"/out/other.*
# What the agent and the supervisor do see was there to be found.
cat "$work"/out/mina.* >"$work/agent.all"
present "$work/markers.profile" "$work/agent.all"
cat "$work"/out/sora.* >"$work/supervisor.all"
present "$work/markers.sensitive" "$work/supervisor.all"
pass "$commands outputs, each to its role"

# --- The same in other formats, where nothing but the file of rejected rows holds what it held. ---
# Letters of which the encoding makes no difference.
{ sed -n 2,3p "$work/markers.identity"; echo "$custom"; echo "${name#* }"; echo "${note#* }"; } >"$work/markers.letters"
cat "$work"/markers.{all,letters} >"$work/markers.any"
formats=(vcf cp949.csv)
/usr/bin/python3 -c 'import openpyxl' 2>/dev/null && formats+=(xlsx) || echo "python3-openpyxl is not there: xlsx is left out"
convert() { /usr/bin/python3 "$(dirname "$0")/convert_list.py" "$@"; }
mkdir "$work/lists" "$work/rejects"
# A good row and two bad ones, in front, behind a batch and a half.
some() { echo "\"$name\",010-${phone:0:4}-${phone:4},,$email@example.com,\"$note\",$custom
\"$name\",010-${phone:0:4}-${phone:4}-99999,,$email@example.com,\"$note\",$custom
\"$name\",,,$email at example,\"$note\",$custom"; }
{ echo "name,phone,phone 2,email,note,skin"; some
  seq 24000 | sed "s/.*/R &,,,r&@example.com,\"$note\",$custom/"
  some; } >"$work/rows.csv"
{ echo "name,phone,phone 2,email,note,skin"; some; } >"$work/few.csv"
for format in "${formats[@]}"; do
  list=$work/lists/list.$format few=$work/few.$format damaged=$work/damaged.$format
  convert "$work/rows.csv" "$list"
  convert "$work/few.csv" "$few"
  case $format in  # what cannot be taken apart
    vcf) printf 'BEGIN:VCARD\r\nFN:%s\r\nTEL:+8210%s\r\nBEGIN:VCARD\r\nFN;CHARSET=%s:%s\r\nEND:VCARD\r\n%s\r\n' \
           "$name" "$phone" "$custom" "$name" "$email@example.com" | tee -a "$list" >>"$few" ;;
    cp949.csv) printf '%s;010-%s\r\n"%s;010-%s\r\n' "$name" "$phone" "${name#* }" "$phone" | tee -a "$list" >>"$few" ;;
  esac
  head -c $(($(wc -c <"$few") * 3 / 4)) "$few" >"$damaged"
  for member in robot owner; do
    for file in "$few" "$damaged"; do
      both $member import --dry-run "$file"
      run $member import --strict "$file" --rejects "$work/rejects/$member.strict.$format"
    done
  done

  "$SEALBOOK" --key-file "$work/robot.key" import "$list" --book seoul --on-duplicate replace --rejects "$work/rejects/$format" --shred \
    >"$work/out/robot.$format.out" 2>"$work/out/robot.$format.err" </dev/null &
  importing=$!
  stop_in_the_middle $importing 1000000 "$work/out/robot.$format.err"
  nowhere "$work/markers.any"
  unnamed_files "$work/markers.any" $importing
  [ -e "$list" ] || fail "$format: the list was shredded before it was stored"
  kill -CONT $importing
  status=0
  wait $importing || status=$?
  [ $status -eq 0 ] || fail "$format: exit $status: $(cat "$work/out/robot.$format.err")"
  [ ! -e "$list" ] || fail "$format: the list is left: $(cat "$work/out/robot.$format.err")"
  [ "$(stat -c %a "$work/rejects/$format")" = 600 ] || fail "$format: others may read the rejected rows"
  present "$work/markers.letters" "$work/rejects/$format"
  [ -z "$(new_files "$work/markers.any")" ] || fail "$(new_files "$work/markers.any")"
  pass "$format: read, previewed, rejected and shredded"
done
absent "$work/markers.any" "$SEALBOOK_VAULT" "$work/state"
for file in "$work"/out/{robot,owner}.*; do
  [ "${file%.*}" != "$work/out/owner.0" ] && [ "${file%.*}" != "$work/out/owner.2" ] || continue
  absent "$work/markers.any" "$file"
done

# --- The whole list leaves: closed to everybody but its recipient, whole or half. ---
if command -v oathtool >/dev/null && command -v age-keygen >/dev/null; then
  as owner factor enroll totp --json >"$work/shown"
  secret=$(sed -n 's/.*"secret":"\([A-Z2-7]*\)".*/\1/p' "$work/shown")
  [ ${#secret} -eq 32 ] || fail "no secret was shown"
  echo "$secret" >"$work/markers.factor"
  expect 0 as owner factor enroll totp --confirm "$(oathtool --totp -b -N '30 seconds ago' "$secret")"
  as owner factor enroll recovery --json >>"$work/shown"
  grep -o '[0-9A-Z]\{4\}\(-[0-9A-Z]\{4\}\)\{3\}' "$work/shown" >"$work/codes"
  [ "$(wc -l <"$work/codes")" -eq 10 ] || fail "no ten recovery codes"
  cat "$work/codes" >>"$work/markers.factor"
  present "$work/markers.factor" "$work/shown"
  age-keygen -o "$work/identity" 2>/dev/null
  recipient=$(age-keygen -y "$work/identity")
  mkdir "$work/exports"
  list_out() {  # FILE NUMBER-OF-A-CODE FLAG…
    as owner export -o "$work/exports/$1" --reason audit --recipient "$recipient" \
      --otp "$(sed -n "$2p" "$work/codes")" "${@:3}"
  }
  list_out killed.csv.age 1 >"$work/out/owner.killed.out" 2>&1 &
  exporting=$!
  for _ in $(seq 2000); do
    file=$(find "$work/exports" -name '.killed*' -size +100k)
    [ -z "$file" ] || break
    kill -0 $exporting 2>/dev/null || break
  done
  [ -n "$file" ] || fail "no export was met half written"
  pkill -KILL -P $exporting 2>/dev/null || kill -KILL $exporting 2>/dev/null || true
  wait $exporting 2>/dev/null || true
  code=2
  for format in csv jsonl vcard xlsx; do
    list_out $format $code --format $format >"$work/out/owner.export.$format.out" 2>&1 ||
      fail "export: $(cat "$work/out/owner.export.$format.out")"
    code=$((code + 1))
  done
  absent "$work/markers.any" "$work/exports" "$SEALBOOK_VAULT" "$work/state" "$work"/out/owner.{killed,export}*
  absent "$work/markers.factor" "$work/exports" "$SEALBOOK_VAULT" "$work/state" "$work"/out
  both owner audit log
  both owner factor list
  absent "$work/markers.factor" "$work"/out
  # What it holds, its recipient reads.
  age -d -i "$work/identity" "$work/exports/jsonl" >"$work/opened"
  present "$work/markers.letters" "$work/opened"
  pass "exports, one of them killed, and the second factor behind them"
else
  echo "oathtool and age are not there: exports are left out"
fi

# --- A command that dies leaves no image of its memory, whatever the shell allows. ---
mkdir "$work/dies"
(
  cd "$work/dies"
  ulimit -c unlimited 2>/dev/null || true
  mkfifo list
  "$SEALBOOK" --key-file "$work/robot.key" import list --format csv --encoding utf-8 --delimiter , >/dev/null 2>&1 &
  { echo "$head"; echo "$row"; seq 30000 | sed "s/.*/Q &,,q&@example.com,\"$note\",$custom,,/"; kill -ABRT $!; } >list || true
  wait $! && exit 1
  true
) 2>/dev/null || fail "the import could not be aborted"
[ "$(ls "$work/dies")" = list ] || fail "a dying command left $(ls "$work/dies")"

expect 0 as owner doctor
nowhere "$work/markers.all"
pass "the vault's files ($(cd "$SEALBOOK_VAULT" && ls | tr '\n' ' ')), the state folder, /tmp and /var/tmp afterwards"
