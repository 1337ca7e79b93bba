#include "sidecar/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace walrelay::sidecar {

namespace {

constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[2J";
constexpr std::string_view kLeave = "\033[?25h\033[?1049l";

// What a signal's handler needs.
termios before;
volatile std::sig_atomic_t has_keyboard = 0, resized = 0;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void enter() {
  if (has_keyboard != 0) {
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
  }
  write_all(kEnter);
}

void leave() {
  write_all(kLeave);
  if (has_keyboard != 0) tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void set_handler(int number, void (*handler)(int), int flags = 0) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

// The process ends, or stops, by the signal itself, as whoever waits for it expects.
void give_back(int number) {
  const int error = errno;
  leave();
  set_handler(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &only, nullptr);
  set_handler(number, give_back);  // it was stopped, and goes on
  enter();
  resized = 1;
  errno = error;
}

}  // namespace

TerminalSize terminal_size(int descriptor) {
  winsize size{};
  TerminalSize found;
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0) return found;
  if (size.ws_col > 0) found.columns = size.ws_col;
  if (size.ws_row > 0) found.rows = size.ws_row;
  return found;
}

bool is_capable_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

bool takes_colours(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && is_capable_terminal(descriptor);
}

std::string fitted(const std::string& line, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  bool coloured = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\033') {
      const std::size_t end = line.find('m', i);
      if (end == std::string::npos) break;
      out.append(line, i, end - i + 1);
      coloured = true;
      i = end;
      continue;
    }
    const bool continues = (static_cast<unsigned char>(line[i]) & 0xC0U) == 0x80U;  // within a character of UTF-8
    if (!continues && used == columns) break;
    if (!continues) ++used;
    out += line[i];
  }
  return coloured ? out + "\033[0m" : out;
}

Screen::Screen() {
  has_keyboard = ::tcgetattr(STDIN_FILENO, &before) == 0 ? 1 : 0;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) set_handler(number, give_back);
  set_handler(SIGWINCH, [](int) { resized = 1; });
  sigset_t resizing;
  sigemptyset(&resizing);
  sigaddset(&resizing, SIGWINCH);
  sigprocmask(SIG_BLOCK, &resizing, nullptr);  // but for wait(), so that none is missed
  enter();
}

Screen::~Screen() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) set_handler(number, SIG_DFL);
  leave();
}

void Screen::draw(const std::string& text) {
  const TerminalSize size = terminal_size(STDOUT_FILENO);
  std::string frame = "\033[H";
  std::size_t row = 0;
  for (std::size_t at = 0; at < text.size() && row < size.rows; ++row) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const bool last = row + 1 == size.rows && end + 1 < text.size();
    frame += (row == 0 ? "" : "\r\n") + fitted(last ? "..." : text.substr(at, end - at), size.columns) + "\033[K";
    at = end + 1;
  }
  write_all(frame + "\033[J");
}

bool Screen::wait(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    if (resized != 0) {
      resized = 0;
      return true;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return true;
    pollfd keyboard{has_keyboard != 0 ? STDIN_FILENO : -1, POLLIN, 0};
    constexpr std::int64_t kThousand = 1000;
    const timespec patience{left / kThousand, left % kThousand * kThousand * kThousand};
    sigset_t none;
    sigemptyset(&none);
    if (::ppoll(&keyboard, 1, &patience, &none) <= 0) continue;
    char key = 0;
    const ssize_t count = ::read(STDIN_FILENO, &key, 1);
    if (count == 1 && (key == 'q' || key == 'Q')) return false;
    if (count == 0) has_keyboard = 0;
  }
}

}  // namespace walrelay::sidecar
