#include "event/loop.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace walrelay::event {

namespace {

void require(int status, const char* what) {
  if (status == 0) return;
  std::fprintf(stderr, "walrelay: %s: %s\n", what, uv_strerror(status));
  std::abort();  // out of descriptors or memory at start: there is no loop to report it through
}

template <class H, class Init>
UvHandle<H> make_handle(const char* what, void* owner, Init init) {
  auto raw = std::make_unique<H>();
  require(init(raw.get()), what);
  raw->data = owner;
  return UvHandle<H>(raw.release());
}

// Each callback may cancel, and so forget, those that are still to come.
template <class Waiting, class Begin>
void call_all(std::vector<Waiting*>& all, Begin begin) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    Waiting* const next = std::exchange(all[i], nullptr);
    if (next == nullptr) continue;           // cancelled meanwhile
    const Callback callback = begin(*next);  // a copy: the callback may destroy what it belongs to
    callback();
  }
  all.clear();
}

}  // namespace

Loop::Loop() {
  require(uv_loop_init(&loop_), "uv_loop_init");
  require(uv_loop_configure(&loop_, UV_METRICS_IDLE_TIME), "uv_loop_configure");  // idle_time.h
  check_ = make_handle<uv_check_t>("uv_check_init", this, [&](uv_check_t* h) { return uv_check_init(&loop_, h); });
  idle_ = make_handle<uv_idle_t>("uv_idle_init", this, [&](uv_idle_t* h) { return uv_idle_init(&loop_, h); });
  uv_check_start(check_.get(), [](uv_check_t* h) noexcept {
    auto* self = static_cast<Loop*>(h->data);
    if (self == nullptr) return;
    self->run_deferred();
    self->run_naps();
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(check_.get()));
}

Loop::~Loop() {
  check_.reset();
  idle_.reset();
  // An open handle would make the last run wait for ever, or call an owner that does not expect it.
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle) != 0) return;
        std::fprintf(stderr, "walrelay: a %s outlived its loop\n", uv_handle_type_name(uv_handle_get_type(handle)));
        std::abort();
      },
      nullptr);
  while (uv_run(&loop_, UV_RUN_DEFAULT) != 0) {
    // A stop() that came after the last run() ends the first of these at once.
  }
  require(uv_loop_close(&loop_), "uv_loop_close");
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }

void Loop::stop() { uv_stop(&loop_); }

void Loop::enqueue(Deferred* deferred) {
  stay_awake();
  queue_.push_back(deferred);
}

void Loop::stay_awake() {
  if (queue_.empty() && naps_.empty()) uv_idle_start(idle_.get(), [](uv_idle_t*) noexcept {});
}

void Loop::forget(Deferred* deferred) {
  std::replace(queue_.begin(), queue_.end(), deferred, static_cast<Deferred*>(nullptr));
  std::replace(running_.begin(), running_.end(), deferred, static_cast<Deferred*>(nullptr));
}

void Loop::run_deferred() {
  if (queue_.empty()) return;
  running_.swap(queue_);
  if (naps_.empty()) uv_idle_stop(idle_.get());  // what the callbacks defer again waits for the next turn
  call_all(running_, [](Deferred& deferred) {
    deferred.scheduled_ = false;
    return deferred.callback_;
  });
}

void Loop::enqueue(Nap* nap) {
  stay_awake();
  naps_.push_back(nap);
}

void Loop::forget(Nap* nap) {
  std::replace(naps_.begin(), naps_.end(), nap, static_cast<Nap*>(nullptr));
  std::replace(waking_.begin(), waking_.end(), nap, static_cast<Nap*>(nullptr));
}

void Loop::run_naps() {
  if (naps_.empty() || passed_over()) return;
  waking_.swap(naps_);
  if (queue_.empty()) uv_idle_stop(idle_.get());
  if (passed_over_ == 0) nap();
  call_all(waking_, [](Nap& nap) {
    nap.scheduled_ = false;
    return nap.callback_;
  });
}

// As long as the shortest of those that wait.
void Loop::nap() {
  auto sleep = std::chrono::nanoseconds::max();
  for (const Nap* nap : waking_) {
    if (nap != nullptr) sleep = std::min<std::chrono::nanoseconds>(sleep, nap->sleep_);
  }
  if (sleep == std::chrono::nanoseconds::max()) return;  // all were cancelled
  const timespec time{.tv_sec = 0, .tv_nsec = sleep.count()};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);  // a signal ends it early, which does no harm
  napped_ += sleep;
}

