#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <utility>

extern char** environ;

namespace walrelay::support {
namespace {

// Runs until its standard input ends. A line on it means that the owner has tidied up itself. Otherwise the owner was
// killed: whatever has its working directory in the folder is continued (it may have been stopped), asked to quit, as
// PostgreSQL then removes its shared memory, and killed if it does not; then the folder goes.
constexpr const char* kWatchdog = R"sh(
exec 3<&0
setsid sh -c '
  if read -r done; then exit 0; fi
  living() {
    for process in /proc/[0-9]*; do
      case "$(readlink "$process/cwd" 2>/dev/null)" in "$1"|"$1"/*) echo "${process#/proc/}";; esac
    done
  }
  for process in $(living "$1"); do kill -QUIT "$process" 2>/dev/null; kill -CONT "$process" 2>/dev/null; done
  tries=0
  while [ $tries -lt 20 ] && [ -n "$(living "$1")" ]; do sleep 0.1; tries=$((tries + 1)); done
  for process in $(living "$1"); do kill -KILL "$process" 2>/dev/null; done
  rm -rf "$1"
' watchdog "$1" <&3 3<&- >/dev/null 2>&1 &
)sh";

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::runtime_error(what + ": " + std::strerror(error));
}

// The argument and environment arrays of posix_spawn: pointers into strings that outlive the call.
std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!changes.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) result.push_back(name + "=" + value);
  }
  return result;
}

struct SpawnActions {
  SpawnActions() { posix_spawn_file_actions_init(&value); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&value); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t value{};
};

struct SpawnAttributes {
  SpawnAttributes() {
    posix_spawnattr_init(&value);
    // The tests ignore SIGPIPE; an ignored signal would stay ignored in the child.
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&value, &none);
    posix_spawnattr_setsigdefault(&value, &defaults);
    posix_spawnattr_setflags(&value, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&value); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  posix_spawnattr_t value{};
};

pid_t spawn(std::vector<std::string> argv, const std::map<std::string, std::string>& env, const SpawnActions& actions) {
  const SpawnAttributes attributes;
  auto variables = environment(env);
  const auto arguments = pointers(argv);
  const auto settings = pointers(variables);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, arguments[0], &actions.value, &attributes.value, arguments.data(), settings.data());
  if (error != 0) fail("cannot start " + argv[0], error);
  return pid;
}

}  // namespace

bool wait_until(const std::function<bool()>& condition, milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (auto least = milliseconds(1);; least = std::min(least * 2, milliseconds(20))) {
    const auto begin = std::chrono::steady_clock::now();
    if (condition()) return true;
    const auto end = std::chrono::steady_clock::now();
    if (end >= deadline) return false;
    // A condition that counts all of Redis' keys would keep it from all else, were it asked without a rest.
    const auto rest = std::clamp(std::chrono::duration_cast<milliseconds>(end - begin), least, milliseconds(1000));
    ::poll(nullptr, 0, static_cast<int>(rest.count()));
  }
}

TemporaryFolder::TemporaryFolder(const std::string& name) {
  // A unix socket's path is at most 107 bytes long, so a deep TMPDIR is of no use.
  std::string base = std::filesystem::temp_directory_path();
  if (base.size() > 50) base = "/tmp";
  path_ = base + "/walrelay-" + name + "-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) fail("cannot create a folder under " + base, errno);
  std::filesystem::permissions(path_, std::filesystem::perms(0755));  // servers of another user live below it
  path_ = std::filesystem::canonical(path_);                          // as /proc shows it to the watchdog
  start_watchdog();
}

void TemporaryFolder::start_watchdog() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("cannot open a pipe", errno);
  SpawnActions actions;
  posix_spawn_file_actions_adddup2(&actions.value, ends[0], 0);
  // The shell ends at once, so that the watchdog is nobody's child: what kills the test kills its process tree too.
  const pid_t shell = spawn({"sh", "-c", kWatchdog, "sh", path_}, {}, actions);
  ::close(ends[0]);
  watchdog_ = ends[1];
  while (::waitpid(shell, nullptr, 0) < 0 && errno == EINTR) {
  }
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  // If something is left after all, the watchdog is not told, and takes it away.
  if (!std::filesystem::exists(path_, ignored)) [[maybe_unused]]
    const auto told = ::write(watchdog_, "x\n", 2);
  ::close(watchdog_);
}

Process::Process(const Options& options)
    : output_path_(options.folder + "/" + options.name + ".out"),
      error_path_(options.folder + "/" + options.name + ".err") {
  std::vector<std::string> argv = options.argv;
  if (!options.user.empty()) {
    const std::string& user = options.user;
    const std::vector<std::string> as_user = {"setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "--"};
    argv.insert(argv.begin(), as_user.begin(), as_user.end());
  }
  SpawnActions actions;
  const int flags = O_WRONLY | O_CREAT | O_APPEND | (options.append ? 0 : O_TRUNC);
  if (options.standard_input >= 0) {
    posix_spawn_file_actions_adddup2(&actions.value, options.standard_input, 0);
  } else {
    posix_spawn_file_actions_addopen(&actions.value, 0, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_addopen(&actions.value, 1, output_path_.c_str(), flags, 0644);
  posix_spawn_file_actions_addopen(&actions.value, 2, error_path_.c_str(), flags, 0644);
  posix_spawn_file_actions_addchdir_np(&actions.value, options.folder.c_str());
  pid_ = spawn(std::move(argv), options.env, actions);
}

Process::~Process() {
  if (running()) {
    ::kill(pid_, SIGKILL);
    wait(seconds(60));
  }
}

void Process::signal(int number) {
  if (!running()) throw std::runtime_error("process " + std::to_string(pid_) + " has ended already: " + errors());
  ::kill(pid_, number);
}

std::optional<int> Process::wait(milliseconds timeout) {
  const auto ended = [this] {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  };
  if (!status_) wait_until(ended, timeout);
  return status_;
}

std::string Process::output() const { return read_file(output_path_); }
std::string Process::errors() const { return read_file(error_path_); }
long Process::resident_bytes() const { return status_bytes("VmRSS:"); }
long Process::peak_resident_bytes() const { return status_bytes("VmHWM:"); }

long Process::status_bytes(const std::string& field) const {
  std::istringstream lines(read_file("/proc/" + std::to_string(pid_) + "/status"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(field)) return std::stol(line.substr(field.size())) * 1024;
  }
  throw std::runtime_error("process " + std::to_string(pid_) + " has no " + field + " any more");
}

Finished run_program(const std::string& folder, const std::vector<std::string>& argv, const std::string& input,
                     const std::map<std::string, std::string>& env, milliseconds timeout) {
  static std::atomic<int> runs = 0;  // several threads of a test may run programs in one folder
  const std::string name = "run-" + std::to_string(++runs);
  const std::string files = folder + "/" + name;
  write_file(files + ".in", input);
  const int standard_input = ::open((files + ".in").c_str(), O_RDONLY | O_CLOEXEC);
  Process process(
      {.argv = argv, .env = env, .folder = folder, .name = name, .user = "", .standard_input = standard_input});
  ::close(standard_input);
  const auto status = process.wait(timeout);
  if (!status) throw std::runtime_error(argv[0] + " is not done after " + std::to_string(timeout.count()) + " ms");
  Finished finished{*status, process.output(), process.errors()};
  for (const char* suffix : {".in", ".out", ".err"}) ::unlink((files + suffix).c_str());
  return finished;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    // "<pid> (<name, which may hold anything>) <state> <parent> ..."
    const std::string stat = read_file("/proc/" + name + "/stat");
    const auto end_of_name = stat.rfind(')');
    if (end_of_name == std::string::npos) continue;
    if (std::stoi(stat.substr(end_of_name + 4)) == parent) children.push_back(std::stoi(name));
  }
  return children;
}

std::string title_of(pid_t process) {
  std::string title = read_file("/proc/" + std::to_string(process) + "/cmdline");
  for (char& c : title) {
    if (c == '\0') c = ' ';
  }
  return title;
}

namespace {

bool is_free(int port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("cannot make a socket", errno);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(listener);
  return bound;
}

}  // namespace

// Below those that the kernel gives to whoever connects (ip_local_port_range): one of those may be taken before a
// server, or a server that is started once more, has bound it.
int free_port() {
  std::random_device random;
  std::uniform_int_distribution<int> any(10000, 32000);
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = any(random);
    if (is_free(port)) return port;
  }
  throw std::runtime_error("no port from 10000 to 32000 is free");
}

std::string read_file(const std::string& path) {
  // Not iterators over the buffer: those throw when a process vanishes while its file under /proc is read.
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << content) || !file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace walrelay::support
