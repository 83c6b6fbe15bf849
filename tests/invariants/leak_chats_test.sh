#!/usr/bin/env bash
# Invariant 4, "No leak", of chats: an author's name and number, a message's text, a media file's name, a group's name,
# an id of WhatsApp's and the company's name are looked for in every file of the vault while chats are imported, killed,
# written again and after, in the state folder, in new files of /tmp and /var/tmp, in files without a name, and in
# all that commands print to those who may not see them. Beside it the controls: the searcher finds each form of each
# marker when it is there, the file of rejected messages has them, an admin sees them all, and the customer's agent the chat.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/leaks.sh"

phone=1$(digits 7)
dashed="+82 10-${phone:0:4}-${phone:4}"
name="나래 $(letters 12)"
text="상담 $(letters 12)"
photo="IMG-$(letters 12).jpg"
group="모임 $(letters 12)"
company="상점 $(letters 12)"
user=KR.$(digits 14)
# Files of markers. What identifies somebody is for admins; the rest is for the customer's agents too.
printf '+8210%s\n%s\n%s\n' "$phone" "10-${phone:0:4}-${phone:4}" "$user" >"$work/markers.agent"
printf '%s\n' "$text" "$photo" "$company" "$group" >"$work/markers.chat"
{ cat "$work"/markers.{agent,chat}; echo "$name"
  # Letters of which the encoding makes no difference.
  for marker in "$name" "$text" "$group" "$company"; do echo "${marker#* }"; done; } >"$work/markers.all"
# The searcher is the one of leak_test.sh, which looks at more markers.
control "$work/markers.agent"

touch "$work/start"
export TMPDIR=$work/temporary
mkdir "$TMPDIR"
make_vault
expect 0 as owner book add seoul
expect 0 as owner book add busan
add_member mina agent seoul
add_member other agent busan
add_member check auditor seoul
add_service robot importer
add_service keeper retention
printf 'name,phone\nSomebody,010-2000-0001\n' >"$work/busan.csv"
expect 0 as owner import "$work/busan.csv" --book busan

# --- The files. Their names are as the app makes them, with the customer's in it. ---
mkdir "$work/out" "$work/good" "$work/bad" "$work/zip"
chat() {  # AUTHOR LINES: with a system line, a picture, and texts of several lines
  echo "2024-01-02, 09:00 - Messages and calls are end-to-end encrypted."
  seq "$2" | awk -v who="$1" -v company="$company" -v text="$text" -v photo="$photo" '{
    at = sprintf("2024-%02d-%02d, %02d:%02d - ", 1 + int($1 / 40320) % 12, 1 + int($1 / 1440) % 28, int($1 / 60) % 24, $1 % 60)
    if ($1 % 5 == 0) print at company ": " text " " $1
    else if ($1 % 5 == 1) print at who ": " photo " (file attached)\n" text
    else print at who ": " text " " $1 * 7919 % 104729 "\n" text }'
}
txt="$work/good/WhatsApp Chat with $name.txt"
chat "$name" 300 >"$txt"
chat "$name" 300 | sed '3s/.*/&\xff/; 7s/, 0/, 9/; $s/.$//' >"$work/bad/$name님과의 WhatsApp 대화.txt"
zip="$work/good/WhatsApp Chat - $name.zip"
chat "$name" 400 >"$work/zip/_chat.txt"
head -c 5000 /dev/urandom >"$work/zip/$photo"
(cd "$work/zip" && cmake -E tar cf "$zip" --format=zip _chat.txt "$photo")
head -c $(($(stat -c %s "$zip") / 2)) "$zip" >"$work/bad/WhatsApp Chat - $name.zip"
groups="$work/good/WhatsApp Chat with $group.txt"
{ echo "2024-02-03, 10:00 - $company created group \"$group\""
  echo "2024-02-03, 10:01 - $name: $text in $group, $photo"
  echo "2024-02-03, 10:02 - $dashed: $text"
  echo "2024-02-03, 10:03 - $company: $text"
  echo "2024-02-03, 10:04 - $dashed: $photo (file attached)"; } >"$groups"
