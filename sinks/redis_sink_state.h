// What a RedisSink is made of. Private to the redis sink's files:
//
//   redis_sink.cc       what the owner calls          redis_take_over.cc  the fence and what the last owner left
//   redis_flush.cc      what leaves, and when         redis_remove.cc     TRUNCATE: SCAN and UNLINK
//   redis_verdict.cc    every reply is looked at      redis_confirm.cc    WAIT and WAITAOF
//   redis_invalidate.cc keys that caches are to lose
//
//   filling ──hand_over()──> current: MULTI sent, commands streaming ──finish()──> executing: EXEC sent ──> applied
//
// finish() waits until the one before is checked, so that its checkpoint can call that one verified; hand_over() does
// not, so that Redis reads the next batch while the process checks the last one, and the other way round.
#pragma once

#include <algorithm>
#include <deque>
#include <set>

#include "sinks/redis_flight.h"
#include "sinks/redis_sink.h"

namespace walrelay::sinks {

struct RedisSink::State {
  using Position = replication::Position;
  using Flight = RedisFlight;

  struct Removal {
    std::vector<OwnedKeys> owned;
    std::vector<std::uint32_t> writes;
  };

  // A flight that is in Redis, and not applied before what it, or one before it, asks to remove is gone.
  struct Landed {
    Position end;
    std::int64_t commit_time_us = 0;
    std::chrono::steady_clock::time_point since{};  // as a flight has it
    bool shows = false;                             // rows or transactions
    bool waits = false;                             // asks to remove something
    std::vector<DeadLetter> letters;
  };

  State(event::Loop& loop, RedisConnection& connection, RedisSinkOptions options, SinkEvents& events);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // redis_flush.cc
  void pump();  // sends what may be sent now
  void pump_current();
  void pump_filling();
  void pump_torn();
  void hand_over();  // the filling batch joins the open MULTI, which is begun where there is none
  void send_commands(Flight& flight);
  void remember_keys(Flight& flight, const std::vector<Batch::Place>& places);
  void begin_flight();
  void on_written();
  void finish();                  // checkpoint and EXEC
  void cut(const Position& end);  // the open MULTI ends inside a transaction
  void write_closing(Flight& flight);
  void append_letter(std::string& out, const DeadLetterAt& at) const;
  [[nodiscard]] bool due() const;
  [[nodiscard]] bool tear_due() const;
  [[nodiscard]] bool record_due() const;
  [[nodiscard]] std::uint64_t record_at() const;
  void arm_flush_timer();
  void arm_record_timer();
  void on_turn();
  void on_record_timer();
  void promote();  // what had no commands is applied as soon as everything before it is
  [[nodiscard]] bool needs_record() const;

  // redis_verdict.cc
  void on_begun(const redisReply& reply);
  void on_queued(Flight& flight, const redisReply& reply);
  void on_closing(const redisReply& reply);
  void on_executed(Flight& flight, const redisReply& reply);
  void on_refused(Flight& flight, const redisReply& results);
  [[nodiscard]] OnPoison policy_of(const Flight& flight, std::size_t index) const;
  void note_refused(Flight& flight, std::size_t index, std::string error);
  void on_fence(const redisReply& reply, bool after_exec);
  void complete();
  void fail(std::string code, const std::string& message);
  void fail(const std::exception_ptr& why);
  [[nodiscard]] std::string place_of(const Flight& flight, std::size_t index) const;
  void check_liveness();

  // redis_remove.cc
  event::Task<> remove_all();
  event::Task<> settle();
  event::Task<> scan(Removal& asked);
  event::Task<> scan_members(const MemberRemoval& members, std::string home);
  event::Task<> remove_handed_over(const Removal& asked);
  event::Task<> make_room();
  void remove_filling(const Removal& asked);
  [[nodiscard]] static const MemberRemoval* removal_of(const Removal& asked, std::uint32_t write);
  void remove_keys(const std::vector<std::string_view>& keys, std::uint32_t write);
  void start_removal();
  void end_removal();

  // redis_confirm.cc
  void recorded(const Position& position);
  event::Task<> confirm();
  event::Task<> wait_for_replicas();
  event::Task<> wait_for_disk();
  event::Task<> open_side(std::unique_ptr<RedisConnection>& side, std::string purpose);

