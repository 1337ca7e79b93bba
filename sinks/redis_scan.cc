#include "sinks/redis_scan.h"

namespace walrelay::sinks {
namespace {

constexpr std::size_t kCursor = 1;      // its place in the command
constexpr std::size_t kPagesAhead = 2;  // that wait for the caller

}  // namespace

RedisScan::RedisScan(event::Loop& loop, RedisConnection& connection, const std::set<std::string>& globs,
                     std::size_t count)
    : loop_(loop), connection_(connection), command_{"SCAN", "0", "COUNT", std::to_string(count)}, answered_(loop) {
  if (globs.size() == 1) command_.insert(command_.end(), {"MATCH", *globs.begin()});
}

bool RedisScan::has_more() const { return !begun_ || command_[kCursor] != "0"; }
bool RedisScan::ended() const { return pages_.empty() && asking_ == nullptr && !failure_ && !has_more(); }

event::Task<std::vector<std::string>> RedisScan::next() {
  while (pages_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    if (asking_ == nullptr) ask_ahead();
    answered_.reset();
    co_await answered_;
  }
  std::vector<std::string> page = std::move(pages_.front());
  pages_.pop_front();
  if (asking_ == nullptr && !failure_ && has_more()) ask_ahead();
  co_return page;
}

void RedisScan::ask_ahead() {
  asking_ =
      std::make_unique<event::Job>(loop_, ask(), [this](const std::exception_ptr& failure) { on_answer(failure); });
}

// The next page is asked for before the caller wakes: what is sent leaves at the end of a turn, and the caller may need
// the whole turn to look at this one.
void RedisScan::on_answer(const std::exception_ptr& failure) {
  failure_ = failure;
  asking_.reset();
  if (!failure_ && has_more() && pages_.size() < kPagesAhead) ask_ahead();
  answered_.set();
}

event::Task<> RedisScan::ask() {
  auto scanning_on = connection_.command(command_);
  Reply reply = co_await std::move(scanning_on);
  if (reply.elements.size() != 2) throw RedisError("LOST", connection_.name() + " answered SCAN with no cursor");
  begun_ = true;
  command_[kCursor] = std::move(reply.elements[0].text);
  std::vector<std::string> page;
  page.reserve(reply.elements[1].elements.size());
  for (Reply& key : reply.elements[1].elements) page.push_back(std::move(key.text));
  pages_.push_back(std::move(page));
}

}  // namespace walrelay::sinks