webhook() {  # NUMBER [TEXT]
  printf '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"8221234567","phone_number_id":"1"},"contacts":[{"profile":{"name":"%s"},"wa_id":"8210%s","user_id":"%s"}],"messages":[{"from":"8210%s","id":"wamid.%d","timestamp":"17042%05d","type":"%s","%s":{"body":"%s","caption":"%s","filename":"%s"}}]}}]}]}\n' \
    "$name" "$phone" "$user" "$phone" "$1" "$1" "${3-text}" "${3-text}" "${2-$text}" "$text" "$photo"
}
{ webhook 1; webhook 2 "$text" document; webhook 3; } >"$work/good/hook.json"
{ webhook 1 | head -c -40; echo; webhook 2 "$text\\"; webhook 3 | sed 's/"timestamp":"[0-9]*"/"timestamp":"1"/'
  webhook 4 | sed "s/whatsapp_business_account/page/"; webhook 5 | sed 's/"from":"[0-9]*"/"from":"12"/'
  webhook 6 | sed "s/,\"user_id\":\"[^\"]*\"}/,\"user_id\":\"KR.1\"}/; s/\"id\":\"wamid/\"from_user_id\":\"$user\",&/"
  webhook 7 | sed "s/\"type\":\"text\"/\"type\":\"$photo\"/"; } >"$work/bad/hook.json"
line() {  # PHONE TIME DIRECTION TEXT
  printf '{"phone":"%s","time":"%s","direction":"%s","author":"%s","text":"%s"}\n' "$1" "$2" "$3" "$name" "$4"
}
line "$dashed" 2024-03-04T10:00:00Z in "$text" >"$work/good/lines.jsonl"
{ line "$dashed" 1970-01-01T00:00:00Z in "$text"; line "$text" 2024-03-04T10:00:00Z in "$text"
  line "$dashed" 2024-03-04T10:00:00Z "$text" "$photo"; line "$dashed" "$text" in "$photo"; echo "{\"phone\":\"$dashed\"}"
  echo "{\"phone\":{\"$name\":\"$dashed\"},\"$text\":1}"; echo "[\"$text\"]"; echo "\"$name\" $text"; } >"$work/bad/lines.jsonl"
printf '%s 님과 카카오톡 대화\n저장한 날짜 : 2024년 3월 12일 오전 9:00\n\n2024년 3월 11일 오후 2:05, %s : %s\n2024년 3월 11일 오후 2:06, 회원님 : %s\n' \
  "$name" "$name" "$text" "$photo" >"$work/good/KakaoTalkChats.txt"
{ cat "$work/good/KakaoTalkChats.txt"; printf '2024년 2월 30일 오후 2:05, %s : %s\n2024년 3월 11일 오후 14:05, %s : \xff%s\n' "$name" "$text" "$name" "$text"; } >"$work/bad/kakao.txt"
chat "$name" 20 | iconv -t UTF-16LE | cat "$txt" - >"$work/bad/mixed.txt"
echo "{\"$name\":\"$text\"}" >"$work/bad/tree.json"
echo "$name: $text" >"$work/bad/prose.txt"

# --- What is imported by whom, tried, refused and rejected. ---
for member in robot owner; do
  both $member chat import "$work"/good/* --dry-run --me "$company" --timezone Asia/Seoul
  both $member chat import "$work"/good/* --me "$company" --book seoul --timezone Asia/Seoul
  grep -qE '(messages|message), [0-9]+ (imported|known)' "$work"/out/$member.*.out || fail "nothing was imported by $member"
  for file in "$work"/bad/*; do run $member chat import "$file" --me "$company" --rejects "$work/rejects.$member.${file##*.}" --book seoul; done
done
for file in "$work"/good/* "$work"/bad/*; do run robot --json chat import "$file" --me "$text"; done
cat "$work"/rejects.* >"$work/rejects"
for file in "$work"/rejects.*; do [ "$(stat -c %a "$file")" = 600 ] || fail "others may read $file"; done
printf '%s\n' "${name#* }" "${text#* }" "$photo" "$user" >"$work/markers.rejects"
present "$work/markers.rejects" "$work/rejects"
for more in "--me=nobody --contact=$dashed" "--me=nobody --contact=${name#* }" "--timezone=${name#* }" "--format=${text#* }"; do
  # shellcheck disable=SC2086
  run robot chat import "$txt" $more
done
run robot chat import "$work/good/WhatsApp Chat with $name $text.txt"
for member in mina other check keeper; do both $member chat import "$txt" --me "$company"; done
mkdir "$work/spool"
cp "$work"/good/* "$work/spool"
for file in "$work"/bad/*; do cp "$file" "$work/spool/bad ${file##*/}"; done
run robot chat import --watch "$work/spool" --once --me "$company" --book seoul --rejects "$work/rejects.watched"
[ "$(ls "$work/spool/done" | wc -l)" -ge 5 ] || fail "nothing was taken: $(cat "$work"/out/robot.*.err | tail -n 5)"
inside "$work/markers.all"
pass "text, zip, group, webhooks, JSON Lines, KakaoTalk, a spool folder: imported, previewed, refused, rejected"

