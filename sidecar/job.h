// What was asked to be read again, and how far that is: the record behind `walrelay rebuild`, its HTTP routes and its
// status. Pure.
//
//   request() ─> running: waiting ─> reading ─> sweeping ─> completed | failed | cancelled
//
// One job a slice: the rows of a mapping, of one of its tables, or those that a partition request names. Records are
// kept in Redis (jobs_key), so they survive the process; one that was running goes on with the next session.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace walrelay::sidecar {

enum class JobStatus : std::uint8_t { not_started, running, completed, failed, cancelled };
enum class JobPhase : std::uint8_t { waiting, reading, sweeping, done };
const char* name_of(JobStatus status);  // "RUNNING"
const char* name_of(JobPhase phase);    // "reading"

enum class JobKind : std::uint8_t { rebuild, verify };
const char* name_of(JobKind kind);  // "rebuild"

struct JobDifference {
  std::string kind, key;            // "stale", "user:1"
  std::vector<std::string> fields;  // which ones, by name
  // With show_values: what they should be and are, for people. `field` is empty where a key is one value.
  struct Values {
    std::string field, expected, observed;
  };
  std::vector<Values> values = {};
};

struct Job {
  JobKind kind = JobKind::rebuild;
  std::string mapping;
  std::string table;                         // "schema.table"; empty: every table of the mapping
  std::map<std::string, std::string> where;  // column -> value: only rows that have these
  std::map<std::string, std::string> asked;  // the same in the words of the request (parameter -> value), for people
  bool dry_run = false;                      // rebuild: count what would be removed
  bool repair = false;                       // verify: mend what was found
  bool show_values = false;                  // verify: keep the values that differ, which are no secret then
  double sample = 100;                       // verify: so many of a hundred chunks
  std::uint64_t rows_a_second = 0;           // verify: at most; 0: as fast as it goes

  JobStatus status = JobStatus::not_started;
  JobPhase phase = JobPhase::waiting;
  std::uint64_t total = 0;  // rows; an estimate until the job is completed
  std::uint64_t processed = 0, removed = 0;
  std::uint64_t undecided = 0;                    // keys that could be read in too many ways to be sure
  std::uint64_t repaired = 0, moving = 0;         // verify: rows that changed while they were looked at
  std::map<std::string, std::uint64_t> found;     // verify: how many rows were missing, stale ...
  std::vector<JobDifference> differences;         // the first of them
  std::int64_t started_us = 0, completed_us = 0;  // Unix time; 0: not yet
  std::string error;                              // or, with a completed job, what was left out and why
  bool bad_request = false;                       // it failed because of what was asked
  std::vector<std::string> tables_done;           // read completely: a job that is taken up goes on after them
  std::string reading;                            // the table that it has begun to read: a load of it is its own
  bool joins_loads = false;                       // so is every load that is under way: walrelay itself asked
  std::vector<std::string> examples;              // the first keys that were, or would be, removed
  bool recorded = false;                          // Redis has it: the job outlives this process
  std::uint64_t number = 0;  // of the board, for this process: a slice may have one job after another

  [[nodiscard]] std::string slice() const;  // unique for what is read: two jobs of one slice exclude each other
  [[nodiscard]] bool running() const { return status == JobStatus::running; }
  [[nodiscard]] std::uint64_t differing() const;  // verify: rows and keys that are not as they should be
};

// As the routes answer and as Redis keeps it. Rate and ETA are as of `now_us`.
std::string to_json(const Job& job, std::int64_t now_us);
std::optional<Job> job_from_json(std::string_view text);  // nothing: not one of ours

class JobBoard {
 public:
  // Of jobs that have ended so many are remembered, and of each mapping the last one in any case: slices are without
  // number, such as one for every day.
  static constexpr std::size_t kRemembered = 1000;

  // Null: accepted, and running. Otherwise the one that is in the way.
  const Job* request(Job job, std::int64_t now_us);
  bool cancel(const std::string& slice, std::int64_t now_us);  // false: none is running there
  void finish(const std::string& slice, JobStatus status, std::string error, std::int64_t now_us);
  // The job of this kind that was begun last for the mapping.
  [[nodiscard]] const Job* latest(JobKind kind, const std::string& mapping) const;

  // What Redis remembers. What this process knows of a slice counts more.
  void restore(const std::map<std::string, std::string>& records);

  [[nodiscard]] Job* find(const std::string& slice);
  [[nodiscard]] Job* next_running();  // the oldest
  [[nodiscard]] const std::map<std::string, Job>& all() const { return jobs_; }

  std::function<void(const Job&)> on_finished;

  // Slices whose record changed since it was last asked; one that find() does not know any more was forgotten.
  std::vector<std::string> take_changed();
  void touch(const std::string& slice) { changed_[slice] = true; }

 private:
  void forget_oldest();
  std::map<std::string, Job> jobs_;
  std::map<std::string, bool> changed_;
  std::uint64_t last_number_ = 0;
};

}  // namespace walrelay::sidecar
