// A database under random work: everything that rows, transactions and tables can go through, from a seed.
//
//   items    hash, TOASTed columns, one of them EXTERNAL    docs      a JSON string
//   pairs    hash, composite text key, encoded              ledger    REPLICA IDENTITY FULL, no primary key
//   events   partitioned, rows move between partitions      parents <- children    TRUNCATE ... CASCADE
//   churn_1  dropped and made anew in one transaction       churn_2   in two
//   twins    two rows that every transaction changes together
//
// Each row's `version` comes from one sequence, and each row belongs to one session: so the versions of a key only ever
// grow in the order of the commits, through deletes, new inserts and changes of keys, and a reader of Redis that sees
// one shrink has seen time run backwards.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/postgres_server.h"
#include "tests/support/random_values.h"
#include "tests/support/sql_connection.h"

namespace walrelay::support {

struct WorkloadOptions {
  std::uint64_t seed = 1;
  int sessions = 2;
  milliseconds pause{4};      // of each session between two transactions
  bool inexact_types = true;  // also columns whose type only the text format carries
};

// The YAML that maps the workload's tables.
std::string workload_mappings();

class Workload {
 public:
  // Makes the tables and their first rows.
  Workload(const std::string& conninfo, const WorkloadOptions& options);
  ~Workload() { stop(); }
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  void start();
  void stop();  // when every session has ended its transaction
  [[nodiscard]] std::uint64_t committed() const { return committed_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }  // dead-locks, lost connections: rolled back
  // The failures that no random work explains, such as a syntax error of the workload itself.
  [[nodiscard]] std::string mistakes() const { return mistakes_; }

 private:
  void work(int session);
  void note(const std::string& error);
  std::string conninfo_;
  WorkloadOptions options_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> committed_ = 0, failed_ = 0;
  std::mutex guard_;
  std::string mistakes_;
  std::vector<std::thread> threads_;
};

}  // namespace walrelay::support