# --- In the middle: from a file, a zip and a pipe; stopped, looked at, killed. ---
# Each of another year, so that none knows the messages of one before it, of which much may be stored when it is killed.
# Several batches: a single one is committed at the end, and then there is no middle to stop in.
chat "$name" 100000 >"$work/large.txt"
sed 's/2024-/2022-/' "$work/large.txt" >"$work/zip/_chat.txt"
(cd "$work/zip" && cmake -E tar cf "$work/large.zip" --format=zip _chat.txt "$photo")
seq 60000 | awk -v phone="$dashed" -v text="$text" '{
  printf "{\"phone\":\"%s\",\"time\":\"2024-05-01T%02d:%02d:%02dZ\",\"direction\":\"in\",\"text\":\"%s %d\"}\n",
         phone, int($1 / 3600), int($1 / 60) % 60, $1 % 60, text, $1 * 7919 % 104729 }' >"$work/large.jsonl"
mkfifo "$work/pipe"
for source in large.txt large.zip pipe large.jsonl; do
  [ $source != pipe ] || { sed 's/2024-/2023-/' "$work/large.txt" >"$work/pipe"; } &
  writer=$!
  "$SEALBOOK" --key-file "$work/robot.key" chat import "$work/$source" --book seoul --me "$company" --timezone UTC \
    >"$work/out/robot.$source.out" 2>"$work/out/robot.$source.err" </dev/null &
  importing=$!
  stop_in_the_middle $importing 250000 "$work/out/robot.$source.err"
  inside "$work/markers.all"
  unnamed_files "$work/markers.all" $importing
  kill -KILL $importing
  wait $importing 2>/dev/null || true
  wait $writer 2>/dev/null || true
  inside "$work/markers.all"
  expect 0 as owner doctor
  pass "stopped and killed in the middle of $source"
done

# --- What is written again. ---
for number in $(seq 10 20); do
  webhook $number "$text $number" >"$work/live.json"
  expect 0 as robot chat import "$work/live.json"
done
as owner --json chat compact >"$work/out/owner.compact.out" 2>&1
grep -q '"messages":[1-9]' "$work/out/owner.compact.out" || fail "nothing was written again: $(cat "$work/out/owner.compact.out")"
inside "$work/markers.all"
pass "written again: $(cat "$work/out/owner.compact.out")"

# --- Who sees what. ---
uid=$(as owner --json lookup --phone "+8210$phone" | grep -o 'UID_[0-9]*')
as owner --json chat search "$text" --limit 100000 >"$work/admin.all"
{ as owner show "$uid"; as owner chat show "$uid"; as owner --json lookup --name "$name"; } >>"$work/admin.all"
present "$work/markers.all" "$work/admin.all"
pass "an admin sees every marker"
for member in mina other robot keeper check; do
  both $member chat show "$uid"
  both $member chat search "$text" --limit 100000
  run $member chat search "$text" --uid "$uid"
  run $member show "$uid"
  run $member chat compact
  run $member audit log
done
for member in mina other; do
  run $member chat search "$dashed"
  run $member chat show "+8210$phone"
  run $member chat show "$name"
  run $member chat search "$text" --uid "$name"
  run $member chat search "$text" --limit "$phone"
  run $member chat "$text"
done
both owner audit log
both owner doctor
absent "$work/markers.all" "$work"/out/{other,robot,keeper,check,owner}.*
# The agent reads the chat, and not whose number it is.
present "$work/markers.chat" "$work"/out/mina.*
absent "$work/markers.agent" "$work"/out/mina.*
pass "$(ls "$work"/out/*.out | wc -l) outputs, each to its role"

# --- A command that dies leaves no image of its memory, whatever the shell allows. ---
mkdir "$work/dies"
(
  cd "$work/dies"
  ulimit -c unlimited 2>/dev/null || true
  mkfifo pipe
  "$SEALBOOK" --key-file "$work/robot.key" chat import pipe --format jsonl >/dev/null 2>&1 &
  { sed 's/2024-05/2024-06/' "$work/large.jsonl"; kill -ABRT $!; } >pipe || true
  wait $! && exit 1
  true
) 2>/dev/null || fail "the import could not be aborted"
[ "$(ls "$work/dies")" = pipe ] || fail "a dying command left $(ls "$work/dies")"
expect 0 as owner doctor
nowhere "$work/markers.all"
pass "the vault's files ($(cd "$SEALBOOK_VAULT" && ls | tr '\n' ' ')), the state folder, /tmp and /var/tmp afterwards"
