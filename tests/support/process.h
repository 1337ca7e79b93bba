// Programs that a test starts: servers, clients, walrelay itself.
//
//   Process          one running child; its destructor kills and reaps it
//   run_program      start, feed, wait, collect
//   TemporaryFolder  a folder that goes away with its owner, together with every process that still lives in it, also
//                    when the test is killed: a watchdog outside the test's process tree waits for its end
//
// A child runs in a session of its own (Ctrl-C at the test's terminal does not reach it) and in `folder` as its working
// directory. That is how the watchdog recognises what belongs to a folder, grandchildren included.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace walrelay::support {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Asks again and again, with short pauses, until `condition` holds; false when `timeout` passed before. This is the
// only place in the tests that lets time pass.
bool wait_until(const std::function<bool()>& condition, milliseconds timeout);

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void start_watchdog();
  std::string path_;
  int watchdog_ = -1;  // closing this end without a word makes the watchdog clean up
};

class Process {
 public:
  struct Options {
    std::vector<std::string> argv;           // argv[0] is looked up in PATH
    std::map<std::string, std::string> env;  // added to the test's own environment; "" removes a variable
    std::string folder;                      // working directory; standard output and error go to files in it
    std::string name;                        // of those files: <name>.out and <name>.err
    std::string user;                        // run as this user (the test must be root); "" = as the test
    int standard_input = -1;                 // a descriptor, or -1: /dev/null
    bool append = false;                     // keep what an earlier run wrote to the files
  };

  explicit Process(const Options& options);  // throws std::runtime_error when it cannot be started
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running() { return !wait(milliseconds(0)).has_value(); }
  void signal(int number);
  // The exit status, 128 + number when a signal ended it, nothing when it still runs after `timeout`.
  std::optional<int> wait(milliseconds timeout);
  [[nodiscard]] std::string output() const;  // what it has written so far
  [[nodiscard]] std::string errors() const;
  [[nodiscard]] long resident_bytes() const;       // VmRSS
  [[nodiscard]] long peak_resident_bytes() const;  // VmHWM

 private:
  [[nodiscard]] long status_bytes(const std::string& field) const;
  std::string output_path_;
  std::string error_path_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct Finished {
  int status = 0;
  std::string output;
  std::string errors;
};
// Starts a program in `folder`, feeds it, waits. Throws std::runtime_error when it is not done within `timeout`.
Finished run_program(const std::string& folder, const std::vector<std::string>& argv, const std::string& input = "",
                     const std::map<std::string, std::string>& env = {}, milliseconds timeout = seconds(120));

// The direct children of a process, by /proc. A child that ends meanwhile may or may not be among them.
std::vector<pid_t> children_of(pid_t parent);
// The command line of a process as it shows itself, "" when it is gone.
std::string title_of(pid_t process);

// A TCP port on 127.0.0.1 that nobody used a moment ago. Another process may be faster: whoever binds it must be ready
// to try the next one.
int free_port();

std::string read_file(const std::string& path);  // "" when it cannot be read
void write_file(const std::string& path, const std::string& content);

}  // namespace walrelay::support
