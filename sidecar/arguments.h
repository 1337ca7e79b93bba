// What was said on the command line, as the option tree (option_tree.h) fills it in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace walrelay::sidecar {

struct Arguments {
  std::string config;
  std::vector<std::string> set;
  std::string log_level, log_format, output = "text";
  std::string mapping, table, url, lsn, timeout = "5s";
  std::vector<std::string> where;
  double sample = 100;
  bool repair = false, alone = false, caught_up = false;
  bool dry_run = false, origin = false, emit_sql = false;
  std::string row, before;  // JSON
  bool gone = false;        // the row is deleted
  std::uint64_t changes = 0;
  std::vector<std::string> letters;  // dlq
  bool all = false, rows = false;
  std::uint64_t count = 20;
  bool ready = false;                  // healthcheck
  bool watch = false;                  // status
  std::string interval = "2s", level;  // of watch; of the log
};

}  // namespace walrelay::sidecar
