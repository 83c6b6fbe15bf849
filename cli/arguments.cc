#include "cli/arguments.h"

// A list's values are given one by one: a column's name may hold a comma.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include <cxxopts.hpp>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// The long name of "o,output".
std::string LongName(const std::string& name) {
  return name.substr(name.find(',') == std::string::npos ? 0 : name.find(',') + 1);
}

}  // namespace

std::string Arguments::Value(const std::string& option) const {
  const auto found = values_.find(option);
  return found == values_.end() ? "" : found->second.back();
}

std::vector<std::string> Arguments::List(const std::string& option) const {
  const auto found = values_.find(option);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

absl::StatusOr<Arguments> ParseArguments(const std::vector<Option>& options,
                                         const std::vector<std::string>& words) {
  cxxopts::Options parser("sealbook");
  auto add = parser.add_options();
  for (const Option& option : options) {
    if (option.kind == Option::Kind::kFlag) {
      add(option.name, option.help);
    } else {
      add(option.name, option.help, cxxopts::value<std::vector<std::string>>());
    }
  }
  add("positional", "", cxxopts::value<std::vector<std::string>>());
  parser.parse_positional({"positional"});
  std::vector<const char*> argv = {"sealbook"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  try {
    const cxxopts::ParseResult result = parser.parse(static_cast<int>(argv.size()), argv.data());
    Arguments arguments;
    for (const Option& option : options) {
      const std::string name = LongName(option.name);
      if (result.count(name) == 0) continue;
      if (option.kind == Option::Kind::kFlag) {
        arguments.values_[name] = {};
        continue;
      }
      arguments.values_[name] = result[name].as<std::vector<std::string>>();
      if (option.kind == Option::Kind::kValue && arguments.values_[name].size() > 1) {
        return WithHint(absl::FailedPreconditionError(absl::StrCat("--", name, " is given twice")),
                        "Give it once.");
      }
    }
    if (result.count("positional") > 0)
      arguments.positional_ = result["positional"].as<std::vector<std::string>>();
    arguments.positional_.insert(arguments.positional_.end(), result.unmatched().begin(),
                                 result.unmatched().end());
    return arguments;
  } catch (const std::exception& error) {
    return WithHint(absl::FailedPreconditionError(error.what()),
                    "'sealbook help COMMAND' lists its options.");
  }
}

}  // namespace sealbook::cli
