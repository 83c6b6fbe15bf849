// The chain of roster versions: each rule of roster.h with a variant that keeps it and one that
// breaks it.
#include "vault/keyring/roster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "vault/crypto/random.h"

namespace sealbook::keyring {
namespace {

constexpr MemberId kOwner{1}, kRecovery{2}, kAdmin{3}, kAgent{4}, kSecondAdmin{5};
constexpr BookId kSeoul{1};

struct Person {
  crypto::ExchangePair exchange = crypto::ExchangePair::Generate();
  crypto::SigningPair signing = crypto::SigningPair::Generate();
  Member As(MemberId id, absl::string_view name, absl::string_view role,
            MemberKind kind = MemberKind::kPerson) const {
    return {.id = id,
            .kind = kind,
            .active = true,
            .name = std::string(name),
            .role = std::string(role),
            .exchange = exchange.public_key(),
            .verify = signing.verify_key()};
  }
};

class RosterTest : public ::testing::Test {
 protected:
  using Edit = std::function<void(Roster&)>;

  RosterTest() {
    const std::uint32_t signs = static_cast<std::uint32_t>(Power::kSignRoster);
    first_ = {.vault = {7},
              .root = root_.verify_key(),
              .escrow = crypto::ExchangePair::Generate().public_key(),
              .policy_hash = {9},
              .classes = {{ClassId::kProfile, "profile"},
                          {ClassId::kIndex, "index"},
                          {ClassId::kAudit, "audit"}},
              .roles = {{"owner",
                         true,
                         false,
                         {ClassId::kProfile, ClassId::kAudit},
                         {ClassId::kProfile},
                         signs},
                        {"admin", true, false, {ClassId::kProfile}, {ClassId::kProfile}, signs},
                        {"agent", false, false, {ClassId::kProfile}, {ClassId::kProfile}, 0}},
              .members = {owner_.As(kOwner, "owner", "owner"),
                          recovery_.As(kRecovery, "recovery code", "owner", MemberKind::kRecovery),
                          admin_.As(kAdmin, "boss", "admin"), agent_.As(kAgent, "mina", "agent"),
                          second_admin_.As(kSecondAdmin, "chief", "admin")},
              .books = {{kSeoul, "seoul"}},
              .memberships = {{kSeoul, kAgent}},
              .compartments = {{kRootBook, ClassId::kProfile, 1, NewKey()},
                               {kSeoul, ClassId::kProfile, 1, NewKey()}}};
    EXPECT_TRUE(history_.Append(first_.Sign(root_)).ok());
  }
  static crypto::ExchangePublic NewKey() { return crypto::ExchangePair::Generate().public_key(); }

  // The next version, as an honest signer begins it: with new epochs, whatever it takes away.
  Roster Next(MemberId signer, const Edit& edit) const {
    Roster next = history_.current();
    ++next.version;
    next.previous = history_.current_hash();
    next.signer = signer;
    for (Compartment& c : next.compartments) {
      ++c.epoch;
      c.public_key = NewKey();
    }
    edit(next);
    return next;
  }
  const crypto::SigningPair& KeyOf(MemberId signer) const {
    if (signer == kRootSigner) return root_;
    if (signer == kOwner) return owner_.signing;
    if (signer == kAdmin) return admin_.signing;
    if (signer == kSecondAdmin) return second_admin_.signing;
    return agent_.signing;
  }
  absl::Status Append(MemberId signer, const Edit& edit) {
    return history_.Append(Next(signer, edit).Sign(KeyOf(signer)));
  }
  // Tried and not kept.
  bool Counts(MemberId signer, const Edit& edit) const {
    RosterHistory copy = history_;
    const absl::Status status = copy.Append(Next(signer, edit).Sign(KeyOf(signer)));
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    EXPECT_EQ(copy.current().version, history_.current().version + (status.ok() ? 1 : 0));
    return status.ok();
  }
  static Member& Find(Roster& roster, MemberId id) {
    return *std::find_if(roster.members.begin(), roster.members.end(),
                         [&](const Member& m) { return m.id == id; });
  }
  static RoleDefinition& Role(Roster& roster, absl::string_view name) {
    return *std::find_if(roster.roles.begin(), roster.roles.end(),
                         [&](auto& r) { return r.name == name; });
  }
  static void Nothing(Roster&) {}

