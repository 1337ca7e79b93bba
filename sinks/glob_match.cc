// Every element but the star takes exactly one byte. So when a text does not go on after a star, it is enough to let
// the last star take one byte more: what an earlier one could take instead, the last one can as well.
#include "sinks/glob_match.h"

#include <algorithm>

namespace walrelay::sinks {

Glob::Glob(std::string_view text) : everything_(text == "*") {
  for (std::size_t at = 0; at < text.size();) {
    const char byte = text[at];
    Element element;
    if (byte == '*') {
      ++at;
      if (!rest_.empty() && rest_.back().kind == Element::Kind::star) continue;
      element.kind = Element::Kind::star;
    } else if (byte == '?') {
      ++at;
      element.kind = Element::Kind::any;
    } else if (byte == '[') {
      at = parse_set(text, at + 1);
      element.kind = Element::Kind::set;
      element.set = sets_.size() - 1;
    } else {
      if (byte == '\\' && at + 1 < text.size()) ++at;
      element.byte = static_cast<unsigned char>(text[at++]);
      if (rest_.empty()) {
        prefix_.push_back(static_cast<char>(element.byte));
        continue;
      }
    }
    rest_.push_back(element);
  }
}

// Reads the set that begins after the bracket at `at` - 1; gives the place after its closing bracket.
std::size_t Glob::parse_set(std::string_view glob, std::size_t at) {
  std::bitset<256>& set = sets_.emplace_back();
  const bool inverse = at < glob.size() && glob[at] == '^';
  if (inverse) ++at;
  const auto byte_at = [glob](std::size_t place) { return static_cast<unsigned char>(glob[place]); };
  for (; at < glob.size() && glob[at] != ']'; ++at) {
    if (glob[at] == '\\' && at + 1 < glob.size()) {
      set.set(byte_at(++at));
    } else if (at + 2 < glob.size() && glob[at + 1] == '-') {
      // Of signed bytes, as Redis compares them.
      int from = static_cast<signed char>(glob[at]), to = static_cast<signed char>(glob[at + 2]);
      if (from > to) std::swap(from, to);
      for (int each = from; each <= to; ++each) set.set(static_cast<unsigned char>(each));
      at += 2;
    } else {
      set.set(byte_at(at));
    }
  }
  if (inverse) set.flip();
  return std::min(at + 1, glob.size());
}

bool Glob::takes(const Element& element, unsigned char byte) const {
  switch (element.kind) {
    case Element::Kind::byte:
      return element.byte == byte;
    case Element::Kind::set:
      return sets_[element.set][byte];
    default:
      return true;
  }
}

bool Glob::matches_rest(std::string_view text) const {
  std::size_t at = 0, element = 0;
  std::size_t star = rest_.size(), star_end = 0;  // the last star, and where its text ends
  while (at < text.size()) {
    if (element < rest_.size() && rest_[element].kind == Element::Kind::star) {
      star = element++;
      star_end = at;
    } else if (element < rest_.size() && takes(rest_[element], static_cast<unsigned char>(text[at]))) {
      ++element;
      ++at;
    } else if (star < rest_.size()) {
      element = star + 1;
      at = ++star_end;
    } else {
      return false;
    }
  }
  while (element < rest_.size() && rest_[element].kind == Element::Kind::star) ++element;
  return element == rest_.size();
}

bool Glob::matches(std::string_view text) const {
  if (text.empty()) return everything_ || (prefix_.empty() && rest_.empty());
  return text.starts_with(prefix_) && matches_rest(text.substr(prefix_.size()));
}

std::optional<std::string> Glob::literal() const { return rest_.empty() ? std::optional(prefix_) : std::nullopt; }

void GlobSet::add(std::string_view text) {
  Glob glob(text);
  auto& globs = by_prefix_[glob.prefix_];
  const auto place = std::lower_bound(lengths_.begin(), lengths_.end(), glob.prefix_.size());
  if (place == lengths_.end() || *place != glob.prefix_.size()) lengths_.insert(place, glob.prefix_.size());
  globs.push_back(std::move(glob));
  most_candidates_ = std::max(most_candidates_, globs.size());
  ++size_;
}

bool GlobSet::matches(std::string_view key) const {
  for (const std::size_t length : lengths_) {
    if (length > key.size()) return false;
    const auto globs = by_prefix_.find(key.substr(0, length));
    if (globs == by_prefix_.end()) continue;
    if (std::any_of(globs->second.begin(), globs->second.end(),
                    [key](const Glob& glob) { return glob.matches(key); })) {
      return true;
    }
  }
  return false;
}

}  // namespace walrelay::sinks
