// One psql whose input is a pipe. Its output goes to files; after each step it prints a mark, and by then everything
// that the step printed, errors included, has been written.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/support/postgres_server.h"

namespace walrelay::support {

PsqlSession::PsqlSession(const Postgres& postgres, const std::string& database) : folder_("psql") {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error(std::string("cannot open a pipe: ") + std::strerror(errno));
  input_ = ends[1];
  psql_ = std::make_unique<Process>(
      Process::Options{.argv = {"psql", "-XqAt", "-v", "VERBOSITY=verbose", "-d", postgres.conninfo(database)},
                       .env = {{"PGOPTIONS", ""}, {"PGAPPNAME", "test"}},
                       .folder = folder_.path(),
                       .name = "psql",
                       .user = "",
                       .standard_input = ends[0]});
  ::close(ends[0]);
}

PsqlSession::~PsqlSession() { ::close(input_); }

std::string PsqlSession::sql(const std::string& statements, milliseconds timeout) {
  const std::string mark = "-- step " + std::to_string(++steps_) + " done\n";
  std::string text = statements + "\n;\n\\echo " + mark;
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t wrote = ::write(input_, text.data() + sent, text.size() - sent);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw SqlError("psql is gone: " + psql_->errors());
    sent += static_cast<std::size_t>(wrote);
  }
  std::string output;
  const auto done = [&] {
    output = psql_->output().substr(output_read_);
    return output.ends_with(mark) || !psql_->running();
  };
  const bool in_time = wait_until(done, timeout);
  const std::string errors = psql_->errors().substr(errors_read_);
  if (!output.ends_with(mark)) throw SqlError((in_time ? "psql is gone: " : "psql is still busy: ") + errors);
  output_read_ += output.size();
  errors_read_ += errors.size();
  const bool failed = errors.find("ERROR:") != std::string::npos || errors.find("FATAL:") != std::string::npos;
  if (failed) throw SqlError(errors + "in: " + statements.substr(0, 500));
  output.resize(output.size() - mark.size());
  if (output.ends_with('\n')) output.pop_back();
  return output;
}

}  // namespace walrelay::support
