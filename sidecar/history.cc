#include "sidecar/history.h"

#include <algorithm>

namespace walrelay::sidecar {

using replication::Lsn;

namespace {

constexpr double kSecond = 1e6;
constexpr std::size_t kLeast = 24;      // points before anything is concluded from them
constexpr std::size_t kWindow = 60;     // five minutes
constexpr double kNoise = 1024 * 1024;  // restart_lsn moves in jumps

double seconds_between(std::int64_t from_us, std::int64_t to_us) {
  return std::max(0.001, static_cast<double>(to_us - from_us) / kSecond);
}

double per_second(std::uint64_t from, std::uint64_t to, double seconds) {
  return to <= from ? 0 : static_cast<double>(to - from) / seconds;
}

double wal_per_second_of(Lsn from, Lsn to, double seconds) {
  if (from == Lsn::invalid || to <= from) return 0;
  return static_cast<double>(replication::distance(from, to)) / seconds;
}

}  // namespace

void History::sample(const Status& status, std::int64_t now_us) {
  const Mark now{now_us, status.sink.rows, status.server_end};
  if (step_.at_us == 0) step_ = now;
  step_lag_ = std::max(step_lag_, status.lag_seconds);
  if (now_us - step_.at_us >= kStepSeconds * static_cast<std::int64_t>(kSecond)) close_step(status, now_us);
  marks_[marked_++ % marks_.size()] = now;
  const Mark& oldest = marked_ < marks_.size() ? marks_[0] : marks_[marked_ % marks_.size()];
  if (oldest.at_us == now_us) return;
  const double seconds = seconds_between(oldest.at_us, now_us);
  rows_rate_ = per_second(oldest.rows, now.rows, seconds);
  wal_rate_ = wal_per_second_of(oldest.end, now.end, seconds);
}

void History::close_step(const Status& status, std::int64_t now_us) {
  const double seconds = seconds_between(step_.at_us, now_us);
  Point& point = ring_[next_];
  point.lag_seconds = step_lag_;
  point.rows_per_second = per_second(step_.rows, status.sink.rows, seconds);
  point.wal_per_second = wal_per_second_of(step_.end, status.server_end, seconds);
  point.retained = status.retained_wal_bytes;
  next_ = (next_ + 1) % kPoints;
  filled_ = std::min(filled_ + 1, kPoints);
  step_ = {now_us, status.sink.rows, status.server_end};
  step_lag_ = status.lag_seconds;
}

const History::Point& History::at(std::size_t age) const { return ring_[(next_ + kPoints - 1 - age) % kPoints]; }

std::vector<History::Point> History::points() const {
  std::vector<Point> out;
  out.reserve(filled_);
  for (std::size_t age = filled_; age > 0; --age) out.push_back(at(age - 1));
  return out;
}

// What is kept falls in jumps, whenever the server moves the slot's restart position: the lows tell whether it grows.
double History::retained_growth() const {
  const std::size_t window = std::min(filled_, kWindow), third = window / 3;
  if (window < kLeast) return 0;
  std::int64_t before = at(window - 1).retained, now = at(0).retained;
  for (std::size_t age = 0; age < third; ++age) {
    now = std::min(now, at(age).retained);
    before = std::min(before, at(window - 1 - age).retained);
  }
  const auto grown = static_cast<double>(now - before);
  return grown < kNoise ? 0 : grown / static_cast<double>((window - third) * kStepSeconds);
}

std::optional<double> History::seconds_to_loss(const Status& status, std::int64_t now_us) const {
  if (status.wal_status == "lost") return 0;
  if (status.safe_wal_bytes < 0 || status.slot_seen_us == 0) return std::nullopt;
  const double pace = retained_growth();
  if (pace <= 0) return std::nullopt;
  // Seen a while ago: it has gone on since, as far as anybody knows.
  const double since = static_cast<double>(std::max<std::int64_t>(0, now_us - status.slot_seen_us)) / kSecond;
  return std::max(0.0, static_cast<double>(status.safe_wal_bytes) / pace - since);
}

}  // namespace walrelay::sidecar
