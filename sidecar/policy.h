// What to do about a failure: the one table in which a session's end turns into a new try or the end of the program.
//
//   ConfigError, MappingError                          stop 78   the user must change something
//   wrong privileges, wal_level, unknown column ...    stop 4
//   connection lost, server starting, too many ...     retry     nothing is lost: the slot and Redis remember
//   wrong password                                     retry, slowly: secrets rotate
//   Redis OOM, LOADING, READONLY, BUSY, MISCONF ...    retry
//   Redis refused a command (WRONGTYPE)                retry once, careful, to find the row; then stop 5
//   fenced                                             retry     as a stand-by: another owner, or FLUSHALL
//   a row that cannot be written                       stop 1    unless on_row_error: dead_letter
//   malformed protocol bytes                           retry a few times, then stop 4
//   anything else                                      stop 1    the default is not "retry"
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "replication/connection.h"

namespace walrelay::sidecar {

enum class ExitCode : int {
  ok = 0,
  failure = 1,
  usage = 2,
  differences = 3,
  postgres = 4,
  redis = 5,
  gap = 6,
  not_yet = 75,
  configuration = 78,
};

// Something a person must mend; carries the exit code.
class StopError : public std::runtime_error {
 public:
  StopError(ExitCode exit_code, const std::string& sentence) : std::runtime_error(sentence), code(exit_code) {}
  ExitCode code;
};

// The session must begin again at once, with other choices (text instead of binary).
class RestartNeeded : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// So must it, in text: the stream carries rows of an older shape of a table, which binary does not carry exactly.
class TextNeeded : public RestartNeeded {
  using RestartNeeded::RestartNeeded;
};

struct Verdict {
  enum class Action { retry, retry_slowly, retry_careful, stop };
  Action action = Action::stop;
  ExitCode code = ExitCode::failure;
  std::string reason;    // one or two words: the metric's label
  std::string sentence;  // for the log
};

// A table was dropped, renamed or altered under a read: the catalogue's watch will say what it is now.
bool table_changed(const replication::PostgresError& error);

Verdict judge(const std::exception& error);
Verdict judge(const std::exception_ptr& error);

}  // namespace walrelay::sidecar
