// What a RedisConnection is made of. Private to redis_connection.cc (sending and receiving) and redis_open.cc.
//
//   closed ──open()──> linking ──(socket, TLS)──> linked ──(AUTH ... ROLE)──> open ──lost() | close()──> closed
//
//   outbox    bytes to write, in order            expected   replies to come, in the same order:
//                                                            a command's one reply, or a run of a bulk's n replies
#pragma once

#include <deque>
#include <memory>

#include "sinks/redis_link.h"

namespace walrelay::sinks {

struct RedisConnection::State {
  enum class Phase : std::uint8_t { closed, linking, linked, open };

  // Stands in the frame of a coroutine that waits for one command's reply; either may go first.
  struct Waiter {
    explicit Waiter(State& owner) : state(&owner), done(owner.loop) {}
    ~Waiter() {
      if (state != nullptr) state->forget(this);
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    void fail(const std::exception_ptr& why) {
      state = nullptr;
      error = why;
      done.set();
    }
    State* state;
    event::Event done;
    Reply reply;
    std::exception_ptr error;
  };
  struct Expected {
    std::size_t replies = 1;
    std::function<void(const redisReply&)> on_reply;  // of a bulk, or
    Waiter* waiter = nullptr;                         // of a command; null too when nobody waits any more
    std::function<std::string_view()> usual = {};
    std::function<void()> on_usual = {};
  };

  State(event::Loop& loop, RedisOptions options, RedisConnection& owner);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // redis_open.cc
  event::Task<> establish();
  event::Task<> resolve_host();
  void require_owner() const;
  void require_link() const;
  event::Task<> link_to(std::string address);
  event::Task<> introduce();
  event::Task<> within_timeout(event::Task<> task);
  event::Task<> authenticate();
  event::Task<> learn_server();
  [[nodiscard]] std::string name() const;

  // redis_connection.cc
  void queue_command(const std::vector<std::string>& arguments, Waiter& waiter);
  void expect(Expected expected);
  void forget(const Waiter* waiter);
  void on_ready(int directions);
  void receive();
  [[nodiscard]] bool deliver_all(const RedisLink* from);
  enum class Usual : std::uint8_t { delivered, other, incomplete, over };
  Usual deliver_usual(const RedisLink* from);
  [[nodiscard]] bool deliver(const redisReply& reply);
  void transmit();
  void on_silence();
  void lost(const std::string& code, const std::string& why);
  void close(const std::exception_ptr& why);  // every waiting command fails with it
  void end_turn();

  event::Loop& loop;
  RedisOptions options;
  RedisConnection& owner;
  Phase phase = Phase::closed;
  std::unique_ptr<RedisLink> link;
  event::Event linkable;  // a socket that is being connected became ready
  RedisOutbox outbox;
  std::deque<Expected> expected;
  std::uint64_t last_received = 0;  // loop time, ms
  event::Timer silence;
  bool given_up = false;       // the owner has closed it: who opens it must end
  bool shaking_hands = false;  // TLS
  bool unread = false;         // receive() stopped before everything was read
  std::vector<std::string> addresses;
  std::exception_ptr failure;  // why the last connection ended
  int server_version = 0;
  bool is_replica = false;

  // Nothing dies inside its own callback: what close() takes away is freed at the end of the turn.
  struct Buried {
    std::unique_ptr<RedisLink> link;
    std::deque<Expected> expected;
  };
  std::vector<Buried> buried;
  std::exception_ptr report;  // for on_lost
  event::Deferred turn;
};

}  // namespace walrelay::sinks
