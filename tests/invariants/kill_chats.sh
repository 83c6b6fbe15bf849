# Chats, for scripts/kill_test, which reads this file where one of these cases is asked for:
#
#   chat_text      exports of WhatsApp by the owner: of a known customer, of a new one, of a group, with rejects
#   chat_zip       an export in a zip beside its media, by the importer
#   chat_webhook   webhooks by the importer, of known customers and new ones
#   chat_compact   messages that came one by one, written again as larger pieces
#   chat_watch     a spool folder with files of each kind, and one that cannot be used
#
# What is checked after each kill: the vault passes `doctor`; what is there is a part of what is expected, and all of it
# where the command said so; the same command run again ends with every message once and every customer once, as in a vault
# in which it was never interrupted. Many messages are equal to others of their minute, so that a batch that is
# stored twice would show.
#
# $KILL_TEST_MESSAGES is how many messages the larger files have (default 12000, more than a batch).
many=${KILL_TEST_MESSAGES:-12000}

# lines FIRST COUNT CUSTOMER…: of WhatsApp, ten a minute, all of them with an "e" in them. Where there are several
# customers, it is a group.
lines() {
  awk -v first="$1" -v count="$2" -v names="$(IFS=,; echo "${*:3}")" 'BEGIN {
    customers = split(names, name, ",")
    at = "2024-01-01, 00:00 - "
    print at "Messages and calls are end-to-end encrypted."
    if (customers > 1) print at "Shop created group \"The club\""
    for (i = first; i < first + count; ++i) {
      minute = int(i / 10)
      at = sprintf("2024-%02d-%02d, %02d:%02d - ", 1 + int(minute / 1440 / 28) % 12, 1 + int(minute / 1440) % 28,
                   int(minute / 60) % 24, minute % 60)
      who = i % 3 == 1 ? "Shop" : name[1 + i % customers]
      text = "message " i % 4
      if (i % 17 == 0) text = "<Media omitted>"
      if (i % 23 == 0) text = "several\nlines, here\n"
      if (i % 31 == 0) text = "This message was deleted"
      print at who ": " text
    }
  }'
}
# webhooks FIRST COUNT: one a line, of thirty customers, some of whom the list has.
webhooks() {
  awk -v first="$1" -v count="$2" 'BEGIN {
    for (i = first; i < first + count; ++i) {
      phone = sprintf("8210%d%04d", i % 30 < 10 ? 2000 : 7000, i % 30)
      printf "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":\"messages\",\"value\":{"
      printf "\"messaging_product\":\"whatsapp\",\"metadata\":{\"display_phone_number\":\"8221234567\",\"phone_number_id\":\"1\"},"
      printf "\"contacts\":[{\"profile\":{\"name\":\"Hook %d\"},\"wa_id\":\"%s\",\"user_id\":\"KR.%d\"}],", i % 30, phone, i % 30
      printf "\"messages\":[{\"from\":\"%s\",\"id\":\"wamid.%d\",\"timestamp\":\"%d\",\"type\":\"text\",", phone, i, 1704067200 + i
      printf "\"text\":{\"body\":\"message %d\"}}]}}]}]}\n", i % 4
    }
  }'
}
# live FIRST COUNT CUSTOMERS: as Sealbook's JSON Lines, without ids; equal ones in every second.
live() {
  awk -v first="$1" -v count="$2" -v customers="$3" 'BEGIN {
    for (i = first; i < first + count; ++i)
      printf "{\"phone\":\"+8210%d%04d\",\"time\":\"2024-03-%02dT10:%02d:00Z\",\"direction\":\"in\",\"text\":\"message %d\"}\n",
             i % customers < 5 ? 2000 : 7100, i % customers, 1 + int(i / 2000) % 28, int(i / customers) % 60, i % 3
  }'
}

