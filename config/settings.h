// What was given for each key, by whom, and who wins.
//
//   fallback (DATABASE_URL, PG*, REDIS_URL)  <  file  <  environment (WALRELAY_*)  <  flag
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "config/expand.h"
#include "config/keys.h"
#include "config/mistake.h"

namespace walrelay::config {

enum class Level { fallback, file, environment, flag };

struct Given {
  std::string text;
  Level level = Level::file;
  Place place;
  std::string origin;      // "walrelay.yaml:3", "environment WALRELAY_SOURCE_SLOT", "flag"
  std::string shown = {};  // what stands for the text in messages, where it may hold a secret; empty: the text itself
};

class Settings {
 public:
  explicit Settings(Mistakes& mistakes) : mistakes_(mistakes) {}

  // Checks the value, whether it wins or not, and keeps it if no higher level has given the key.
  void put(const Key& key, Given given);

  // Null when nobody gave it. An empty secret, URL or libpq keyword counts as not given.
  [[nodiscard]] const Given* find(const std::string& key) const;

  [[nodiscard]] const std::map<std::string, Given>& all() const { return given_; }

  // Somebody tried to give the key, and a mistake says so: nobody need hear that it is missing, too.
  void note_failed(const std::string& key) { failed_.insert(key); }
  [[nodiscard]] const std::set<std::string>& failed() const { return failed_; }

 private:
  Mistakes& mistakes_;
  std::map<std::string, Given> given_;
  std::set<std::string> failed_;
};

// Each reads one level. Unknown keys and wrong types are mistakes.
struct Node;
void read_file(const Node& root, const Environment& environment, Settings& settings, Mistakes& mistakes);
void read_environment(const Environment& environment, Settings& settings);
struct Overrides;
void read_overrides(const Overrides& overrides, Settings& settings, Mistakes& mistakes);

// The text of a scalar with its variables replaced. Empty, with a mistake, when it is no scalar: `name` says whose
// value was expected, as in "flush.interval".
std::optional<Given> read_scalar(const Node& node, const std::string& name, const Environment& environment,
                                 Mistakes& mistakes);

}  // namespace walrelay::config
