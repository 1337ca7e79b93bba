// Keeps the service manager informed while the loop turns: it says what the program is doing, and that it still turns.
//
//   every few seconds, when it has changed ─> STATUS=
//   twice in each watchdog interval ────────> WATCHDOG=1: a loop that is stuck says nothing, and is started anew
#pragma once

#include <functional>
#include <string>

#include "event/loop.h"
#include "sidecar/notify.h"

namespace walrelay::sidecar {

class ServiceState {
 public:
  // `sentence`: the state in one line, as of now. All outlive this.
  ServiceState(event::Loop& loop, Notifier& notifier, std::function<std::string()> sentence);

 private:
  void say();
  Notifier& notifier_;
  const std::function<std::string()> sentence_;
  std::string said_;
  event::Timer watchdog_, status_;
};

}  // namespace walrelay::sidecar