prepare_chats() {
  local file
  mkdir "$work/chats" "$work/zip" "$work/zip/content" "$work/webhooks" "$work/live" "$work/spool"
  { lines 0 "$many" 'Person 0-1'
    echo "2024-13-40, 10:00 - Person 0-1: a day that there is not"
    echo "1971-01-01, 10:00 - Person 0-1: a time that there was not"; } >"$work/chats/WhatsApp Chat with Person 0-1.txt"
  lines 0 $((many / 6)) 'New person' >"$work/chats/WhatsApp Chat with New person.txt"
  lines 500 $((many / 3)) 'Person 0-1' 'Person 0-2' 'New person' 'Group only' >"$work/chats/group.txt"

  lines 0 "$many" 'Zipped person' >"$work/zip/content/_chat.txt"
  head -c 100000 /dev/urandom >"$work/zip/content/00000001-PHOTO.jpg"
  (cd "$work/zip/content" && cmake -E tar cf "../WhatsApp Chat - Zipped person.zip" --format=zip _chat.txt 00000001-PHOTO.jpg)

  webhooks 0 "$many" >"$work/webhooks/1.json"
  webhooks $((many - 500)) 1000 >"$work/webhooks/2.json"

  cp -a "$work/base" "$work/compacted"
  vault=$work/compacted
  for ((file = 0; file * 400 < many; ++file)); do live $((file * 400)) 400 40 >"$work/live/$(printf '%04d' $file).jsonl"; done
  sealbook --key-file "$work/importer.key" chat import "$work"/live/*.jsonl --book seoul >/dev/null

  live 0 2000 20 >"$work/spool/a.jsonl"
  webhooks 0 1000 >"$work/spool/b.json"
  echo "no chat at all" >"$work/spool/c.txt"
  lines 0 1000 'New person' >"$work/spool/d WhatsApp Chat with New person.txt"
  live 1000 3000 20 >"$work/spool/e.jsonl"
}

run_as_importer() {
  exec env "${fault[@]}" "$SEALBOOK" --vault "$vault" --key-file "$work/importer.key" --json "$@" </dev/null
}
run_chat_text() { run_as_owner --json chat import "$work"/chats/* --me Shop --book seoul --rejects "$work/now/rejects.jsonl"; }
run_chat_zip() { run_as_importer chat import "$work"/zip/*.zip --me Shop --book seoul; }
run_chat_webhook() { run_as_importer chat import "$work"/webhooks/* --book seoul; }
run_chat_compact() { run_as_owner --json chat compact; }
run_chat_watch() { run_as_importer chat import --watch "$work/now/spool" --once --me Shop --book seoul; }

# What all customers' chats hold, as the owner is shown them: a message a line.
messages() {
  as_owner --json chat search e --limit 10000000 >"$work/now/messages.output" 2>"$work/now/messages.error" ||
    fail "chat search: $(cat "$work/now/messages.error")"
  [ ! -s "$work/now/messages.error" ] || fail "chat search: $(cat "$work/now/messages.error")"
  sed 's/"uid":"UID_[0-9]*"/"uid":""/' "$work/now/messages.output"
}
# The sum of a number in what the command told, over all its answers.
total() { grep -oE "^\{[^[]*\"$1\":[0-9]+" "$work/now/again.output" | grep -oE '[0-9]+$' | awk '{ n += $1 } END { print n + 0 }'; }

# Once without a kill: what is expected.
expected_chats() {
  messages >"$work/$case.messages"
  customers >"$work/$case.customers"
  messages_expected=$(wc -l <"$work/$case.messages")
  [ "$messages_expected" -gt 1000 ] || fail "there are only $messages_expected messages"
  [ ! -e "$work/now/rejects.jsonl" ] || cp "$work/now/rejects.jsonl" "$work/$case.rejects"
  [ "$case" != chat_text ] || [ "$(wc -l <"$work/$case.rejects")" -eq 2 ] || fail "two messages are bad: $(cat "$work/$case.rejects")"
  written_again=$(total messages)
}
as_expected() {
  messages | cmp -s "$work/$case.messages" - || fail "the messages differ: $(wc -l <"$work/now/messages.output"), $messages_expected expected"
  customers | cmp -s "$work/$case.customers" - || fail "the customers differ from those of an uninterrupted command"
}
# After the kill: $before messages, of those that are expected, and as often at most.
a_part() {
  messages | sort >"$work/now/part"
  before=$(wc -l <"$work/now/part")
  [ "$(sort "$work/$case.messages" | comm -13 - "$work/now/part" | wc -l)" -eq 0 ] || fail "messages are there that nobody expects, or too often"
  if [ "$before" -eq "$messages_expected" ]; then there=$((there + 1)); elif [ "$before" -gt 0 ]; then partly=$((partly + 1)); fi
  [ "$ended" -ne 0 ] || [ "$before" -eq "$messages_expected" ] || fail "it says that all is well, with $before of $messages_expected messages"
}

check_chat_import() {
  local before after
  doctor
  a_part
  again || fail "run again: $(cat "$work/now/again.output")"
  after=$(total imported)
  [ $((before + after)) -eq "$messages_expected" ] || fail "$before messages, then $after imported, $messages_expected expected"
  doctor
  as_expected
}
check_chat_text() {
  check_chat_import
  no_temporaries
  [ "$(stat -c %a "$work/now/rejects.jsonl")" = 600 ] || fail "others may read the rejected messages"
  cmp -s "$work/$case.rejects" "$work/now/rejects.jsonl" || fail "the rejected messages differ"
}
check_chat_zip() { check_chat_import; }
check_chat_webhook() { check_chat_import; }
# Nothing that anybody sees changes, at any moment.
check_chat_compact() {
  local left
  doctor
  as_expected
  again || fail "run again: $(cat "$work/now/again.output")"
  left=$(total messages)
  if [ "$left" -eq 0 ]; then there=$((there + 1)); elif [ "$left" -lt "$written_again" ]; then partly=$((partly + 1)); fi
  [ "$ended" -ne 0 ] || [ "$left" -eq 0 ] || fail "it says that all is well, and $left messages were left"
  again || fail "run once more: $(cat "$work/now/again.output")"
  [ "$(total messages)" -eq 0 ] || fail "run once more, it writes $(total messages) messages again"
  doctor
  as_expected
}
# In which of the folders each file is, which must be one.
places() {
  local name place
  for name in "$work"/spool/*; do
    name=${name##*/}
    place=
    for folder in spool spool/done spool/failed; do
      [ ! -e "$work/now/$folder/$name" ] || place+=" $folder"
    done
    [ "$(wc -w <<<"$place")" -eq 1 ] || fail "$name is in:$place"
    echo "$name$place"
  done
}
check_chat_watch() {
  local before done_lines
  doctor
  places >"$work/now/places"
  a_part
  # What was put with what is done is in the vault: the second of two files has messages of the first.
  done_lines=0
  ! grep -q '^e.jsonl spool/done' "$work/now/places" || done_lines=$messages_expected
  ! grep -q '^b.json spool/done' "$work/now/places" || [ $done_lines -gt 0 ] || done_lines=3000
  [ "$before" -ge "$done_lines" ] || fail "$before messages, and done are: $(grep done "$work/now/places")"
  again || fail "run again: $(cat "$work/now/again.output")"
  [ "$(places | tr '\n' ';')" = "a.jsonl spool/done;b.json spool/done;c.txt spool/failed;d WhatsApp Chat with New person.txt spool/done;e.jsonl spool/done;" ] ||
    fail "in the end: $(places)"
  [ "$(ls "$work/now/spool" "$work/now/spool/done" "$work/now/spool/failed" | grep -c -- '-[0-9]*\.')" -eq 0 ] || fail "a file was taken twice"
  doctor
  as_expected
}

# Before each run of the command.
ready() { [ "$case" != chat_watch ] || cp -a "$work/spool" "$work/now/spool"; }
