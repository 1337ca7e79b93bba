// What must stand in Redis for a row, how to ask for it, and what to make of the answer. Pure: bytes and plain values.
//
//   expect(row) ──> Expectation ──append_question()──> two commands: HGETALL, GET, JSON.GET or EXISTS; then PTTL
//                        ├────────append_answer()────> the first one's reply when all is well: compare bytes, or else
//                        └────────judge(Observed)────> Difference
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sinks/place.h"

namespace walrelay::sinks {

// What a row says must stand under a key.
struct Expectation {
  enum class Type : std::uint8_t {
    none,  // the key must not exist: every column that the value is made of is NULL
    hash,
    string,
    document,  // of RedisJSON: value is JSON that means the same
    // One member of a key that rows share; whether it must be there says `present`.
    set_member,
    scored_member,  // of a sorted set: value is the score
    field,          // of a hash
    bit,            // of a bitmap: member is its offset
    value,          // of a roaring bitmap
  };

  std::string key;
  Type type = Type::none;
  std::vector<std::pair<std::string, std::string>> fields;  // hash: exactly these, in the order they are written in
  std::string value;                                        // string
  std::chrono::milliseconds ttl{0};                         // 0: the key must not expire
  std::uint32_t write = 0;                                  // its number, as in Batch entries
  std::string member = {};
  bool present = false;
  bool skip = false;  // nothing can be said: there is no key to ask for
  // What else may be said of a key's end, instead of `ttl`.
  std::int64_t deadline = 0;  // the moment, in milliseconds since 1970; 0: none
  bool any_ttl = false;       // it is somebody else's
  bool cached = false;        // the key is written only where it exists: it may be absent

  [[nodiscard]] bool of_member() const { return type >= Type::set_member; }
  [[nodiscard]] std::string place() const { return of_member() ? place_of(key, member) : key; }
};

// Clocks, ours and those of the servers that were Redis before this one, may differ by so much.
constexpr std::int64_t kClockToleranceMs = 5000;

// What an expectation says of the key's end.
struct ExpectedEnd {
  std::int64_t ttl_ms = 0, deadline = 0;
  bool any_ttl = false, cached = false;

  ExpectedEnd() = default;
  explicit ExpectedEnd(const Expectation& expected)
      : ttl_ms(expected.ttl.count()), deadline(expected.deadline), any_ttl(expected.any_ttl), cached(expected.cached) {}
  [[nodiscard]] bool never() const { return ttl_ms == 0 && deadline == 0 && !any_ttl; }
  // `now` in milliseconds since 1970.
  [[nodiscard]] bool fits(std::int64_t pttl, std::int64_t now) const;
  [[nodiscard]] bool may_be_absent(std::int64_t now) const;
  [[nodiscard]] bool must_be_absent(std::int64_t now) const;  // the moment has passed, whoever's clock is right
};

// The commands that ask Redis for the key; gives their number. One of a member; otherwise two, the second is PTTL.
std::size_t append_question(const Expectation& expected, std::string& out);

// The reply (RESP2) to the first command, to the byte, when the key is as it should be and Redis gives a hash's fields
// in the order they were written in, as it does with small hashes. Another reply says nothing yet: parse it, and
// judge(). PTTL's reply is -1 to the byte without a ttl; with one it is for judge().
void append_answer(const Expectation& expected, std::string& out);

// What Redis said.
struct Observed {
  bool exists = false;      // HGETALL: not empty; GET, HGET, ZSCORE: not nil; EXISTS, SISMEMBER, GETBIT: 1
  bool wrong_type = false;  // the reply was the error WRONGTYPE
  std::vector<std::pair<std::string, std::string>> fields;  // of a hash, in any order
  std::string value;                                        // of a string
  std::int64_t pttl = -2;                                   // -1: does not expire; -2: there is no key
  std::int64_t now = 0;                                     // when Redis said so, in milliseconds since 1970
};

struct Difference {
  enum class Kind : std::uint8_t {
    equal,
    missing,     // the key does not exist, and nothing could have ended its life
    stale,       // another value
    wrong_type,  // a key of another type
    wrong_ttl,   // the right value, but it expires where it must not, too late, or never
    unexpected,  // the key exists where it must not
  };
  Kind kind = Kind::equal;
  std::vector<std::string> fields;  // stale hash: the names of those that differ, are missing or too many; sorted
  // Stale: what each should be and is, in the order of `fields`; a single one without a name where there are none.
  struct Values {
    std::string field;
    std::optional<std::string> expected, observed;
  };
  std::vector<Values> values = {};
};

// A key that went between the two commands is one that does not exist.
Difference judge(const Expectation& expected, const Observed& observed);

}  // namespace walrelay::sinks
