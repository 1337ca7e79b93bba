#include "event/task.h"

#include <netdb.h>

#include <algorithm>
#include <stdexcept>

namespace walrelay::event {

Job::Job(Loop& loop, Task<> task, Done done)
    : done_(std::move(done)),
      report_(loop,
              [this] {
                const Done report = done_;  // a copy: done usually destroys this Job
                const std::exception_ptr error = error_;
                if (report) report(error);
              }),
      task_(run(this, std::move(task))) {
  // The wrapper is lazy like every task: awaiting it without a waiter is how a chain starts.
  std::move(task_).operator co_await().await_suspend(std::noop_coroutine()).resume();
}

Task<> Job::run(Job* self, Task<> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    self->error_ = std::current_exception();
  }
  self->finished_ = true;
  self->report_.schedule();
}

Task<> sleep(Loop& loop, milliseconds duration) {
  Event over(loop);
  Timer timer(loop, [&over] { over.set(); });
  timer.start(duration);
  co_await over;
}

namespace {

// uv_getaddrinfo cannot be stopped once a thread works on it: the request outlives whoever asked and then says
// nothing. The caller clears `self` when it is cancelled.
struct Lookup {
  struct Request {
    uv_getaddrinfo_t uv{};
    Lookup* self = nullptr;
  };
  explicit Lookup(Loop& loop) : done(loop) {}
  ~Lookup() {
    if (request != nullptr) {
      request->self = nullptr;
      uv_cancel(reinterpret_cast<uv_req_t*>(&request->uv));
    }
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  static void finished(uv_getaddrinfo_t* uv, int status, addrinfo* found) noexcept {
    auto* request = static_cast<Request*>(uv->data);
    if (Lookup* self = request->self) self->take(status, found);
    uv_freeaddrinfo(found);
    delete request;
  }

  void take(int outcome, const addrinfo* found) {
    request = nullptr;
    status = outcome;
    for (; status == 0 && found != nullptr; found = found->ai_next) {
      char text[NI_MAXHOST];
      if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0 &&
          std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {  // hosts files repeat themselves
        addresses.emplace_back(text);
      }
    }
    done.set();
  }

  Request* request = nullptr;
  Event done;
  int status = 0;
  std::vector<std::string> addresses;
};

}  // namespace

Task<std::vector<std::string>> resolve(Loop& loop, std::string host) {
  Lookup lookup(loop);
  lookup.request = new Lookup::Request;
  lookup.request->self = &lookup;
  lookup.request->uv.data = lookup.request;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const int started = uv_getaddrinfo(loop.raw(), &lookup.request->uv, Lookup::finished, host.c_str(), nullptr, &hints);
  if (started != 0) {
    delete lookup.request;
    lookup.request = nullptr;
    throw std::runtime_error("resolve \"" + host + "\": " + uv_strerror(started));
  }
  co_await lookup.done;
  if (lookup.status != 0 || lookup.addresses.empty()) {
    throw std::runtime_error("resolve \"" + host +
                             "\": " + (lookup.status != 0 ? uv_strerror(lookup.status) : "no address"));
  }
  co_return std::move(lookup.addresses);
}

}  // namespace walrelay::event
