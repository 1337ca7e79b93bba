// Writes that look at the key before they change it, by a script (scripts.h):
//
//   if_cached            nothing where the key does not exist
//   refresh: on_change   a key that holds already what the row says keeps its time to live
//
// Such a write says the whole value or, of a hash, some of its fields. Done again it leaves what the first run left.
#pragma once

#include <string>
#include <string_view>

#include "sinks/key_lifetime.h"
#include "sinks/scripts.h"

namespace walrelay::sinks {

class ConditionalWrite {
 public:
  // Lua over `key` and ARGV from 4 on, which are the kind's own: the bodies of same(), whether the key holds the value
  // already, and of set(), which leaves the value and no time to live that is not the key's old one. `ttl` is PTTL from
  // before.
  ConditionalWrite(const std::string& same, const std::string& set);

  struct Terms {
    bool if_cached = false;
    bool on_change = false;
    bool keeps_ttl = false;  // it is somebody else's
    Expiry expiry;
  };
  // Begins the one command of an entry that is open: so many arguments of the kind follow.
  void begin(std::string_view key, const Terms& terms, std::size_t arguments, Batch& batch) const;

 private:
  const Script script_;
};

}  // namespace walrelay::sinks
