// A terminal as a screen that is drawn again and again, and given back as it was.
#pragma once

#include <termios.h>

#include <chrono>
#include <string>

namespace walrelay::sidecar {

struct TerminalSize {
  std::size_t columns = 80, rows = 24;
};
TerminalSize terminal_size(int descriptor);

// Escape sequences may be written there: it is a terminal, and none that calls itself dumb.
bool is_capable_terminal(int descriptor);
// And they may be colours: NO_COLOR (no-color.org) is not set.
bool takes_colours(int descriptor);

// Cuts text that may hold colours to so many columns.
std::string fitted(const std::string& line, std::size_t columns);

// Takes standard output over: another screen, no cursor, keys unechoed. However the process ends short of SIGKILL, by
// Ctrl-C and SIGTERM too, the terminal is as it was before. One at a time.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Over what stands there, in one piece, so that nothing flickers: as many lines as fit.
  void draw(const std::string& text);
  // Until the time is over or the size has changed; false: the user has pressed q.
  bool wait(std::chrono::milliseconds time);
};

}  // namespace walrelay::sidecar
