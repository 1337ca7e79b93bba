// Slow, greedy and malformed clients while rows stream: they get what they deserve, and cost the stream nothing that
// could be seen.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

// One that never comes to the end of its request: it sends a byte, is thrown out some day, and comes again.
class SlowClient {
 public:
  // `from`: the last byte of its address, 127.0.0.<from>.
  SlowClient(int port, unsigned from) : port_(port), from_(from) {}
  ~SlowClient() { close(); }
  SlowClient(const SlowClient&) = delete;
  SlowClient& operator=(const SlowClient&) = delete;

  void step() {
    if (socket_ < 0) open();
    if (::send(socket_, "X", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) return;
    ++thrown_out_;
    close();
  }
  [[nodiscard]] int thrown_out() const { return thrown_out_; }

 private:
  void open() {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl((127U << 24) + from_);
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
    const std::string begun = "POST /api/v1/admin/reload HTTP/1.1\r\nHost: localhost\r\n";
    (void)::send(socket_, begun.data(), begun.size(), MSG_NOSIGNAL);
  }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  const int port_;
  const unsigned from_;
  int socket_ = -1, thrown_out_ = 0;
};

class HostileClientsTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {table: users, write: {hash: {key: \"users:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, name text)");
  }

  // Sends what it sends until the end, and counts the answers by status (0: none).
  void flood(const std::string& request) {
    threads_.emplace_back([this, request] {
      while (!is_over()) ++answers_[static_cast<std::size_t>(http_send(walrelay().port(), request, seconds(2)).status)];
    });
  }
  void crawl(unsigned from, int count) {
    threads_.emplace_back([this, from, count] {
      std::vector<std::unique_ptr<SlowClient>> clients;
      for (int i = 0; i < count; ++i) clients.push_back(std::make_unique<SlowClient>(walrelay().port(), from));
      while (!is_over()) {
        for (const auto& client : clients) client->step();
      }
      for (const auto& client : clients) thrown_out_ += client->thrown_out();
    });
  }
  // Takes its time to say so: the test is of walrelay, and not of how many requests one machine can make.
  bool is_over() {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, milliseconds(10), [this] { return over_; });
  }
  void end() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  void TearDown() override {
    end();
    EndToEnd::TearDown();
  }
  std::int64_t memory() {
    return static_cast<std::int64_t>(walrelay().metric("process_resident_memory_bytes").value_or(0));
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::atomic<int> thrown_out_ = 0;
  std::array<std::atomic<int>, 600> answers_{};
  std::vector<std::thread> threads_;
};

TEST_F(HostileClientsTest, CostTheStreamNothing) {
  start(kUsers);
  ASSERT_EQ(walrelay().terminate(), 0);
  // What is freed must not count: a sanitizer keeps 256 MB of that unless it is told otherwise.
  const char* options = std::getenv("ASAN_OPTIONS");
  walrelay().set_environment(
      {{"ASAN_OPTIONS", std::string(options == nullptr ? "" : options) + ":quarantine_size_mb=4"}});
  walrelay().start();
  walrelay().wait_ready();
  const std::int64_t before = memory();
  const std::string head = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  crawl(2, 40);
  flood("GET /" + std::string(60000, 'a') + head + "\r\n");
  flood("POST /api/v1/admin/reload" + head + "Content-Length: 1000000000\r\n\r\n");
  flood("BREW /livez" + head + "\r\n");
  flood("GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
  flood("\x16\x03\x01 no HTTP\r\n\r\n");
  for (int i = 0; i < 40; ++i) {
    sql("INSERT INTO users SELECT i, 'n' FROM generate_series(" + std::to_string(i * 500 + 1) + ", " +
        std::to_string(i * 500 + 500) + ") i");
    // Whoever asks decently is answered, while the others are at it.
    EXPECT_EQ(http_ask(walrelay().port(), "GET", "/livez", "", seconds(20)).status, 200);
  }
  EXPECT_TRUE(in_step("users", "'users:' || id", "users:*"));
  EXPECT_TRUE(caught_up());
  EXPECT_TRUE(eventually([this] {
    return answers_[414] + answers_[431] > 0 && answers_[413] > 0 && answers_[405] > 0 && answers_[421] > 0;
  }));
  EXPECT_EQ(walrelay().http("/readyz").status, 200);
  EXPECT_LT(memory() - before, 48 << 20);
  EXPECT_EQ(walrelay().metric("walrelay_session_failures_total").value_or(0), 0);
  EXPECT_EQ(answers_[200].load(), 0);
  EXPECT_EQ(answers_[500].load(), 0);
  EXPECT_TRUE(eventually([this] { return http_get(walrelay().port(), "/livez?verbose=1").status == 200; }));
}

// Each lasts ten seconds at most, however often it sends a byte.
TEST_F(HostileClientsTest, SlowOnesAreThrownOut) {
  start(kUsers);
  SlowClient client(walrelay().port(), 1);
  EXPECT_TRUE(eventually([&] {
    client.step();
    return client.thrown_out() > 0;
  }));
  EXPECT_EQ(walrelay().http("/livez").status, 200);
}

// Forty may wait; whoever comes then hears it at once, and the probes are answered.
TEST_F(HostileClientsTest, ManyThatWait) {
  start(kUsers);
  std::atomic<int> refused = 0;
  for (int i = 0; i < 46; ++i) {
    threads_.emplace_back([&] {
      const std::string request =
          "GET /api/v1/wait?lsn=FFFFFFFF/0&timeout=30s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      const HttpAnswer answer = http_send(walrelay().port(), request, seconds(60));
      if (answer.status == 503 && answer.head.find("Retry-After: 1\r\n") != std::string::npos) ++refused;
    });
  }
  EXPECT_TRUE(eventually([&] { return refused == 6; }));
  EXPECT_EQ(walrelay().http("/livez").status, 200);
  EXPECT_EQ(walrelay().terminate(), 0);  // which answers them
}

}  // namespace
}  // namespace walrelay::support
