// The last fifteen minutes in 180 points of five seconds: the sparklines, the rates, and when the slot would be lost at
// this pace. Of fixed size. Pure: whoever has a timer calls sample() about once a second.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "replication/lsn.h"
#include "sidecar/status.h"

namespace walrelay::sidecar {

class History {
 public:
  static constexpr std::size_t kPoints = 180;
  static constexpr std::int64_t kStepSeconds = 5;

  struct Point {
    double lag_seconds = 0;      // the largest of the step
    double rows_per_second = 0;  // written to Redis
    double wal_per_second = 0;   // that the server wrote, in bytes
    std::int64_t retained = 0;   // WAL kept for the slot, at the end of the step
  };

  void sample(const Status& status, std::int64_t now_us);

  [[nodiscard]] std::vector<Point> points() const;                     // the oldest first; steps that are complete
  [[nodiscard]] double rows_per_second() const { return rows_rate_; }  // over the last seconds
  [[nodiscard]] double wal_per_second() const { return wal_rate_; }

  // Until the server removes WAL that the slot still needs, if things go on as in the last minutes. Nothing: it is not
  // in sight, there is no limit, or too little is known.
  [[nodiscard]] std::optional<double> seconds_to_loss(const Status& status, std::int64_t now_us) const;

 private:
  struct Mark {
    std::int64_t at_us = 0;
    std::uint64_t rows = 0;
    replication::Lsn end = replication::Lsn::invalid;
  };
  void close_step(const Status& status, std::int64_t now_us);
  [[nodiscard]] const Point& at(std::size_t age) const;  // 0: the newest
  [[nodiscard]] double retained_growth() const;          // bytes a second; 0: it does not grow

  std::array<Point, kPoints> ring_{};
  std::size_t next_ = 0, filled_ = 0;
  std::array<Mark, kStepSeconds + 1> marks_{};  // of the last seconds, for the rates of now
  std::size_t marked_ = 0;
  Mark step_;
  double step_lag_ = 0, rows_rate_ = 0, wal_rate_ = 0;
};

}  // namespace walrelay::sidecar
