// The parts of an age v1 file (C2SP age.md) that its writer and its reader share: keys, the two
// kinds of stanza that we know, chunks. Nothing else includes this.
//
//   age-encryption.org/v1
//   -> X25519 <ephemeral public key>         one for each recipient, or
//   -> scrypt <salt> <log2 of N>             one, alone
//   <the file key, sealed>
//   --- <MAC>
//   <nonce, 16 bytes><chunks>
#pragma once

#include <array>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/crypto/exchange.h"

namespace sealbook::crypto::internal {

inline constexpr absl::string_view kAgeVersionLine = "age-encryption.org/v1";
inline constexpr std::size_t kAgeMacCharacters = 43;  // of base64
inline constexpr absl::string_view kAgeX25519 = "X25519";
inline constexpr absl::string_view kAgeScrypt = "scrypt";
inline constexpr std::size_t kAgeFileKeyBytes = 16;
inline constexpr std::size_t kAgeNonceBytes = 16;
inline constexpr std::size_t kAgeChunkBytes = 64 * 1024;  // of plaintext; the last one is shorter
inline constexpr std::size_t kAgeTagBytes = 16;
inline constexpr std::size_t kAgeSealedChunkBytes = kAgeChunkBytes + kAgeTagBytes;
inline constexpr std::size_t kAgeLineBytes = 48;  // what a line of 64 base64 characters holds

struct AgePurpose;  // a key of an age file. The file key is the first 16 bytes of one.
using AgeKey = Key<AgePurpose>;

// Base64 as age has it: without padding, and only as ToAgeBase64 writes it.
std::string ToAgeBase64(ByteView bytes);
// InvalidArgument: anything else.
absl::StatusOr<Bytes> FromAgeBase64(absl::string_view text);

AgeKey NewAgeFileKey();
std::array<std::uint8_t, 32> AgeHeaderMac(const AgeKey& file_key, absl::string_view header);
AgeKey AgePayloadKey(const AgeKey& file_key, ByteView nonce);

struct AgeStanza {
  std::vector<std::string> arguments;  // at least one: the first is its type
  Bytes body;
};

// The text of a stanza, line ends included.
// InvalidArgument: `recipient` is of small order.
absl::StatusOr<std::string> WrapForX25519(const AgeKey& file_key, const ExchangePublic& recipient);
// ResourceExhausted: not the memory that `work_factor` asks (2^work_factor KiB).
absl::StatusOr<std::string> WrapForPassphrase(const AgeKey& file_key, ByteView passphrase,
                                              int work_factor);

// The file key from a stanza of that type, the form of which was checked.
// Unauthenticated: sealed to somebody else. InvalidArgument: not the form that the type has, a
// share of small order, or a work factor above `max_work_factor`.
absl::Status CheckX25519Stanza(const AgeStanza& stanza);
absl::StatusOr<AgeKey> UnwrapX25519(const AgeStanza& stanza, const ExchangePair& identity);
absl::Status CheckScryptStanza(const AgeStanza& stanza, int max_work_factor);
absl::StatusOr<AgeKey> UnwrapScrypt(const AgeStanza& stanza, ByteView passphrase);

// STREAM: each chunk under its number and a mark on the last one.
// Works in place: `chunk` is the plaintext and room for the tag behind it.
void SealAgeChunk(const AgeKey& payload_key, std::uint64_t number, bool last,
                  std::span<std::uint8_t> chunk);
// Into `plaintext`, which has room for all but the tag and lies elsewhere. False, and nothing is
// decrypted: another key, number or mark, altered, or shorter than a tag.
bool OpenAgeChunk(const AgeKey& payload_key, std::uint64_t number, bool last, ByteView sealed,
                  std::uint8_t* plaintext);

}  // namespace sealbook::crypto::internal
