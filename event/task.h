// Task<T>: a coroutine that starts when it is awaited, has one owner, and is cancelled by destroying it.
//
//   Task<int> count(Connection& c);             lazy: nothing has run yet
//   auto counting = count(c);                   a name: GCC 12 destroys temporaries of a co_await expression twice
//   int n = co_await std::move(counting);       runs it; its exception arrives here
//
//   Job job(loop, std::move(task), done);       a root: runs at once, done(error) comes at the end of a loop turn
//
// Rules, each of which a miscompilation or a crash taught (style 5.5):
//   * co_await takes a name: no lambda, no braces, no ?: between co_await and the semicolon.
//   * Parameters by value, or references to what outlives the task; never a capturing lambda as a coroutine.
//   * Awaitables always suspend and are resumed from the loop: without optimisation GCC makes no tail call of the
//     symmetric transfer, and a loop over ready awaits would eat the stack.
//   * A task that is running must not be destroyed by code that it runs: destroy through event::Deferred.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "event/loop.h"

namespace walrelay::event {

template <class T = void>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr error;

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> done) noexcept {
      return done.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() noexcept {}
  void take() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
      handle_.promise().continuation = waiter;
      return handle_;
    }
    T await_resume() { return handle_.promise().take(); }

   private:
    std::coroutine_handle<promise_type> handle_;
  };
  Awaiter operator co_await() && { return Awaiter(handle_); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

// The root of a chain of tasks. Destroying it cancels whatever the chain is waiting for.
class Job {
 public:
  using Done = std::function<void(std::exception_ptr error)>;  // null: it returned
  Job(Loop& loop, Task<> task, Done done);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  static Task<> run(Job* self, Task<> task);
  Done done_;
  std::exception_ptr error_;
  bool finished_ = false;
  Deferred report_;
  Task<> task_;
};

Task<> sleep(Loop& loop, milliseconds duration);

// The numeric addresses of a host, by the resolver's own order, without blocking the loop.
// Throws std::runtime_error("resolve \"host\": ...").
Task<std::vector<std::string>> resolve(Loop& loop, std::string host);

}  // namespace walrelay::event
