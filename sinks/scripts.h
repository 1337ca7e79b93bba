// Scripts that run inside Redis, where a write must look at what stands there before it changes it.
//
//   a kind makes a Script (static)  ──>  all_scripts()  ──SCRIPT LOAD when a session begins──>  EVALSHA sha 1 key ...
//
// Inside MULTI a script runs at EXEC, in its place among the commands. Each is idempotent: run again with the same
// arguments, alone or with those around it, it leaves what the first run left.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/batch.h"

namespace walrelay::sinks {

class Script {
 public:
  explicit Script(std::string body);  // registers it; never destroyed before the program ends
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Appends "EVALSHA", the script's name and "1": the key is the next argument. Three of a command's arguments.
  void begin(Batch& batch) const;
  void append_call(std::string& out, std::string_view key, const std::vector<std::string_view>& arguments) const;

  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] const std::string& sha() const {
    return sha_;
  }  // what Redis calls it: SHA-1 of the body in hexadecimal

 private:
  const std::string body_, sha_;
  std::string begin_, sha_bulk_;
};

// Every script that a kind has made so far; all that a mapping needs once it was bound.
const std::vector<const Script*>& all_scripts();

}  // namespace walrelay::sinks