  // redis_invalidate.cc
  bool land(Flight& flight);
  void settle(Landed& flight);
  void release(std::size_t count);
  void invalidate_in(event::milliseconds delay);
  void start_invalidation();
  event::Task<> invalidate_due();
  event::Task<Reply> next_due(std::vector<Reply> done);
  event::Task<> remove_due(const std::vector<Reply>& due);
  event::Task<> unlink_matching(const std::set<std::string>& texts);
  event::Task<> unlink_cached(std::vector<std::string> keys);

  // redis_sink.cc
  void became_fuller();
  void became_emptier();
  [[nodiscard]] std::size_t held() const;
  [[nodiscard]] std::size_t under_way() const { return filling_bytes() + (current == nullptr ? 0 : current->bytes); }
  [[nodiscard]] bool running() const { return started && !failed; }
  // Inside a transaction or a removal the filling batch must not be shown.
  [[nodiscard]] bool whole() const { return !open && !removing; }
  [[nodiscard]] bool nothing_filling() const { return filling.empty() && filled.letters.empty(); }
  // Rows of the filling batch, without those that later ones have replaced.
  [[nodiscard]] std::size_t rows_to_send() const { return std::min(filled.rows, filling.commands()); }
  void compact();  // where most of it was replaced
  [[nodiscard]] bool hurried() const;
  [[nodiscard]] std::size_t room() const;  // bytes under way up to which rows are read
  [[nodiscard]] std::size_t filling_bytes() const { return filling.bytes() + filled.letter_bytes; }
  [[nodiscard]] bool reached(const Position& position) const { return !held_back && position >= floor; }
  [[nodiscard]] bool too_long() const;  // the open transaction, for one MULTI
  void count_open(bool of_transaction);
  void recycle(std::unique_ptr<Batch> batch);

  event::Loop& loop;
  RedisConnection& connection;
  const RedisSinkOptions options;
  SinkEvents& events;
  const std::size_t segment;  // what is worth sending ahead

  Batch filling;
  RedisFilling filled;
  std::unique_ptr<Flight> current, executing;
  std::deque<std::unique_ptr<Batch>> borrowed;  // by the connection, until written
  std::vector<std::unique_ptr<Batch>> spare;
  std::uint32_t last_image = 0;
  std::vector<DeadLetterAt> letters;  // their batches are applied: the next one notes them

  std::string fence, checkpoint, dead, barrier;  // keys
  std::uint64_t epoch = 0;
  std::string epoch_text, watch_and_get;
  Origin origin;
  std::string phase;
  bool started = false, failed = false;

  // Positions. here: the last commit (or advance) that was handed to us. applied: everything up to it is checked.
  // stated: what the last checkpoint that was sent calls verified. recorded: what a checked (and confirmed) one does.
  Position floor, here, last_row, applied, stated, recorded_to;
  std::int64_t commit_time_us = 0;
  bool held_back = false;
  bool awaited = false;          // somebody waits for a batch to be shown
  std::size_t open_bytes = 0;    // of the open transaction's commands, also of those that have been handed over
  std::size_t known_bytes = 0;   // of the filling batch, when last looked at
  bool open = false;             // a transaction's rows are being appended
  bool quiet_commit = false;     // `here` was moved by a transaction without commands
  bool dirty = false;            // origin or phase are not in Redis yet
  bool unrecorded_rows = false;  // rows were applied since the last checkpoint was sent
  std::map<std::string, std::string> stated_fields;

  bool crowded = false;  // somebody waits for room
  bool was_full = false, overdue = false, hurry = false, alive_asked = false;
  Position hurry_to;
  std::uint64_t last_left = 0, last_checked = 0, last_stated = 0, record_timer_at = 0,
                last_commit = 0;  // loop time, ms
  SinkCounters counters;
  std::exception_ptr error;

  Removal removal;  // asked for and not begun
  bool removing = false;
  Position before_removal;
  event::Event changed;  // a flight was checked, or bytes were written: whoever waits looks again
  Position confirm_target;
  std::deque<Landed> landed;  // in order
  bool invalidation_asked = false;
  std::uint64_t invalidation_at = 0;  // loop time, ms: when the timer fires

  event::Deferred turn, writable, report;
  event::Timer flush_timer, record_timer, liveness_timer, invalidation_timer;
  std::unique_ptr<RedisConnection> scanner, confirmer, invalidator;
  std::unique_ptr<event::Job> removal_job, confirm_job, invalidation_job;  // after what they use
};

}  // namespace walrelay::sinks
