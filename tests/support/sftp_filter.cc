// Stands between sshd and its SFTP server, and makes of it one that fails, lies or forbids: what a
// test cannot have of a stock server. A subsystem's command:
//
//   sftp_filter SERVER RULE…
//
//   keep-outside=FOLDER   nothing may be deleted or renamed but in FOLDER: permission denied
//   cut-after=BYTES       ends the connection when so much was written
//   hang-after=BYTES      says nothing more when so much was written
//   fail-write=N          the N-th WRITE fails and is not done
//   delay=MILLISECONDS    before each request
//   short-reads           answers with less than was asked
//   reorder               gives answers in another order, as far as it has several
//   no-extensions         knows plain version 3
//   greeting              prints a line first, as a shell's profile does
//   list=endless|empty|strange|twice    what READDIR gives
//   wrong-number          answers to requests that nobody sent
//   long-data             a READ's answer is longer than was asked
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

enum : std::uint8_t {
  kVersion = 2,
  kRead = 5,
  kWrite = 6,
  kReaddir = 12,
  kRemove = 13,
  kRename = 18,
  kStatus = 101,
  kData = 103,
  kName = 104,
  kExtended = 200
};

std::map<std::string, std::string> rules;
bool Has(const std::string& rule) { return rules.contains(rule); }
std::uint64_t Number(const std::string& rule) {
  return std::strtoull(rules[rule].c_str(), nullptr, 10);
}

std::uint32_t GetU32(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  }
  return value;
}
std::string U32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}
std::string Text(const std::string& text) {
  return U32(static_cast<std::uint32_t>(text.size())) + text;
}

void WriteAll(int fd, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = write(fd, bytes.data() + done, bytes.size() - done);
    if (written <= 0) std::exit(1);
    done += static_cast<std::size_t>(written);
  }
}

// Packets are kept with their lengths in front.
std::string Packet(std::uint8_t type, const std::string& body) {
  return Text(std::string(1, static_cast<char>(type)) + body);
}
std::string Refusal(std::uint32_t request, std::uint32_t code) {
  return Packet(kStatus, U32(request) + U32(code) + Text("as the test wants it") + Text(""));
}
std::string Entry(const std::string& name, std::uint32_t mode) {
  // Size and permissions.
  return Text(name) + Text("") + U32(1 | 4) + U32(0) + U32(7) + U32(mode);
}

std::uint64_t written = 0, writes = 0, listings = 0, names = 0;

std::string Listing(std::uint32_t request) {
  constexpr std::uint32_t kFile = 0100644, kFolder = 0040755, kLink = 0120777;
  const std::string& kind = rules["list"];
  if (kind == "empty") return Packet(kName, U32(request) + U32(0));
  std::string body;
  std::uint32_t count = 0;
  const auto add = [&](const std::string& name, std::uint32_t mode) {
    body += Entry(name, mode);
    ++count;
  };
  if (kind == "endless") {
    while (count < 7000) add("f" + std::to_string(++names), kFile);
  } else if (++listings > 1) {
    return Refusal(request, 1);  // the end
  } else if (kind == "twice") {
    for (const char* name : {"b", "a", "b"}) add(name, kFile);
  } else {
    for (const char* name : {".", "..", "../up", "a/b", "", "UPPER", "back\\slash", "-dash",
                             "\x1b[31mred", "new\nline", ".hidden", "good-2", "good-1"}) {
      add(name, kFile);
    }
    add(std::string("nul\0byte", 8), kFile);
    add(std::string(201, 'l'), kFile);
    add(std::string(200, 'l'), kFile);
    add("folder", kFolder);
    add("link", kLink);
  }
  return Packet(kName, U32(request) + U32(count) + body);
}

