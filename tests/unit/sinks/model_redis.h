// Reads RESP commands back, and a Redis of hashes and strings that carries them out.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/batch.h"

namespace walrelay::sinks::testing {

using Command = std::vector<std::string>;

class RespReader {
 public:
  explicit RespReader(std::string_view bytes) : left_(bytes) {}

  std::vector<Command> commands() {
    std::vector<Command> all;
    while (!left_.empty()) {
      Command& command = all.emplace_back();
      for (std::size_t arguments = header('*'); arguments > 0; --arguments) command.push_back(bulk());
    }
    return all;
  }

 private:
  std::size_t header(char type) {
    const std::size_t end = left_.find("\r\n");
    if (end == std::string_view::npos || left_[0] != type) throw std::runtime_error("not a RESP header");
    const std::string digits(left_.substr(1, end - 1));
    left_.remove_prefix(end + 2);
    return std::stoul(digits);
  }
  std::string bulk() {
    const std::size_t size = header('$');
    if (left_.size() < size + 2 || left_.substr(size, 2) != "\r\n") throw std::runtime_error("a bulk of another size");
    std::string text(left_.substr(0, size));
    left_.remove_prefix(size + 2);
    return text;
  }

  std::string_view left_;
};

inline std::vector<Command> commands_of(Batch& batch) { return RespReader(batch.take()).commands(); }

// Every command as one line: "HSET user:1 name Ann".
inline std::vector<std::string> lines_of(Batch& batch) {
  std::vector<std::string> lines;
  for (const Command& command : commands_of(batch)) {
    std::string& line = lines.emplace_back();
    for (const std::string& word : command) line += (line.empty() ? "" : " ") + word;
  }
  return lines;
}

class ModelRedis {
 public:
  struct Entry {
    std::map<std::string, std::string> hash;
    std::string text;
    bool is_text = false;
    std::string ttl;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::map<std::string, Entry> keys;

  void apply(const std::vector<Command>& commands) {
    for (const Command& command : commands) run(command);
  }

  void run(const Command& c) {
    if (c.at(0) == "UNLINK") {
      keys.erase(c.at(1));
    } else if (c.at(0) == "HSET") {
      if (c.size() < 4 || c.size() % 2 != 0) throw std::runtime_error("ERR wrong number of arguments for HSET");
      Entry& entry = hash_at(c.at(1));
      for (std::size_t i = 2; i < c.size(); i += 2) entry.hash[c[i]] = c[i + 1];
    } else if (c.at(0) == "HDEL") {
      if (c.size() < 3) throw std::runtime_error("ERR wrong number of arguments for HDEL");
      Entry& entry = hash_at(c.at(1));
      for (std::size_t i = 2; i < c.size(); ++i) entry.hash.erase(c[i]);
      if (entry.hash.empty()) keys.erase(c.at(1));
    } else if (c.at(0) == "PEXPIRE") {
      if (keys.contains(c.at(1))) keys[c.at(1)].ttl = c.at(2);
    } else if (c.at(0) == "SET") {
      keys[c.at(1)] = {{}, c.at(2), true, c.size() > 3 ? c.at(4) : ""};
    } else {
      throw std::runtime_error("unknown command " + c.at(0));
    }
  }

 private:
  Entry& hash_at(const std::string& key) {
    Entry& entry = keys[key];
    if (entry.is_text) throw std::runtime_error("WRONGTYPE " + key);
    return entry;
  }
};

inline std::ostream& operator<<(std::ostream& out, const ModelRedis::Entry& entry) {
  if (entry.is_text) return out << '"' << entry.text << "\" ttl " << entry.ttl;
  for (const auto& [field, value] : entry.hash) out << field << '=' << value << ' ';
  return out << "ttl " << entry.ttl;
}

}  // namespace walrelay::sinks::testing