  crypto::SigningPair root_ = crypto::SigningPair::Generate();
  Person owner_, recovery_, admin_, agent_, second_admin_, stranger_;
  Roster first_;
  RosterHistory history_{root_.verify_key()};
};

TEST_F(RosterTest, DocumentComesBackAsItWasSigned) {
  const crypto::Bytes document = first_.Sign(root_);
  const auto parsed = SignedRoster::Parse(document);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const Roster& roster = parsed->roster;
  EXPECT_EQ(roster.vault, first_.vault);
  EXPECT_EQ(roster.version, 1u);
  EXPECT_EQ(roster.root, first_.root);
  EXPECT_EQ(roster.escrow, first_.escrow);
  EXPECT_EQ(roster.policy_hash, first_.policy_hash);
  EXPECT_EQ(roster.classes, first_.classes);
  EXPECT_EQ(roster.roles, first_.roles);
  EXPECT_EQ(roster.members, first_.members);
  EXPECT_EQ(roster.books, first_.books);
  EXPECT_EQ(roster.memberships, first_.memberships);
  EXPECT_EQ(roster.compartments, first_.compartments);
  EXPECT_EQ(parsed->hash, history_.current_hash());
  EXPECT_EQ(roster.Sign(root_), document);  // the same values, the same bytes
}

TEST_F(RosterTest, DocumentCutAtEveryOffsetIsDataLoss) {
  const crypto::Bytes document = first_.Sign(root_);
  for (std::size_t size = 0; size < document.size(); ++size) {
    ASSERT_TRUE(absl::IsDataLoss(SignedRoster::Parse(ByteView(document).first(size)).status()))
        << size;
  }
  crypto::Bytes longer = document;
  longer.push_back(0);
  EXPECT_TRUE(absl::IsDataLoss(SignedRoster::Parse(longer).status()));
}

TEST_F(RosterTest, ChangedByteDoesNotCount) {
  const crypto::Bytes document = first_.Sign(root_);
  for (std::size_t at = 0; at < document.size(); ++at) {
    crypto::Bytes altered = document;
    altered[at] ^= 0x80;
    RosterHistory history(root_.verify_key());
    ASSERT_TRUE(absl::IsDataLoss(history.Append(altered))) << at;
    ASSERT_TRUE(history.empty());
  }
}

TEST_F(RosterTest, HostileBytesAreDataLossAndTakeNoMemory) {
  const crypto::Bytes document = first_.Sign(root_);
  for (int round = 0; round < 20000; ++round) {
    crypto::Bytes altered = document;
    for (int n = 0; n < 4; ++n) {  // counts and lengths too: four bytes of 255 in a row
      altered[crypto::RandomBelow(altered.size())] =
          round % 2 == 0 ? 255 : static_cast<std::uint8_t>(crypto::RandomBelow(256));
    }
    const std::size_t at = crypto::RandomBelow(altered.size() - 4);
    std::fill_n(altered.begin() + static_cast<std::ptrdiff_t>(at), 4, std::uint8_t{255});
    const auto parsed = SignedRoster::Parse(altered);
    ASSERT_TRUE(parsed.ok() || absl::IsDataLoss(parsed.status()));
    if (parsed.ok()) {
      ASSERT_LE(parsed->roster.members.size(), document.size());
      RosterHistory history(root_.verify_key());
      ASSERT_TRUE(altered == document || absl::IsDataLoss(history.Append(altered)));
    }
  }
}

TEST_F(RosterTest, FirstVersionIsSignedByTheRootKeyAlone) {
  const auto appends = [&](const Roster& roster, const crypto::SigningPair& pair) {
    RosterHistory history(root_.verify_key());
    return history.Append(roster.Sign(pair)).ok();
  };
  EXPECT_TRUE(appends(first_, root_));
  EXPECT_FALSE(appends(first_, owner_.signing));
  Roster by_owner = first_;
  by_owner.signer = kOwner;
  EXPECT_FALSE(appends(by_owner, owner_.signing));
  EXPECT_FALSE(appends(by_owner, root_));
  Roster later = first_;
  later.version = 2;
  EXPECT_FALSE(appends(later, root_));
  later.version = 0;
  EXPECT_FALSE(appends(later, root_));
}

TEST_F(RosterTest, ChainOfAnotherRootKeyDoesNotCount) {
  const crypto::SigningPair other = crypto::SigningPair::Generate();
  Roster forged = first_;
  forged.root = other.verify_key();
  RosterHistory history(root_.verify_key());
  EXPECT_TRUE(absl::IsDataLoss(history.Append(forged.Sign(other))));
  EXPECT_TRUE(absl::IsDataLoss(history.Append(forged.Sign(root_))));
}

TEST_F(RosterTest, VersionFollowsItsPredecessor) {
  EXPECT_TRUE(Counts(kRootSigner, Nothing));
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { ++next.version; }));
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { --next.version; }));
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { next.previous[0] ^= 1; }));
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { next.previous = {}; }));
}

