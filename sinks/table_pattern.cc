#include "sinks/table_pattern.h"

#include <stdexcept>
#include <utility>

// GCC 12 with AddressSanitizer takes parts of <regex> for uninitialized.
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <regex>
#pragma GCC diagnostic pop

namespace walrelay::sinks {

struct TablePattern::State {
  std::map<std::string, std::size_t> groups;  // name -> number
  std::regex regex;
};

namespace {

bool name_byte(char c, bool first) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

// Walks over the expression once and copies it without the names of its groups.
class GroupReader {
 public:
  GroupReader(std::string_view text, std::map<std::string, std::size_t>& groups) : text_(text), groups_(groups) {}

  std::string numbered() {
    while (at_ < text_.size()) {
      const char byte = text_[at_];
      if (byte == '\\') {
        copy(2);
      } else if (byte == '[') {
        copy_class();
      } else if (byte == '(') {
        copy_group_start();
      } else {
        copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  void copy(std::size_t bytes) {
    const std::string_view piece = text_.substr(at_, bytes);
    out_.append(piece);
    at_ += piece.size();
  }

  // [...] with its escapes and [:classes:]; a bracket inside opens no group.
  void copy_class() {
    copy(text_.substr(at_).starts_with("[^") ? 2 : 1);
    while (at_ < text_.size() && text_[at_] != ']') {
      const std::string_view rest = text_.substr(at_);
      const std::size_t end = rest.starts_with("[:") ? rest.find(":]") : std::string_view::npos;
      copy(end != std::string_view::npos ? end + 2 : rest[0] == '\\' ? 2 : 1);
    }
    copy(1);
  }

  void copy_group_start() {
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with("(?")) {
      ++count_;
      return copy(1);
    }
    if (rest.starts_with("(?<=") || rest.starts_with("(?<!")) {
      throw std::invalid_argument("looking behind with (?<= or (?<! is not supported");
    }
    if (rest.starts_with("(?P<")) throw std::invalid_argument("a named group is written (?<name>...), without P");
    if (!rest.starts_with("(?<")) return copy(2);
    ++count_;
    const std::size_t end = rest.find('>');
    const std::string name(rest.substr(3, end == std::string_view::npos ? 0 : end - 3));
    check_name(name);
    groups_[name] = count_;
    out_.push_back('(');
    at_ += end + 1;
  }

  void check_name(const std::string& name) const {
    bool good = !name.empty();
    for (std::size_t i = 0; i < name.size(); ++i) good = good && name_byte(name[i], i == 0);
    if (!good) throw std::invalid_argument("a group's name is made of letters, digits and '_', as in (?<queue>...)");
    if (groups_.contains(name)) throw std::invalid_argument("two groups have the name \"" + name + "\"");
  }

  std::string_view text_;
  std::map<std::string, std::size_t>& groups_;
  std::string out_;
  std::size_t at_ = 0, count_ = 0;
};

}  // namespace

TablePattern::TablePattern(const std::string& expression) : state_(std::make_unique<State>()) {
  const std::string numbered = GroupReader(expression, state_->groups).numbered();
  try {
    state_->regex.assign(numbered, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw std::invalid_argument(error.what());
  }
}

TablePattern::~TablePattern() = default;
TablePattern::TablePattern(TablePattern&&) noexcept = default;
TablePattern& TablePattern::operator=(TablePattern&&) noexcept = default;

std::optional<Captures> TablePattern::match(std::string_view schema, std::string_view table) const {
  std::string name(schema);
  name.append(".").append(table);
  std::smatch found;
  if (!std::regex_search(name, found, state_->regex)) return std::nullopt;
  Captures captures;
  for (const auto& [group, number] : state_->groups) captures[group] = found[number].str();
  return captures;
}

}  // namespace walrelay::sinks
