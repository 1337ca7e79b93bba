// How long keys live: the parameter `ttl`, bound to a version of a relation.
//
//   5m, {class: ...}    after the last write                 PEXPIRE
//     jitter            shortened by the key: always the same for the same key
//     on_change         not after a write that changes nothing (conditional_write.h)
//   {at: expression}    until the moment that the row says   PEXPIREAT; Redis removes a key whose moment has passed
//                       NULL, infinity: for ever             PERSIST
//
// No clock: whether a moment has passed is for Redis to say, so that doing a write again leaves what the first did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/write.h"

namespace walrelay::sinks {

// When a key goes by itself.
struct Expiry {
  enum class Kind : std::uint8_t { never, after, at };
  Kind kind = Kind::never;
  std::int64_t ms = 0;  // after: so long, counted from the write; at: since 1970, 1 at least
};

class KeyLifetime {
 public:
  explicit KeyLifetime(const BindContext& context);  // throws MappingError

  [[nodiscard]] bool given() const { return constant_ms_ > 0 || at_; }
  [[nodiscard]] bool said_by_row() const { return at_.has_value(); }
  [[nodiscard]] bool on_change() const { return constant_ms_ > 0 && on_change_; }

  // The row has what the moment is made of.
  [[nodiscard]] bool known(replication::Row row) const;
  // Of a row that has it. Throws RowError.
  [[nodiscard]] Expiry of(std::string_view key, replication::Row row) const;

 private:
  [[nodiscard]] std::int64_t moment(std::string_view text) const;

  std::int64_t constant_ms_ = 0;  // 0: none
  std::uint64_t jitter_ = 0;      // of a hundred
  bool on_change_ = false;
  std::optional<std::size_t> at_;
  std::string unit_;
  std::int64_t add_ms_ = 0;
  std::string site_, name_;  // for messages
};

// Appends the command that sets the expiry of a key which may have had another; for `never` only where `persist`.
// As part of an open entry, not first.
void append_expiry(std::string_view key, const Expiry& expiry, bool persist, Batch& batch);

// The descriptions of `ttl` and `if_cached`.
void describe_lifetime(std::vector<ParameterDescription>& parameters);

}  // namespace walrelay::sinks
