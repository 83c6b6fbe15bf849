// The clock on a wall as a time. Exports of chats give what the phone showed and not its zone. When
// summer time ends, an hour of that is there twice, and when it begins, one is not there at all:
// both are decided by the messages before, since time mostly runs forward.
//
// Belongs to one thread.
#pragma once

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace sealbook::anonymizer {

class ChatClock {
 public:
  // Phones put messages in the order in which they came, which is not quite that of their times.
  static constexpr absl::Duration kReordered = absl::Minutes(5);

  explicit ChatClock(absl::TimeZone zone) : zone_(zone) {}

  // Of an hour that is there twice, the first that is not before the last message (but for
  // kReordered); an hour that is not there, as if the clock had not been changed yet.
  absl::Time Read(absl::CivilSecond wall) {
    const absl::TimeZone::TimeInfo info = zone_.At(wall);
    absl::Time time = info.pre;
    if (info.kind == absl::TimeZone::TimeInfo::REPEATED && info.pre < last_ - kReordered)
      time = info.post;
    last_ = time;
    return time;
  }

 private:
  absl::TimeZone zone_;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace sealbook::anonymizer
