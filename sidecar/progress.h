// What PostgreSQL may be told. Pure.
//
//   received ──(applied in Redis)──(recorded: the checkpoint says so)──(ack.hold old)──> confirm
//
// The hold keeps the last seconds of WAL on the server, so that a Redis failover that forgets them is healed by
// replay and not by a rebuild (design 3, "Progress").
#pragma once

#include <chrono>
#include <deque>

#include "replication/lsn.h"

namespace walrelay::sidecar {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Progress(std::chrono::milliseconds hold) : hold_(hold) {}

  // `recorded` only ever grows; a smaller or equal position is ignored.
  void on_recorded(replication::Lsn recorded, Clock::time_point now) {
    if (recorded <= recorded_) return;
    recorded_ = recorded;
    newest_ = {recorded, now};
    // One entry each tenth of a second is fine enough for a hold of seconds, and bounds the queue.
    if (waiting_.empty() || now - waiting_.back().since >= kGrain) waiting_.push_back(newest_);
  }

  // The furthest position that may be confirmed now. Monotone.
  replication::Lsn confirmable(Clock::time_point now) {
    while (!waiting_.empty() && now - waiting_.front().since >= hold_) {
      confirmable_ = waiting_.front().lsn;
      waiting_.pop_front();
    }
    if (recorded_ != replication::Lsn::invalid && now - newest_.since >= hold_) confirmable_ = newest_.lsn;
    return confirmable_;
  }

  [[nodiscard]] replication::Lsn recorded() const { return recorded_; }

 private:
  static constexpr std::chrono::milliseconds kGrain{100};
  struct Waiting {
    replication::Lsn lsn;
    Clock::time_point since;
  };
  std::chrono::milliseconds hold_;
  std::deque<Waiting> waiting_;
  Waiting newest_{};
  replication::Lsn recorded_ = replication::Lsn::invalid;
  replication::Lsn confirmable_ = replication::Lsn::invalid;
};

}  // namespace walrelay::sidecar
