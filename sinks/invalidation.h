// What is to be removed from a cache that others fill: noted in Redis, inside the transaction that asks for it, and
// carried out by the sink (redis_invalidate.cc) when it is due.
//
//   key                    UNLINK key, in its place among the commands
//   pattern                noted, due at once: keys are looked for when the transaction is in Redis
//   again_after, of both   noted, due later
//
//   walrelay:{slot}:again   a sorted set. score: when it is due, milliseconds by Redis' own clock (with a fraction)
//                           member: p<glob> | g<glob> again | k<key> again
//
// A note goes when it was carried out and has not been made anew meanwhile: so a crash loses none, whoever made it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "sinks/batch.h"
#include "sinks/scripts.h"

namespace walrelay::sinks {

struct InvalidationScripts {
  InvalidationScripts();
  // KEYS: the notes; delay in milliseconds, member. A note that is due later already stays as it is.
  Script note;
  // KEYS: the notes; how many to give, then score and member of each that was carried out. Gives when the next one is
  // due, in milliseconds from now (0: there may be more at once, -1: there is none), and scores and members.
  Script turn;
};
const InvalidationScripts& invalidation_scripts();

// All that one write asks for.
class Invalidation {
 public:
  // `mapping` is whom it is counted for; empty: nobody's, the application asks.
  Invalidation(std::uint32_t write, std::string again_key, std::chrono::milliseconds again_after,
               std::string mapping = "")
      : write_(write), again_key_(std::move(again_key)), again_after_(again_after), mapping_(std::move(mapping)) {}

  void key(std::string_view key, Batch& batch) const;
  // A glob without a placeholder is a key.
  void pattern(std::string_view glob, Batch& batch) const;

 private:
  void note(char what, std::string_view text, std::chrono::milliseconds delay, Batch& batch) const;

  const std::uint32_t write_;
  const std::string again_key_;
  const std::chrono::milliseconds again_after_;  // 0: not again
  const std::string mapping_;
};

}  // namespace walrelay::sinks