// What is deferred goes first, and what that defers: a write that is to leave is not to sleep with us. Nor does anybody
// sleep while a descriptor is ready, which the kernel's list of them tells, being a descriptor itself. In a loop that
// is never idle the naps' callbacks run in each turn, after the first few.
bool Loop::passed_over() {
  constexpr int kTurns = 4;
  pollfd ready{.fd = uv_backend_fd(&loop_), .events = POLLIN, .revents = 0};
  const bool idle = queue_.empty() && ::poll(&ready, 1, 0) == 0;
  passed_over_ = idle ? 0 : passed_over_ + 1;
  return passed_over_ > 0 && passed_over_ <= kTurns;
}

void Nap::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  loop_.enqueue(this);
}

void Nap::cancel() {
  if (!scheduled_) return;
  scheduled_ = false;
  loop_.forget(this);
}

void Deferred::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  loop_.enqueue(this);
}

void Deferred::cancel() {
  if (!scheduled_) return;
  scheduled_ = false;
  loop_.forget(this);
}

Timer::Timer(Loop& loop, Callback callback)
    : callback_(std::move(callback)), handle_(make_handle<uv_timer_t>("uv_timer_init", this, [&](uv_timer_t* h) {
        return uv_timer_init(loop.raw(), h);
      })) {}

void Timer::start(milliseconds after, milliseconds repeat) {
  uv_update_time(handle_->loop);  // the loop's clock stands still during a turn: a busy turn would shorten the wait
  uv_timer_start(
      handle_.get(),
      [](uv_timer_t* h) noexcept {
        if (auto* self = static_cast<Timer*>(h->data)) self->callback_();
      },
      static_cast<std::uint64_t>(std::max<milliseconds::rep>(0, after.count())),
      static_cast<std::uint64_t>(std::max<milliseconds::rep>(0, repeat.count())));
}

void Timer::stop() { uv_timer_stop(handle_.get()); }

bool Timer::active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0; }

Poll::Poll(Loop& loop, int descriptor, std::function<void(int)> callback)
    : callback_(std::move(callback)), handle_(make_handle<uv_poll_t>("uv_poll_init", this, [&](uv_poll_t* h) {
        return uv_poll_init(loop.raw(), h, descriptor);
      })) {}

void Poll::watch(int directions) {
  if (directions == directions_ || handle_ == nullptr) return;
  directions_ = directions;
  arm();
}

void Poll::close() {
  directions_ = none;
  handle_.reset();
}

void Poll::arm() {
  if (directions_ == none) {
    uv_poll_stop(handle_.get());
    return;
  }
  uv_poll_start(handle_.get(), directions_, [](uv_poll_t* h, int status, int events) noexcept {
    auto* self = static_cast<Poll*>(h->data);
    if (self == nullptr) return;
    if (status < 0) {
      self->directions_ = none;  // libuv has stopped polling; the owner asks its library for the cause
      events = readable | writable;
    }
    self->callback_(events);
  });
}

Signal::Signal(Loop& loop, int number, Callback callback)
    : callback_(std::move(callback)), handle_(make_handle<uv_signal_t>("uv_signal_init", this, [&](uv_signal_t* h) {
        return uv_signal_init(loop.raw(), h);
      })) {
  uv_signal_start(
      handle_.get(),
      [](uv_signal_t* h, int) noexcept {
        if (auto* self = static_cast<Signal*>(h->data)) self->callback_();
      },
      number);
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));  // waiting for a signal alone keeps no loop alive
}

Event::Event(Loop& loop) : deferred_(loop, [this] { wake(); }) {}

Event::~Event() {
  for (Wait* waiting : waiting_) waiting->waiting_ = false;
  for (Wait* woken : woken_) woken->waiting_ = false;
}

void Event::set() {
  set_ = true;
  woken_.splice(woken_.end(), waiting_);
  if (!woken_.empty()) deferred_.schedule();
}

// One waiter a turn: resuming may destroy this Event, so nothing of it is touched after resume().
void Event::wake() {
  if (woken_.empty()) return;
  Wait* next = woken_.front();
  woken_.pop_front();
  next->waiting_ = false;
  if (!woken_.empty()) deferred_.schedule();
  next->waiter_.resume();
}

Event::Wait::~Wait() {
  if (!waiting_) return;
  event_->waiting_.remove(this);
  event_->woken_.remove(this);
}

void Event::Wait::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  waiting_ = true;
  (event_->set_ ? event_->woken_ : event_->waiting_).push_back(this);
  if (event_->set_) event_->deferred_.schedule();
}

}  // namespace walrelay::event
