// What is wrong with a configuration, and where. Mistakes are collected, never fixed silently, and thrown together.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace walrelay::config {

// Where something was written. Without a line it is no place in a file: `file` then names an environment variable or
// a flag.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;                          // 1-based, in bytes
  [[nodiscard]] std::string text() const;  // "walrelay.yaml:12:9"
};

struct Mistake {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
  [[nodiscard]] std::string text() const;  // "file:line:column: message", or "file: message" without a line
};

// what() holds all mistakes, one per line. No message ever holds a secret.
class ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(std::vector<Mistake> mistakes);
  [[nodiscard]] const std::vector<Mistake>& mistakes() const { return mistakes_; }

 private:
  std::vector<Mistake> mistakes_;
};

class Mistakes {
 public:
  void add(const Place& place, std::string message);
  [[nodiscard]] bool empty() const { return mistakes_.empty(); }
  // Throws ConfigError if there are any: those of the file in its order, then the others in theirs.
  void throw_if_any();

 private:
  std::vector<Mistake> mistakes_;
};

}  // namespace walrelay::config
