// What a service manager is told: a real datagram socket in its place.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Binds the address that NOTIFY_SOCKET names: a path, or "@name" for an abstract one.
class ManagerSocket {
 public:
  explicit ManagerSocket(const std::string& name) : descriptor_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    const bool abstract = name.front() == '@';
    if (abstract) address.sun_path[0] = '\0';
    const std::size_t size = offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1);
    if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size)) != 0)
      throw std::runtime_error("cannot bind " + name);
  }
  ~ManagerSocket() { ::close(descriptor_); }
  ManagerSocket(const ManagerSocket&) = delete;
  ManagerSocket& operator=(const ManagerSocket&) = delete;

  // Everything that was said so far.
  const std::vector<std::string>& heard() {
    char buffer[4096];
    for (ssize_t count; (count = ::recv(descriptor_, buffer, sizeof buffer, MSG_DONTWAIT)) >= 0;) {
      heard_.emplace_back(buffer, static_cast<std::size_t>(count));
    }
    return heard_;
  }
  std::size_t count(const std::string& what) {
    const auto& all = heard();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), what));
  }
  bool has_said(const std::string& beginning) {
    for (const std::string& each : heard()) {
      if (each.starts_with(beginning)) return true;
    }
    return false;
  }

 private:
  int descriptor_;
  std::vector<std::string> heard_;
};

class ServiceNotifyTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {name: users, table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1)");
  }
};

TEST_F(ServiceNotifyTest, TellsItsLife) {
  const TemporaryFolder folder("notify");
  ManagerSocket manager(folder.path() + "/socket");
  launch(kUsers, "", "", {{"NOTIFY_SOCKET", folder.path() + "/socket"}, {"WATCHDOG_USEC", ""}});
  walrelay().wait_ready();
  EXPECT_TRUE(eventually([&] { return manager.count("READY=1") == 1; }));
  EXPECT_TRUE(eventually([&] { return manager.has_said("STATUS=Live"); })) << testing::PrintToString(manager.heard());
  EXPECT_THAT(manager.heard(), Not(Contains("WATCHDOG=1")));

  walrelay().process().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return manager.count("READY=1") == 2; }));
  const auto reloading = std::find_if(manager.heard().begin(), manager.heard().end(),
                                      [](const std::string& each) { return each.starts_with("RELOADING=1"); });
  ASSERT_NE(reloading, manager.heard().end());
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::string begin = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_THAT(*reloading, StartsWith(begin));
  const long long said = std::stoll(reloading->substr(begin.size()));
  EXPECT_LE(said, now.tv_sec * 1000000 + now.tv_nsec / 1000);
  EXPECT_GT(said, (now.tv_sec - 60) * 1000000);

  EXPECT_EQ(walrelay().ask("POST", "/api/v1/admin/reload").status, 200);
  EXPECT_TRUE(eventually([&] { return manager.count("READY=1") == 3; }));

  EXPECT_EQ(walrelay().terminate(), 0);
  EXPECT_EQ(manager.count("STOPPING=1"), 1U) << testing::PrintToString(manager.heard());
}

// A mistake in the new configuration leaves the service as ready as it was.
TEST_F(ServiceNotifyTest, ARefusedReloadEndsToo) {
  const TemporaryFolder folder("notify");
  ManagerSocket manager(folder.path() + "/socket");
  launch(kUsers, "", "", {{"NOTIFY_SOCKET", folder.path() + "/socket"}});
  walrelay().wait_ready();
  walrelay().configure("nonsense: [");
  walrelay().process().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return manager.count("READY=1") == 2; }));
  EXPECT_TRUE(walrelay().running());
}

// Ready means that it may be asked, and that a restart would change nothing: not that the servers are there.
TEST_F(ServiceNotifyTest, IsReadyWithoutServersAndSaysWhatIsWrong) {
  const TemporaryFolder folder("notify");
  ManagerSocket manager(folder.path() + "/socket");
  launch_as({.config = "source: {url: \"host=/nowhere dbname=x\"}\ntarget: {url: \"unix:///nowhere\"}\n",
             .arguments = {"run"},
             .env = {{"NOTIFY_SOCKET", folder.path() + "/socket"}}});
  EXPECT_TRUE(eventually([&] { return manager.count("READY=1") == 1; }));
  EXPECT_TRUE(eventually([&] { return manager.has_said("STATUS=Not streaming"); }))
      << testing::PrintToString(manager.heard());
}

// The address of a container's manager: abstract. A loop that does not turn says nothing.
TEST_F(ServiceNotifyTest, WatchdogFollowsTheLoop) {
  const std::string address = "@walrelay-test-" + std::to_string(getpid());
  ManagerSocket manager(address);
  launch(kUsers, "", "", {{"NOTIFY_SOCKET", address}, {"WATCHDOG_USEC", "200000"}, {"WATCHDOG_PID", ""}});
  walrelay().wait_ready();
  EXPECT_TRUE(eventually([&] { return manager.count("WATCHDOG=1") >= 5; }));
  walrelay().pause();
  // What it had said before it stopped; a stopped one adds nothing in the time of three intervals.
  EXPECT_TRUE(eventually([&] {
    return read_file("/proc/" + std::to_string(walrelay().process().pid()) + "/stat").find(") T") != std::string::npos;
  }));
  const std::size_t before = manager.count("WATCHDOG=1");
  EXPECT_FALSE(wait_until([&] { return manager.count("WATCHDOG=1") > before; }, milliseconds(600)));
  walrelay().resume();
  EXPECT_TRUE(eventually([&] { return manager.count("WATCHDOG=1") > before; }));
}

// The watchdog of another process, and a manager that has gone, are nothing to this one.
TEST_F(ServiceNotifyTest, NobodyListens) {
  const std::string address = "@walrelay-test-gone-" + std::to_string(getpid());
  {
    ManagerSocket manager(address);
    launch(kUsers, "", "", {{"NOTIFY_SOCKET", address}, {"WATCHDOG_USEC", "20000"}, {"WATCHDOG_PID", "1"}});
    walrelay().wait_ready();
    EXPECT_TRUE(eventually([&] { return manager.has_said("STATUS=Live"); }));
    EXPECT_EQ(manager.count("WATCHDOG=1"), 0U);
  }
  walrelay().process().signal(SIGHUP);
  walrelay().wait_log("the configuration was read again");
  EXPECT_EQ(walrelay().terminate(), 0);
  for (const char* odd : {"relative", "/no/such/socket", "@", "/"}) {
    walrelay().set_environment({{"NOTIFY_SOCKET", odd}});
    walrelay().start();
    walrelay().wait_ready();
    EXPECT_EQ(walrelay().terminate(), 0) << odd;
  }
}

}  // namespace
}  // namespace walrelay::support
