// The one table of keys. The loader, the environment's names, the JSON Schema, `config show` and docs/configuration.md
// are all made from it, so they cannot differ. Defaults are not in it: they are what a Config{} holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"
#include "config/libpq_keywords.h"

namespace walrelay::config {

enum class Type { text, choice, integer, flag, duration, size, secret, secret_file, url, url_file };

// The member that the key sets. monostate: the value goes into the addresses (see addresses.h).
using Field = std::variant<std::monostate, std::string& (*)(Config&), int& (*)(Config&), std::uint64_t& (*)(Config&),
                           bool& (*)(Config&), milliseconds& (*)(Config&), SecretSource& (*)(Config&)>;

struct Key {
  std::string name;  // dotted, as in "flush.interval"
  Type type = Type::text;
  Field field = {};
  std::string help = {};                                    // one sentence, in Markdown
  std::vector<std::string> choices = {};                    // choice
  std::int64_t minimum = 0, maximum = INT32_MAX;            // integer, size
  std::string (*check)(const std::string& text) = nullptr;  // a further complaint about a text
  const Keyword* keyword = nullptr;                         // source.*: the libpq keyword of the same name
  bool address = false;                                     // part of an address: settled together with the url
  std::string stands_for = {};                              // another way to write this key ...
  std::string stands_for_value = {};                        // ... with this value (empty: the same)
  std::string default_words = {};                           // the default, where it is no constant
  std::vector<std::string> synonyms = {};                   // for "did you mean"
};

const std::vector<Key>& keys();
const Key* find_key(std::string_view name);
bool is_section(std::string_view name);  // "flush": some keys begin with "flush."

// "flush.interval" -> "WALRELAY_FLUSH_INTERVAL"
std::string environment_name(std::string_view key);

// What is no single value and read on its own, with its keys, for the loader, the schema and the documentation.
struct ListedKey {
  std::string name, help;
};
const std::vector<ListedKey>& mapping_keys();      // of one mapping
const std::vector<ListedKey>& ttl_classes_keys();  // of "ttl_classes"
inline bool is_read_apart(std::string_view name) { return name == "mappings" || name == "ttl_classes"; }

}  // namespace walrelay::config
