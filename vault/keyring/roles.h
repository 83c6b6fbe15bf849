// Roles as the vault sees them: what the policy's text compiles to, and what the signed roster
// holds. The vault checks signatures and hands out keys by these alone; it never reads the policy's
// text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vault/ids.h"

namespace sealbook::keyring {

// What a role may do beside reading and writing classes. Bits of RoleDefinition::powers; numbers
// are permanent, since they stand in signed rosters.
enum class Power : std::uint32_t {
  kSignRoster = 1u << 0,      // members, books, policy: signs roster versions
  kAssign = 1u << 1,          // assigns contacts to books
  kCreateContacts = 1u << 2,  // creates contacts and their index rows
  kWriteChats = 1u << 3,      // writes chats and subject keys
  kRetention = 1u << 4,       // archives and purges
  kSubjects = 1u << 5,        // the rights of data subjects: holds, labels, erasure
};

struct ClassDefinition {
  ClassId id;
  std::string name;
  friend bool operator==(const ClassDefinition&, const ClassDefinition&) = default;
};

struct RoleDefinition {
  std::string name;
  // True: its keys are the root book's, so it reaches every contact. False: its members' own books.
  bool root_scope = false;
  bool service = false;         // unlocks with a key file
  std::vector<ClassId> holds;   // classes whose secrets its members are granted, ascending
  std::vector<ClassId> writes;  // classes whose values count when its members wrote them, ascending
  std::uint32_t powers = 0;

  bool Has(Power power) const { return (powers & static_cast<std::uint32_t>(power)) != 0; }
  bool Holds(ClassId class_id) const;
  bool Writes(ClassId class_id) const;
  // Writes it, or may write what is there again, as draining does: whoever signs rosters could give
  // themselves the right.
  bool MayWriteAgain(ClassId class_id) const;
  friend bool operator==(const RoleDefinition&, const RoleDefinition&) = default;
};

}  // namespace sealbook::keyring