TEST_F(RosterTest, TwoVersionsOfOneNumberAreNotBothTaken) {
  const crypto::Bytes other_branch =
      Next(kRootSigner, [](Roster& next) { next.time_ms = 1; }).Sign(root_);
  ASSERT_TRUE(Append(kRootSigner, Nothing).ok());
  EXPECT_TRUE(absl::IsDataLoss(history_.Append(other_branch)));
}

TEST_F(RosterTest, VaultRootAndEscrowStayTheSame) {
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { next.vault[0] ^= 1; }));
  EXPECT_FALSE(
      Counts(kRootSigner, [&](Roster& next) { next.root = stranger_.signing.verify_key(); }));
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { next.escrow = NewKey(); }));
}

TEST_F(RosterTest, AdminsSignAndOthersDoNot) {
  EXPECT_TRUE(Counts(kAdmin, Nothing));
  EXPECT_FALSE(Counts(kAgent, Nothing));
  EXPECT_FALSE(Counts(MemberId{99}, Nothing));
  // In an admin's name with another key.
  RosterHistory copy = history_;
  EXPECT_TRUE(absl::IsDataLoss(copy.Append(Next(kAdmin, Nothing).Sign(agent_.signing))));
  EXPECT_TRUE(absl::IsDataLoss(copy.Append(Next(kRootSigner, Nothing).Sign(admin_.signing))));
}

TEST_F(RosterTest, AgentCannotMakeHimselfAnAdminInTheVersionThatHeSigns) {
  EXPECT_FALSE(Counts(kAgent, [](Roster& next) { Find(next, kAgent).role = "admin"; }));
}

TEST_F(RosterTest, RemovedAdminSignsNothingMore) {
  ASSERT_TRUE(Append(kRootSigner, [](Roster& next) { Find(next, kAdmin).active = false; }).ok());
  EXPECT_FALSE(Counts(kAdmin, Nothing));
  EXPECT_FALSE(Counts(kAdmin, [](Roster& next) { Find(next, kAdmin).active = true; }));
  EXPECT_TRUE(Counts(kSecondAdmin, Nothing));
}

TEST_F(RosterTest, AdminChangesAgentsBooksAndEpochs) {
  EXPECT_TRUE(Counts(kAdmin, [&](Roster& next) {
    next.members.push_back(stranger_.As(MemberId{6}, "jun", "agent"));
    next.books.push_back({BookId{2}, "busan"});
    next.memberships.push_back({BookId{2}, MemberId{6}});
    next.compartments.push_back({BookId{2}, ClassId::kProfile, 1, NewKey()});
    next.compartments[1] = {kSeoul, ClassId::kProfile, 2, NewKey()};
    Find(next, kAgent).active = false;
  }));
}

TEST_F(RosterTest, AdminsCannotMakeAdmins) {
  const auto by_admin = [&](const Edit& edit) { return Counts(kAdmin, edit); };
  const auto by_root = [&](const Edit& edit) { return Counts(kRootSigner, edit); };
  const std::vector<Edit> edits = {
      [&](Roster& next) { next.members.push_back(stranger_.As(MemberId{6}, "new", "admin")); },
      [&](Roster& next) { next.members.push_back(stranger_.As(MemberId{6}, "new", "owner")); },
      [&](Roster& next) {
        next.members.push_back(
            stranger_.As(MemberId{6}, "recovery code", "owner", MemberKind::kRecovery));
      },
      [](Roster& next) { Find(next, kAgent).role = "admin"; },
      [](Roster& next) {
        Role(next, "agent").powers |= static_cast<std::uint32_t>(Power::kSignRoster);
      },
      [&](Roster& next) { Find(next, kSecondAdmin).verify = stranger_.signing.verify_key(); },
      [&](Roster& next) { Find(next, kSecondAdmin).exchange = stranger_.exchange.public_key(); },
      [&](Roster& next) { Find(next, kAdmin).verify = stranger_.signing.verify_key(); },
      [](Roster& next) { Find(next, kSecondAdmin).role = "owner"; },
      [](Roster& next) { Find(next, kSecondAdmin).name = "other"; },
      [](Roster& next) { Find(next, kAgent).kind = MemberKind::kRecovery; },
  };
  for (std::size_t i = 0; i < edits.size(); ++i) {
    EXPECT_FALSE(by_admin(edits[i])) << i;
    EXPECT_TRUE(by_root(edits[i])) << i;  // owners do
  }
}

