// A string that prints as "***": no log, message or dump can leak it by accident.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace walrelay::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const { return value_; }  // the only way to the text
  [[nodiscard]] bool empty() const { return value_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) {
    return out << (secret.empty() ? "" : "***");
  }

 private:
  std::string value_;
};

// A secret given directly or as a file that is read again at every connect, because secrets rotate.
struct SecretSource {
  Secret value;
  std::string file;
  [[nodiscard]] bool given() const { return !value.empty() || !file.empty(); }
  // The file's text without its last line end. Throws std::runtime_error naming the file.
  [[nodiscard]] Secret read() const;
  friend bool operator==(const SecretSource&, const SecretSource&) = default;
};

}  // namespace walrelay::config
