// A program on a terminal of its own: what it writes there, keys, the terminal's size.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace walrelay::support {

class TerminalSession {
 public:
  struct Options {
    std::vector<std::string> argv;
    std::map<std::string, std::string> env = {};  // added to the test's own; TERM is xterm, NO_COLOR is not set
    unsigned short rows = 24, columns = 80;
  };
  explicit TerminalSession(const Options& options);
  ~TerminalSession();  // kills
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;

  const std::string& written();  // so far
  void forget() { written_.clear(); }
  void type(const std::string& keys);
  void resize(unsigned short rows, unsigned short columns);  // the program gets SIGWINCH
  void signal(int number);
  [[nodiscard]] bool echoes() const;      // the terminal itself shows what is typed, as before the program began
  std::optional<int> wait(milliseconds);  // the exit status, 128 + number after a signal
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  int terminal_ = -1;
  pid_t pid_ = -1;
  std::optional<int> status_;
  std::string written_;
};

}  // namespace walrelay::support