// What goes on to the server; nothing where the client got its answer already.
std::string FromClient(std::string packet) {
  const auto type = static_cast<std::uint8_t>(packet.at(4));
  if (Has("delay")) usleep(static_cast<useconds_t>(Number("delay") * 1000));
  if (packet.size() < 9) return packet;
  const std::uint32_t request = GetU32(packet, 5);
  if (Has("keep-outside")) {
    const bool renames =
        type == kRename || (type == kExtended && packet.find("posix-rename") != std::string::npos);
    const bool inside = packet.find("/" + rules["keep-outside"] + "/") != std::string::npos;
    if (renames || (type == kRemove && !inside)) {
      WriteAll(STDOUT_FILENO, Refusal(request, 3));
      return "";
    }
  }
  if (type == kWrite) {
    written += packet.size();
    if (Has("cut-after") && written > Number("cut-after")) std::exit(0);
    if (Has("hang-after") && written > Number("hang-after")) {
      for (;;) pause();
    }
    if (Has("fail-write") && ++writes == Number("fail-write")) {
      WriteAll(STDOUT_FILENO, Refusal(request, 4));
      return "";
    }
  }
  if (type == kReaddir && Has("list")) {
    WriteAll(STDOUT_FILENO, Listing(request));
    return "";
  }
  if (type == kRead && Has("short-reads")) {
    const std::uint32_t wanted = GetU32(packet, packet.size() - 4);
    if (wanted > 20'000) packet.replace(packet.size() - 4, 4, U32(wanted / 3));
  }
  return packet;
}

std::string FromServer(std::string packet) {
  const auto type = static_cast<std::uint8_t>(packet.at(4));
  if (type == kVersion && Has("no-extensions")) return Packet(kVersion, U32(3));
  if (type == kData && Has("long-data")) {
    return Packet(kData, packet.substr(5, 4) + Text(packet.substr(13) + "x"));
  }
  if (type != kVersion && Has("wrong-number")) packet.replace(5, 4, U32(77'777));
  return packet;
}

// Takes the whole packets off `buffer`.
std::vector<std::string> TakePackets(std::string& buffer) {
  std::vector<std::string> packets;
  std::size_t at = 0;
  while (buffer.size() - at >= 4 && buffer.size() - at >= 4 + std::size_t{GetU32(buffer, at)}) {
    packets.push_back(buffer.substr(at, 4 + std::size_t{GetU32(buffer, at)}));
    at += packets.back().size();
  }
  buffer.erase(0, at);
  return packets;
}

// False at the end.
bool ReadSome(int fd, std::string& buffer) {
  char bytes[65536];
  const ssize_t got = read(fd, bytes, sizeof bytes);
  if (got > 0) buffer.append(bytes, static_cast<std::size_t>(got));
  return got > 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = word.find('=');
    rules[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  signal(SIGPIPE, SIG_IGN);
  int to[2], from[2];
  if (pipe(to) != 0 || pipe(from) != 0) return 1;
  const pid_t server = fork();
  if (server == 0) {
    dup2(to[0], 0), dup2(from[1], 1);
    for (const int fd : {to[0], to[1], from[0], from[1]}) close(fd);
    execl(argv[1], argv[1], static_cast<char*>(nullptr));
    _exit(127);
  }
  close(to[0]), close(from[1]);
  if (Has("greeting")) WriteAll(STDOUT_FILENO, "Welcome to this server!\n");

  std::string requests, answers;
  std::vector<std::string> held;
  for (;;) {
    pollfd wait[2] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                      {.fd = from[0], .events = POLLIN, .revents = 0}};
    const int ready = poll(wait, 2, held.empty() ? -1 : 5);
    if (ready == 0) {
      for (; !held.empty(); held.pop_back()) WriteAll(STDOUT_FILENO, held.back());
    }
    if (wait[0].revents != 0) {
      if (!ReadSome(STDIN_FILENO, requests)) break;
      for (const std::string& packet : TakePackets(requests)) {
        WriteAll(to[1], FromClient(packet));
      }
    }
    if (wait[1].revents != 0) {
      if (!ReadSome(from[0], answers)) break;
      for (const std::string& packet : TakePackets(answers)) {
        if (Has("reorder")) {
          held.push_back(FromServer(packet));
        } else {
          WriteAll(STDOUT_FILENO, FromServer(packet));
        }
      }
    }
  }
  close(to[1]), close(from[0]);
  waitpid(server, nullptr, 0);
  return 0;
}
