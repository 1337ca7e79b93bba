#include "sinks/expectation.h"

#include <map>
#include <set>
#include <string_view>

#include "sinks/resp.h"

namespace walrelay::sinks {
namespace {

using Kind = Difference::Kind;
using Type = Expectation::Type;

// Redis keeps the moment of the end, and its clock may be set back a little while the key lives.
constexpr std::int64_t kTolerance = 1000;

using Fields = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> differing(const Fields& expected, const Fields& observed) {
  std::map<std::string_view, std::string_view> left(observed.begin(), observed.end());
  std::set<std::string_view> differ;
  for (const auto& [name, value] : expected) {
    const auto found = left.find(name);
    if (found == left.end() || found->second != value) differ.insert(name);
    if (found != left.end()) left.erase(found);
  }
  for (const auto& [name, value] : left) differ.insert(name);
  return {differ.begin(), differ.end()};
}

bool ttl_fits(const Expectation& expected, std::int64_t pttl) {
  if (expected.ttl.count() == 0) return pttl == -1;
  return pttl >= 0 && pttl <= expected.ttl.count() + kTolerance;
}

}  // namespace

void append_question(const Expectation& expected, std::string& out) {
  const std::string_view command = expected.type == Type::hash     ? "HGETALL"
                                   : expected.type == Type::string ? "GET"
                                                                   : "EXISTS";
  resp::append_command(out, {command, expected.key});
  resp::append_command(out, {"PTTL", expected.key});
}

void append_answer(const Expectation& expected, std::string& out) {
  switch (expected.type) {
    case Type::none:
      out.append(":0\r\n");
      return;
    case Type::string:
      resp::append_bulk(out, expected.value);
      return;
    case Type::hash:
      resp::append_header(out, 2 * expected.fields.size());
      for (const auto& [name, value] : expected.fields) {
        resp::append_bulk(out, name);
        resp::append_bulk(out, value);
      }
      return;
  }
}

Difference judge(const Expectation& expected, const Observed& observed) {
  constexpr std::int64_t kNoKey = -2;
  const bool exists = (observed.exists || observed.wrong_type) && observed.pttl != kNoKey;
  if (expected.type == Type::none) return {exists ? Kind::unexpected : Kind::equal, {}};
  // Where the key expires it may have done so.
  if (!exists) return {expected.ttl.count() > 0 ? Kind::equal : Kind::missing, {}};
  if (observed.wrong_type) return {Kind::wrong_type, {}};
  if (expected.type == Type::string) {
    if (observed.value != expected.value) return {Kind::stale, {}};
  } else if (auto fields = differing(expected.fields, observed.fields); !fields.empty()) {
    return {Kind::stale, std::move(fields)};
  }
  return {ttl_fits(expected, observed.pttl) ? Kind::equal : Kind::wrong_ttl, {}};
}

}  // namespace walrelay::sinks
