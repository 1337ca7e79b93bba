#include "sinks/expectation.h"

#include <cstdlib>
#include <map>
#include <string_view>
#include <utility>

#include "sinks/json_same.h"
#include "sinks/resp.h"
#include "sinks/roaring_script.h"
#include "sinks/scripts.h"

namespace walrelay::sinks {
namespace {

using Kind = Difference::Kind;
using Type = Expectation::Type;

// Redis keeps the moment of the end, and its clock may be set back a little while the key lives.
constexpr std::int64_t kTolerance = 1000;

using Fields = std::vector<std::pair<std::string, std::string>>;

// Of the fields that differ; none: they are the same.
Difference differing(const Fields& expected, const Fields& observed) {
  std::map<std::string_view, std::string_view> left(observed.begin(), observed.end());
  std::map<std::string, Difference::Values> differ;  // by name
  for (const auto& [name, value] : expected) {
    const auto found = left.find(name);
    if (found == left.end()) differ[name] = {name, value, std::nullopt};
    if (found != left.end() && found->second != value) differ[name] = {name, value, std::string(found->second)};
    if (found != left.end()) left.erase(found);
  }
  for (const auto& [name, value] : left)
    differ[std::string(name)] = {std::string(name), std::nullopt, std::string(value)};
  Difference all;
  if (!differ.empty()) all.kind = Kind::stale;
  for (auto& [name, values] : differ) {
    all.fields.push_back(name);
    all.values.push_back(std::move(values));
  }
  return all;
}

Difference stale(const std::string& expected, const std::string& observed) {
  return {Kind::stale, {}, {{"", expected, observed}}};
}

bool same_value(const Expectation& expected, const std::string& value) {
  return expected.type == Type::document ? same_json(expected.value, value) : expected.value == value;
}

void append_member_question(const Expectation& expected, std::string& out) {
  switch (expected.type) {
    case Type::set_member:
      return resp::append_command(out, {"SISMEMBER", expected.key, expected.member});
    case Type::scored_member:
      return resp::append_command(out, {"ZSCORE", expected.key, expected.member});
    case Type::bit:
      return resp::append_command(out, {"GETBIT", expected.key, expected.member});
    case Type::value:
      return roaring_has_script().append_call(out, expected.key, {expected.member});
    default:
      return resp::append_command(out, {"HGET", expected.key, expected.member});
  }
}

bool same_score(const std::string& left, const std::string& right) {
  char *left_end = nullptr, *right_end = nullptr;
  const double a = std::strtod(left.c_str(), &left_end), b = std::strtod(right.c_str(), &right_end);
  return a == b && left_end != left.c_str() && right_end != right.c_str();
}

Difference judge_member(const Expectation& expected, const Observed& observed) {
  if (observed.wrong_type) return {expected.present ? Kind::wrong_type : Kind::equal, {}};
  if (!expected.present) return {observed.exists ? Kind::unexpected : Kind::equal, {}};
  if (!observed.exists) return {Kind::missing, {}};
  bool same = true;
  if (expected.type == Type::scored_member) same = same_score(expected.value, observed.value);
  if (expected.type == Type::field) same = expected.value == observed.value;
  return same ? Difference{} : stale(expected.value, observed.value);
}

}  // namespace

bool ExpectedEnd::fits(std::int64_t pttl, std::int64_t now) const {
  if (any_ttl) return pttl >= -1;
  if (deadline != 0) return pttl >= 0 && std::llabs(deadline - now - pttl) <= kClockToleranceMs;
  if (ttl_ms == 0) return pttl == -1;
  return pttl >= 0 && pttl <= ttl_ms + kTolerance;
}

// Where the key expires it may have done so.
bool ExpectedEnd::may_be_absent(std::int64_t now) const {
  return cached || ttl_ms > 0 || (deadline != 0 && deadline <= now + kClockToleranceMs);
}

bool ExpectedEnd::must_be_absent(std::int64_t now) const { return deadline != 0 && deadline < now - kClockToleranceMs; }

std::size_t append_question(const Expectation& expected, std::string& out) {
  if (expected.of_member()) {
    append_member_question(expected, out);
    return 1;
  }
  const std::string_view command = expected.type == Type::hash       ? "HGETALL"
                                   : expected.type == Type::string   ? "GET"
                                   : expected.type == Type::document ? "JSON.GET"
                                                                     : "EXISTS";
  resp::append_command(out, {command, expected.key});
  resp::append_command(out, {"PTTL", expected.key});
  return 2;
}

void append_answer(const Expectation& expected, std::string& out) {
  switch (expected.type) {
    case Type::set_member:
    case Type::bit:
    case Type::value:
      out.append(expected.present ? ":1\r\n" : ":0\r\n");
      return;
    case Type::scored_member:
    case Type::field:
      if (expected.present) return resp::append_bulk(out, expected.value);
      out.append("$-1\r\n");
      return;
    case Type::none:
      out.append(":0\r\n");
      return;
    case Type::string:
    case Type::document:
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
  if (expected.of_member()) return judge_member(expected, observed);
  constexpr std::int64_t kNoKey = -2;
  const bool exists = (observed.exists || observed.wrong_type) && observed.pttl != kNoKey;
  if (expected.type == Type::none) return {exists ? Kind::unexpected : Kind::equal, {}};
  const ExpectedEnd end(expected);
  if (!exists) return {end.may_be_absent(observed.now) ? Kind::equal : Kind::missing, {}};
  if (observed.wrong_type) return {Kind::wrong_type, {}};
  if (expected.type != Type::hash) {
    if (!same_value(expected, observed.value)) return stale(expected.value, observed.value);
  } else if (Difference found = differing(expected.fields, observed.fields); found.kind != Kind::equal) {
    return found;
  }
  return {end.fits(observed.pttl, observed.now) ? Kind::equal : Kind::wrong_ttl, {}};
}

}  // namespace walrelay::sinks
