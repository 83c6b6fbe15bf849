// What stands on the command line after the common flags: options and positional arguments of one
// command, parsed by cxxopts behind this interface.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sealbook::cli {

struct Option {
  enum class Kind { kFlag, kValue, kList };
  std::string name;  // without dashes; "o,output" has a short form
  Kind kind = Kind::kValue;
  std::string placeholder;  // "FILE"
  std::string help;
};

class Arguments {
 public:
  const std::vector<std::string>& positional() const { return positional_; }
  bool Has(const std::string& option) const { return values_.contains(option); }
  // Empty where it was not given.
  std::string Value(const std::string& option) const;
  std::vector<std::string> List(const std::string& option) const;

 private:
  friend absl::StatusOr<Arguments> ParseArguments(const std::vector<Option>& options,
                                                  const std::vector<std::string>& words);
  std::vector<std::string> positional_;
  std::map<std::string, std::vector<std::string>> values_;
};

// FailedPrecondition: an unknown option, or one without its value.
absl::StatusOr<Arguments> ParseArguments(const std::vector<Option>& options,
                                         const std::vector<std::string>& words);

}  // namespace sealbook::cli
