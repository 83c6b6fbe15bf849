# Sourced by scripts/demo and by tests: an OpenSSH server on loopback, thrown away at the end.
#
#   start_sftp || echo "$sftp_missing"     sets sftp_url, sftp_key, sftp_known_hosts, sftp_folder
#   stop_sftp; resume_sftp                 the machine goes away, and is back
#   remove_sftp                            in a trap
#
# As root the account is `nobody`, otherwise the caller's own.

start_sftp() {
  local program user
  for program in /usr/sbin/sshd /usr/bin/ssh-keygen; do
    if [ ! -x "$program" ]; then
      sftp_missing="$program is not here (Debian: openssh-server and openssh-client)"
      return 1
    fi
  done
  user=$(id -un)
  # Not below a folder of root's own: the account has to get there.
  sftp_place=$(mktemp -d /tmp/sealbook-sftp.XXXXXX)
  chmod 0755 "$sftp_place"
  sftp_folder=$sftp_place/files
  mkdir -m 0755 "$sftp_folder"
  if [ "$(id -u)" -eq 0 ]; then
    user=nobody
    chown nobody "$sftp_folder"
    mkdir -p /run/sshd
  fi
  sftp_key=$sftp_place/key sftp_known_hosts=$sftp_place/known_hosts
  ssh-keygen -q -t ed25519 -N '' -C sealbook -f "$sftp_key"
  ssh-keygen -q -t ed25519 -N '' -C server -f "$sftp_place/host_key"
  install -m 0644 "$sftp_key.pub" "$sftp_place/authorized_keys"
  for _ in $(seq 20); do
    sftp_port=$((20000 + RANDOM % 12000))
    if resume_sftp; then
      sftp_url=sftp://$user@127.0.0.1:$sftp_port$sftp_folder
      printf '[127.0.0.1]:%s %s\n' "$sftp_port" "$(cat "$sftp_place/host_key.pub")" >"$sftp_known_hosts"
      return 0
    fi
  done
  sftp_missing="sshd does not start here: $(tail -n 1 "$sftp_place/log")"
  return 1
}

resume_sftp() {
  : >"$sftp_place/log"
  cat >"$sftp_place/config" <<END
ListenAddress 127.0.0.1
Port $sftp_port
HostKey $sftp_place/host_key
PidFile none
AuthorizedKeysFile $sftp_place/authorized_keys
AuthenticationMethods publickey
UsePAM no
StrictModes no
UseDNS no
MaxStartups 100
Subsystem sftp internal-sftp
END
  /usr/sbin/sshd -D -e -f "$sftp_place/config" >>"$sftp_place/log" 2>&1 </dev/null &
  sftp_pid=$!
  for _ in $(seq 100); do
    kill -0 "$sftp_pid" 2>/dev/null || break
    # Its own word, since another server may have the port.
    if grep -q "listening on 127.0.0.1 port $sftp_port" "$sftp_place/log"; then return 0; fi
    sleep 0.1
  done
  stop_sftp
  return 1
}

stop_sftp() {
  [ -n "${sftp_pid-}" ] || return 0
  kill "$sftp_pid" 2>/dev/null || true
  wait "$sftp_pid" 2>/dev/null || true
  sftp_pid=
}

remove_sftp() {
  [ -n "${sftp_place-}" ] || return 0
  stop_sftp
  rm -rf "$sftp_place"
}