TEST_F(RosterTest, AdminCannotMakeAnAdminInTwoSteps) {
  // A policy with a role that signs rosters, without members, and then a member of it.
  ASSERT_TRUE(
      Append(kAdmin, [](Roster& next) {
        next.policy_hash[0] ^= 1;
        next.roles.push_back(
            {"deputy", false, false, {}, {}, static_cast<std::uint32_t>(Power::kSignRoster)});
      }).ok());
  EXPECT_FALSE(Counts(kAdmin, [](Roster& next) { Find(next, kAgent).role = "deputy"; }));
  EXPECT_FALSE(Counts(kAdmin, [&](Roster& next) {
    next.members.push_back(stranger_.As(MemberId{6}, "new", "deputy"));
  }));
}

TEST_F(RosterTest, AdminCannotBringADisabledAdminBack) {
  ASSERT_TRUE(
      Append(kRootSigner, [](Roster& next) { Find(next, kSecondAdmin).active = false; }).ok());
  EXPECT_FALSE(Counts(kAdmin, [](Roster& next) { Find(next, kSecondAdmin).active = true; }));
  EXPECT_TRUE(Counts(kRootSigner, [](Roster& next) { Find(next, kSecondAdmin).active = true; }));
}

TEST_F(RosterTest, AdminTakesAnotherAdminAwayButNotTheOwner) {
  EXPECT_TRUE(Counts(kAdmin, [](Roster& next) { Find(next, kSecondAdmin).active = false; }));
  const std::vector<Edit> edits = {
      [](Roster& next) { Find(next, kOwner).active = false; },
      [](Roster& next) { Find(next, kOwner).role = "agent"; },
      [](Roster& next) {
        std::erase_if(next.members, [](const Member& m) { return m.id == kOwner; });
      },
      [](Roster& next) { Find(next, kRecovery).active = false; },
      [](Roster& next) {
        std::erase_if(next.members, [](const Member& m) { return m.id == kRecovery; });
      },
      [&](Roster& next) { Find(next, kRecovery).exchange = stranger_.exchange.public_key(); },
      // Without her role, the owner is locked out as surely.
      [](Roster& next) {
        std::erase_if(next.roles, [](const RoleDefinition& r) { return r.name == "owner"; });
      },
      [](Roster& next) { Role(next, "owner").powers = 0; },
      [](Roster& next) { Role(next, "owner").holds.clear(); },
  };
  for (std::size_t i = 0; i < edits.size(); ++i) EXPECT_FALSE(Counts(kAdmin, edits[i])) << i;
}

TEST_F(RosterTest, SecondEntryOfOneNumberMakesNoAdmin) {
  EXPECT_FALSE(Counts(kAdmin, [&](Roster& next) {
    next.members.push_back(stranger_.As(kSecondAdmin, "chief", "admin"));
  }));
  EXPECT_FALSE(Counts(kAdmin, [&](Roster& next) {
    next.members.insert(next.members.begin(), stranger_.As(kOwner, "owner", "owner"));
  }));
}

