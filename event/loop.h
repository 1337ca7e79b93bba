// The ground floor: one libuv loop, and the few handles that the program is made of.
//
//   Loop ── owns uv_loop_t; its destructor runs the loop dry and aborts if a handle was left open
//    ├─ Timer     a callback after a while, once or repeatedly
//    ├─ Poll      a callback when a descriptor that somebody else owns is readable or writable
//    ├─ Signal    a callback for a signal
//    ├─ Deferred  a callback at the end of this loop turn (never inside the caller's frame)
//    ├─ Nap       a callback after everything that is deferred, and after a sleep of the whole loop
//    └─ Event     what a coroutine waits for; set() resumes it through a Deferred
//
// Rules. Everything here belongs to one thread. Objects are neither copied nor moved; destroying one ends its
// callbacks. Callbacks must not throw. Nothing may be destroyed from inside its own callback except through a
// Deferred. This is the only place in the program that calls uv_close (style: "nobody dies inside its own callback").
#pragma once

#include <uv.h>

#include <chrono>
#include <coroutine>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace walrelay::event {

using Callback = std::function<void()>;
using std::chrono::milliseconds;

// uv_close() is asynchronous: the memory is freed in its callback, when the owner may be long gone.
struct CloseHandle {
  template <class H>
  void operator()(H* handle) const noexcept {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) { delete reinterpret_cast<H*>(closed); });
  }
};
// Only ever around a handle whose initialisation succeeded.
template <class H>
using UvHandle = std::unique_ptr<H, CloseHandle>;

class Deferred;
class Nap;

class Loop {
 public:
  Loop();
  // Every other object of this loop must be gone; aborts, naming it, if one is not. Waits for name look-ups that a
  // thread still works on: they cannot be stopped.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop() is called or nothing is left to wait for
  void stop();  // run() returns at the end of this turn
  uv_loop_t* raw() { return &loop_; }
  [[nodiscard]] std::chrono::nanoseconds napped() const { return napped_; }  // by every Nap together

 private:
  friend class Deferred;
  friend class Nap;
  void enqueue(Deferred* deferred);
  void forget(Deferred* deferred);
  void enqueue(Nap* nap);
  void forget(Nap* nap);
  void stay_awake();
  void run_deferred();
  void run_naps();
  void nap();
  [[nodiscard]] bool passed_over();

  uv_loop_t loop_{};
  UvHandle<uv_check_t> check_;
  UvHandle<uv_idle_t> idle_;  // active only while something is deferred: keeps the poll from sleeping
  std::vector<Deferred*> queue_;
  std::vector<Deferred*> running_;
  std::vector<Nap*> naps_, waking_;
  int passed_over_ = 0;  // how often naps_ have made way for what was deferred
  std::chrono::nanoseconds napped_{0};
};

// Runs `callback` once at the end of this loop turn after schedule(); scheduling twice before that is scheduling once.
class Deferred {
 public:
  Deferred(Loop& loop, Callback callback) : loop_(loop), callback_(std::move(callback)) {}
  ~Deferred() { cancel(); }
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  void schedule();
  void cancel();
  [[nodiscard]] bool scheduled() const { return scheduled_; }

 private:
  friend class Loop;
  Loop& loop_;
  Callback callback_;
  bool scheduled_ = false;
};

// For a descriptor that is read from time to time instead of being watched: runs `callback` once after schedule(), when
// nothing is deferred, no descriptor is ready, and the thread has slept. While it sleeps no other callback runs and no
// descriptor wakes it, so `sleep` is far below a millisecond. A loop that is busy turn after turn does not sleep.
class Nap {
 public:
  Nap(Loop& loop, std::chrono::microseconds sleep, Callback callback)
      : loop_(loop), sleep_(sleep), callback_(std::move(callback)) {}
  ~Nap() { cancel(); }
  Nap(const Nap&) = delete;
  Nap& operator=(const Nap&) = delete;
  void schedule();
  void cancel();
  [[nodiscard]] bool scheduled() const { return scheduled_; }

 private:
  friend class Loop;
  Loop& loop_;
  std::chrono::microseconds sleep_;
  Callback callback_;
  bool scheduled_ = false;
};

class Timer {
 public:
  Timer(Loop& loop, Callback callback);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void start(milliseconds after, milliseconds repeat = milliseconds(0));  // restarts when already running
  void stop();
  [[nodiscard]] bool active() const;

 private:
  Callback callback_;
  UvHandle<uv_timer_t> handle_;
};

// Watches a descriptor that somebody else owns and that must stay open as long as this object lives.
// The callback gets the ready directions; an error of the poll itself is reported as both directions ready, because
// only the descriptor's library knows the cause (libuv reports EBADF for a refused connection).
class Poll {
 public:
  enum Direction : int { none = 0, readable = UV_READABLE, writable = UV_WRITABLE };
  Poll(Loop& loop, int descriptor, std::function<void(int directions)> callback);
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  void watch(int directions);  // none: stop watching
  // For ever, and for a descriptor that is about to be closed or just was. A closed descriptor's number is given to the
  // next one that is opened, and ending the poll later would silence that one. May be called from the callback.
  void close();

 private:
  void arm();
  std::function<void(int)> callback_;
  UvHandle<uv_poll_t> handle_;
  int directions_ = none;
};

class Signal {
 public:
  Signal(Loop& loop, int number, Callback callback);
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  Callback callback_;
  UvHandle<uv_signal_t> handle_;
};

// What a coroutine waits for. set() wakes everyone who waits at that moment, in order, one at the end of each turn; who
// begins to wait later is woken by the next set(), or soon when the Event still is set: awaiting always goes through
// the loop, so that no chain of awaits can run on one stack. Stays set until reset(). Destroying an Event leaves its
// waiters suspended for ever (until their coroutines are destroyed).
class Event {
 public:
  explicit Event(Loop& loop);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void set();
  void reset() { set_ = false; }
  [[nodiscard]] bool is_set() const { return set_; }

  class Wait {
   public:
    explicit Wait(Event& event) : event_(&event) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait();
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter);
    void await_resume() noexcept {}

   private:
    friend class Event;
    Event* event_;
    std::coroutine_handle<> waiter_;
    bool waiting_ = false;
  };
  Wait wait() { return Wait(*this); }  // auto w = event.wait(); co_await w;
  Wait operator co_await() { return Wait(*this); }

 private:
  void wake();
  Deferred deferred_;
  bool set_ = false;
  std::list<Wait*> waiting_;
  std::list<Wait*> woken_;  // by set(): a reset() or a new wait does not concern them any more
};

}  // namespace walrelay::event
