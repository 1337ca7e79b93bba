// Every key of a database, page by page: the server looks for the next page while the caller looks at this one.
//
//   caller   next() ─── looks at page 1 ─── next() ─── looks at page 2 ───
//   server   SCAN 0     SCAN a              (there)    SCAN b
//
// As SCAN says it: a key that stands there from the first next() to the last page comes at least once, perhaps twice;
// one that comes or goes meanwhile may come or not.
#pragma once

#include <deque>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "sinks/redis_connection.h"

namespace walrelay::sinks {

class RedisScan {
 public:
  // `globs`: one is given to the server; of several the caller chooses, all keys come. `count`: SCAN's COUNT. The
  // connection is open and outlives the scan; it may carry other commands meanwhile.
  RedisScan(event::Loop& loop, RedisConnection& connection, const std::set<std::string>& globs, std::size_t count);

  // Throws RedisError. Not after ended().
  event::Task<std::vector<std::string>> next();
  [[nodiscard]] bool ended() const;

 private:
  void ask_ahead();
  event::Task<> ask();
  void on_answer(const std::exception_ptr& failure);
  [[nodiscard]] bool has_more() const;

  event::Loop& loop_;
  RedisConnection& connection_;
  std::vector<std::string> command_;
  std::deque<std::vector<std::string>> pages_;  // that nobody has looked at
  std::exception_ptr failure_;
  event::Event answered_;
  bool begun_ = false;
  std::unique_ptr<event::Job> asking_;  // after what it uses; null: nothing is asked
};

}  // namespace walrelay::sinks
