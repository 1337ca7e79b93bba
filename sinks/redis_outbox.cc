#include "sinks/redis_outbox.h"

#include <algorithm>
#include <new>

namespace walrelay::sinks {
namespace {

constexpr std::size_t kSlice = 256 * 1024;

}  // namespace

void RedisOutbox::add(std::string_view borrowed, std::function<void()> on_written) {
  added_ += borrowed.size();
  if (!borrowed.empty()) pieces_.push_back({{}, borrowed});
  if (on_written) callbacks_.push_back({added_, std::move(on_written)});
}

void RedisOutbox::add(std::string owned) {
  added_ += owned.size();
  if (!owned.empty()) pieces_.push_back({std::move(owned), {}});
}

void RedisOutbox::feed(redisContext* context) {
  std::size_t buffered = sdslen(context->obuf);
  while (buffered < kSlice && !pieces_.empty()) {
    const std::string_view rest = pieces_.front().bytes().substr(front_done_);
    const std::size_t size = std::min(rest.size(), kSlice - buffered);
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the size follows
    if (redisAppendFormattedCommand(context, rest.data(), size) != REDIS_OK) throw std::bad_alloc();
    buffered += size;
    front_done_ += size;
    if (size == rest.size()) {
      pieces_.pop_front();
      front_done_ = 0;
    }
  }
}

void RedisOutbox::took(std::size_t bytes) { written_ += bytes; }

std::function<void()> RedisOutbox::next_written() {
  if (callbacks_.empty() || callbacks_.front().end > written_) return {};
  std::function<void()> call = std::move(callbacks_.front().call);
  callbacks_.pop_front();
  return call;
}

void RedisOutbox::clear() {
  pieces_.clear();
  callbacks_.clear();
  front_done_ = 0;
  added_ = written_ = 0;
}

}  // namespace walrelay::sinks