TEST_F(RosterTest, EpochsAndKeysGoForward) {
  const auto with = [&](std::uint32_t epoch, const crypto::ExchangePublic& key) {
    return Counts(kAdmin, [&](Roster& next) {
      next.compartments[1].epoch = epoch;
      next.compartments[1].public_key = key;
    });
  };
  ASSERT_TRUE(Append(kAdmin, [](Roster& next) {
                next.compartments[1] = {kSeoul, ClassId::kProfile, 2, NewKey()};
              }).ok());
  const crypto::ExchangePublic now = history_.current().compartments[1].public_key;
  EXPECT_TRUE(with(2, now));
  EXPECT_TRUE(with(3, NewKey()));
  EXPECT_FALSE(with(4, NewKey()));
  EXPECT_FALSE(with(2, NewKey()));
  EXPECT_FALSE(with(1, NewKey()));
  EXPECT_FALSE(with(1, now));
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { next.compartments.pop_back(); }));
  EXPECT_FALSE(
      Counts(kRootSigner, [](Roster& next) { next.compartments[1].class_id = ClassId::kAudit; }));
}

TEST_F(RosterTest, KeyThatEverybodyCanOpenDoesNotCount) {
  const crypto::ExchangePublic everybodys{};  // a point of small order
  const std::vector<Edit> edits = {
      [&](Roster& next) {
        next.compartments[1] = {kSeoul, ClassId::kProfile, 2, everybodys};
      },
      [&](Roster& next) {
        next.compartments.push_back({BookId{2}, ClassId::kProfile, 1, everybodys});
      },
      [&](Roster& next) { Find(next, kAgent).exchange = everybodys; },
  };
  for (std::size_t i = 0; i < edits.size(); ++i) {
    EXPECT_FALSE(Counts(kAdmin, edits[i])) << i;
    EXPECT_FALSE(Counts(kRootSigner, edits[i])) << i;
  }
  Roster first = first_;
  first.escrow = everybodys;
  RosterHistory history(root_.verify_key());
  EXPECT_TRUE(absl::IsDataLoss(history.Append(first.Sign(root_))));
}

TEST_F(RosterTest, SessionHeadDoesNotGoBack) {
  ASSERT_TRUE(Append(kRootSigner, [](Roster& next) { next.session_head = 5; }).ok());
  EXPECT_TRUE(Counts(kRootSigner, [](Roster& next) { next.session_head = 5; }));
  EXPECT_TRUE(Counts(kRootSigner, [](Roster& next) { next.session_head = 6; }));
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { next.session_head = 4; }));
  EXPECT_FALSE(Counts(kRootSigner, [](Roster& next) { next.session_head = -1; }));
}

TEST_F(RosterTest, SessionNamesTheVersionOfItsTime) {
  for (const std::int64_t head : {0, 3, 3, 7}) {  // versions 2 to 5
    ASSERT_TRUE(Append(kRootSigner, [&](Roster& next) { next.session_head = head; }).ok());
  }
  const auto version_for = [&](std::int64_t session) -> std::uint64_t {
    const Roster* roster = history_.ForSession(session);
    return roster == nullptr ? 0 : roster->version;
  };
  // R with R.session_head < n <= (R+1).session_head.
  EXPECT_EQ(version_for(-1), 0u);
  EXPECT_EQ(version_for(0), 0u);
  EXPECT_EQ(version_for(1), 2u);
  EXPECT_EQ(version_for(3), 2u);
  EXPECT_EQ(version_for(4), 4u);  // version 3 is no session's: 4 was signed at the same head
  EXPECT_EQ(version_for(7), 4u);
  EXPECT_EQ(version_for(8), 5u);
  EXPECT_EQ(version_for(1000), 5u);
}

TEST_F(RosterTest, VersionsAreFoundByNumber) {
  ASSERT_TRUE(Append(kAdmin, Nothing).ok());
  EXPECT_EQ(history_.Version(0), nullptr);
  EXPECT_EQ(history_.Version(1)->version, 1u);
  EXPECT_EQ(history_.Version(2), &history_.current());
  EXPECT_EQ(history_.Version(3), nullptr);
  EXPECT_EQ(*history_.HashOfVersion(2), history_.current_hash());
  EXPECT_EQ(history_.current().previous, *history_.HashOfVersion(1));
  EXPECT_EQ(history_.HashOfVersion(0), nullptr);
  EXPECT_EQ(history_.HashOfVersion(3), nullptr);
}

