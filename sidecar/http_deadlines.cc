#include "sidecar/http_deadlines.h"

#include <sys/socket.h>

#include <algorithm>

namespace walrelay::sidecar {

namespace {

constexpr event::milliseconds kLook{1000};

}  // namespace

HttpDeadlines::HttpDeadlines(event::Loop& loop, event::milliseconds request, event::milliseconds answer)
    : request_(request),
      answer_(answer),
      every_(std::min({request, answer, kLook})),
      timer_(loop, [this] { look(); }) {}

void HttpDeadlines::set(int socket, event::milliseconds patience) {
  due_[socket] = Clock::now() + patience;
  if (!timer_.active()) timer_.start(every_, every_);
}

void HttpDeadlines::look() {
  const auto now = Clock::now();
  for (auto each = due_.begin(); each != due_.end();) {
    if (each->second > now) {
      ++each;
      continue;
    }
    ::shutdown(each->first, SHUT_RDWR);
    each = due_.erase(each);
  }
  if (due_.empty()) timer_.stop();
}

}  // namespace walrelay::sidecar
