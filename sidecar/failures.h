// The last things that went wrong, for the status: what, when, how often, and where it is written what to do. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace walrelay::sidecar {

struct Failure {
  std::string reason;    // one or two words or a code: "connection lost", "OOM", "28P01", "gap", "job"
  std::string sentence;  // as in the log: no secret, no row's values
  std::int64_t first_us = 0, last_us = 0;
  std::uint64_t count = 1;
};

// The runbook for failures of this reason, "WalrelayRedisWriteErrors"; empty: there is none.
std::string runbook_of(const std::string& reason);

class Failures {
 public:
  static constexpr std::size_t kMost = 20;

  // The same sentence again counts, and comes to the front.
  void note(const std::string& reason, const std::string& sentence, std::int64_t now_us);
  [[nodiscard]] const std::deque<Failure>& latest() const { return latest_; }  // the newest first

 private:
  std::deque<Failure> latest_;
};

}  // namespace walrelay::sidecar
