#include "tests/support/terminal_session.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace walrelay::support {

TerminalSession::TerminalSession(const Options& options) {
  std::vector<char*> argv;
  for (const auto& word : options.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  winsize size{options.rows, options.columns, 0, 0};
  pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("there is no terminal to be had");
  if (pid_ == 0) {
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
    for (const auto& [name, value] : options.env) ::setenv(name.c_str(), value.c_str(), 1);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::fcntl(terminal_, F_SETFD, FD_CLOEXEC);
  ::fcntl(terminal_, F_SETFL, O_NONBLOCK);
}

TerminalSession::~TerminalSession() {
  if (!status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(terminal_);
}

const std::string& TerminalSession::written() {
  char buffer[4096];
  for (ssize_t count; (count = ::read(terminal_, buffer, sizeof buffer)) > 0;) {
    written_.append(buffer, static_cast<std::size_t>(count));
  }
  return written_;
}

void TerminalSession::type(const std::string& keys) {
  if (::write(terminal_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
    throw std::runtime_error("the terminal takes no keys");
}

void TerminalSession::resize(unsigned short rows, unsigned short columns) {
  const winsize size{rows, columns, 0, 0};
  ::ioctl(terminal_, TIOCSWINSZ, &size);
}

void TerminalSession::signal(int number) { ::kill(pid_, number); }

bool TerminalSession::echoes() const {
  termios now{};
  ::tcgetattr(terminal_, &now);
  return (now.c_lflag & ECHO) != 0;
}

std::optional<int> TerminalSession::wait(milliseconds timeout) {
  wait_until(
      [this] {
        (void)written();  // a program may wait for room to write
        int status = 0;
        if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_)
          status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return status_.has_value();
      },
      timeout);
  (void)written();
  return status_;
}

}  // namespace walrelay::support