TEST_F(RosterTest, LookupsFindWhatIsThere) {
  EXPECT_EQ(first_.FindMember("mina")->id, kAgent);
  EXPECT_EQ(first_.FindMember("recovery code"), nullptr);  // no member is found under this name
  EXPECT_EQ(first_.FindMember(kRecovery)->kind, MemberKind::kRecovery);
  EXPECT_EQ(first_.FindMember("nobody"), nullptr);
  EXPECT_EQ(first_.RoleOf(*first_.FindMember(kAgent))->name, "agent");
  EXPECT_EQ(first_.FindRole("nothing"), nullptr);
  EXPECT_EQ(first_.FindBook("seoul")->id, kSeoul);
  EXPECT_EQ(first_.FindBook(kRootBook), nullptr);
  EXPECT_EQ(first_.FindCompartment(kSeoul, ClassId::kProfile)->epoch, 1u);
  EXPECT_EQ(first_.FindCompartment(kSeoul, ClassId::kIndex), nullptr);
  EXPECT_TRUE(first_.IsMember(kSeoul, kAgent));
  EXPECT_FALSE(first_.IsMember(kSeoul, kAdmin));
  EXPECT_THAT(first_.BooksOf(kAgent), ::testing::ElementsAre(kSeoul));
  EXPECT_THAT(first_.DataClasses(), ::testing::ElementsAre(ClassId::kProfile));
}

// Names.

TEST(NormalizeNameTest, GoodNamesStay) {
  for (const char* name :
       {"mina", "Mina Kim", "민아", "o'brien", "a", "Ünal", "山田 太郎", "x-1_2.3"}) {
    EXPECT_EQ(NormalizeName(name).value_or("refused"), name);
  }
}

TEST(NormalizeNameTest, OneNameWrittenTwoWaysIsOne) {
  EXPECT_EQ(*NormalizeName("Jose\xcc\x81"), "Jos\xc3\xa9");  // e and an accent
  EXPECT_EQ(*NormalizeName("\xe1\x84\x86\xe1\x85\xb5\xe1\x86\xab"),
            "\xeb\xaf\xbc");                              // 민, in parts
  EXPECT_EQ(*NormalizeName("\xe2\x84\xab"), "\xc3\x85");  // Ångström sign
}

TEST(NormalizeNameTest, ControlAndFormatCharactersAreRefused) {
  for (const char* name :
       {"\x01recovery", "mi\tna", "mi\nna", "mina\r", "mi\x7fna", "mi\xc2\x85na", "\x1b[31mred",
        "mi\xe2\x80\x8bna" /* zero-width space */, "mi\xe2\x80\xaena" /* right-to-left override */,
        "mi\xc2\xadna" /* soft hyphen */, "\xef\xbb\xbfmina", "mi\xe2\x80\xa8na"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(NormalizeName(name).status())) << name;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(NormalizeName(absl::string_view("mi\0na", 5)).status()));
}

TEST(NormalizeNameTest, SpacesAtTheEndsAreRefused) {
  for (const char* name : {" mina", "mina ", " ", "\xc2\xa0mina", "mina\xe3\x80\x80"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(NormalizeName(name).status())) << "[" << name << "]";
  }
}

TEST(NormalizeNameTest, LengthIsCountedInCharacters) {
  const auto times = [](int count, absl::string_view text) {
    std::string out;
    for (int i = 0; i < count; ++i) absl::StrAppend(&out, text);
    return out;
  };
  EXPECT_TRUE(absl::IsInvalidArgument(NormalizeName("").status()));
  for (const char* character : {"x", "\xc3\xa9", "민", "\xf0\x9f\x8c\xb1" /* a plant, 4 bytes */}) {
    EXPECT_EQ(NormalizeName(times(64, character)).value_or("refused"), times(64, character));
    EXPECT_TRUE(absl::IsInvalidArgument(NormalizeName(times(65, character)).status())) << character;
  }
  // As macOS writes names: three characters each, which are one.
  EXPECT_EQ(NormalizeName(times(64, "\xe1\x84\x86\xe1\x85\xb5\xe1\x86\xab")).value_or("refused"),
            times(64, "민"));
  EXPECT_TRUE(absl::IsInvalidArgument(NormalizeName(std::string(1 << 20, 'x')).status()));
}

TEST(NormalizeNameTest, BytesThatAreNoUtf8AreRefused) {
  for (const char* name :
       {"\xff", "mi\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xef\xbf\xbd"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(NormalizeName(name).status())) << name;
  }
}

}  // namespace
}  // namespace sealbook::keyring
