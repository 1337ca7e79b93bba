// The configuration is read again while the program runs: SIGHUP, or POST /api/v1/admin/reload.
//
//   read ─> mistakes? keys that need a restart? mappings that do not fit the tables? ─ yes ─> all stays as it is
//     └─ no ─> the log's level and http.token at once; for all else the session ends and the next one begins with it
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/config.h"
#include "sidecar/supervisor.h"

namespace walrelay::sidecar {

// Why the configuration stays as it is, one mistake a line.
class ReloadRefused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What differs between two configurations.
struct ConfigChanges {
  std::vector<std::string> sections;                 // "flush", "mappings" ...
  std::vector<std::string> fixed;                    // keys that only a restart changes
  std::vector<std::string> added, changed, removed;  // mappings, by name
  [[nodiscard]] bool only_log_and_token() const;
};
ConfigChanges changes_between(const InForce& before, const InForce& now);
std::string to_json(const ConfigChanges& changes);

class Reloader {
 public:
  // `read` gives the configuration as the command line and the file now say it, or throws.
  Reloader(Supervisor& supervisor, std::function<config::Config()> read);

  // Logs what comes of it. Throws ReloadRefused.
  ConfigChanges reload();

  std::function<void()> on_begin, on_end;  // around each reload, whatever comes of it

 private:
  [[nodiscard]] std::unique_ptr<InForce> next();
  ConfigChanges take_up(std::unique_ptr<InForce> next);

  Supervisor& supervisor_;
  const std::function<config::Config()> read_;
};

// The log's level and form as the configuration has them.
void configure_log(const config::Log& log);

}  // namespace walrelay::sidecar
