// Asks Redis what stands under keys and compares it with what is expected: nearly always by its bytes alone.
//
//   ask(expectation) ─> packets of questions ─> replies, in order ─> on_answer(nothing: equal, or how it differs)
//
// An answer that differs from the expected bytes is parsed and judged. Where that is not worth it, because somebody
// will ask again anyway, `by_bytes` says only "stale". Answers come from the loop, in the order of the questions.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "sinks/expectation.h"
#include "sinks/redis_connection.h"

namespace walrelay::sinks {

class RedisInquiry {
 public:
  // The connection outlives this and is nobody else's meanwhile.
  RedisInquiry(RedisConnection& connection, bool by_bytes);
  ~RedisInquiry();
  RedisInquiry(const RedisInquiry&) = delete;
  RedisInquiry& operator=(const RedisInquiry&) = delete;

  void ask(const Expectation& expected);
  void flush();  // sends what has been asked
  [[nodiscard]] std::size_t under_way() const { return open_.size(); }

  std::function<void(const Difference& difference)> on_answer;
  std::function<void()> on_lost;  // there will be no more answers; may be called by flush()
  [[nodiscard]] bool lost() const { return lost_ != nullptr; }
  void rethrow_if_lost() const;  // as a RedisError

 private:
  struct Question {
    std::string answer;     // the bytes when all is well
    std::string_view pttl;  // likewise; empty: it must be judged
    std::unique_ptr<Expectation> expected;
    ExpectedEnd end;
    bool value_seen = false, same = true;
    bool alone = false;   // no PTTL follows
    bool absent = false;  // it was the reply that there is no key
    Observed observed;
  };
  void on_reply(const redisReply& reply);
  void on_usual();
  void note_value(Question& question, const redisReply& reply) const;
  void note_pttl(Question& question, const redisReply& reply) const;
  void answered();
  [[nodiscard]] std::string_view usual() const;

  RedisConnection& connection_;
  const bool by_bytes_;
  std::string packet_;
  std::size_t in_packet_ = 0;                      // commands
  std::deque<std::unique_ptr<std::string>> sent_;  // until written
  std::deque<Question> open_;
  std::exception_ptr lost_;
};

}  // namespace walrelay::sinks
