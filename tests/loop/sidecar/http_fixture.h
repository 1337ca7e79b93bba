// An HttpServer on a real loop, and clients that speak bytes, all in one thread: the loop turns while a client waits.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "sidecar/http.h"
#include "tests/support/loop_task.h"

namespace walrelay::sidecar {

class HttpTest : public ::testing::Test {
 protected:
  HttpTest() : tick_(loop_, [] {}) { tick_.start(event::milliseconds(2), event::milliseconds(2)); }

  void serve(HttpServer::Handler handler, const std::string& listen = "127.0.0.1:0", const HttpLimits& limits = {}) {
    server_.emplace(loop_, listen, std::move(handler), limits);
  }

  // Keeps the replies instead of answering.
  void serve_later() {
    serve([this](const HttpRequest&, HttpReply reply) { kept_.push_back(std::move(reply)); });
  }

  // Until the condition holds; another thread may be what it waits for.
  template <class Condition>
  void until(const Condition& condition) {
    support::run_until(loop_, condition);
  }
  void until_kept(std::size_t count) {
    until([&] { return kept_.size() >= count; });
  }

  class Client {
   public:
    // `from`: the last byte of its own address, 127.0.0.<from>.
    explicit Client(HttpTest& test, unsigned from = 1)
        : test_(test), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl((127U << 24) + from);
      EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<std::uint16_t>(test.server_->port()));
      EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    ~Client() { close(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool send(const std::string& bytes) {  // false: the server has closed the connection
      return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
    }
    void ask(const std::string& path, const std::string& method = "GET", const std::string& headers = "") {
      send(method + " " + path + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
    }
    // The next whole answer, head and body; what came when the server closed the connection.
    std::string answer(bool has_body = true) {
      std::string out;
      test_.until([&] {
        read();
        const std::size_t head = received_.find("\r\n\r\n");
        if (head == std::string::npos) return closed_;
        const std::size_t length = received_.find("Content-Length: ");
        const std::size_t body = has_body && length < head ? std::stoul(received_.substr(length + 16)) : 0;
        const std::size_t size = head + 4 + body;
        if (received_.size() < size) return closed_;
        out = received_.substr(0, size);
        received_.erase(0, size);
        return true;
      });
      return out;
    }
    // "200 hello"
    std::string short_answer() {
      const std::string text = answer();
      const std::size_t body = text.find("\r\n\r\n");
      return body == std::string::npos ? "closed" : text.substr(9, 4) + text.substr(body + 4);
    }
    bool answered() {
      read();
      return !received_.empty();
    }
    // Up to so many bytes of what has come, and whether that was all there ever will be.
    std::size_t take(std::size_t size) {
      std::vector<char> buffer(size);
      const ssize_t count = ::recv(socket_, buffer.data(), size, MSG_DONTWAIT);
      if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) closed_ = true;
      return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    [[nodiscard]] bool ended() const { return closed_; }
    bool closed() {
      read();
      return closed_;
    }
    void close() {
      if (socket_ >= 0) ::close(socket_);
      socket_ = -1;
    }

   private:
    void read() {
      char buffer[65536];
      ssize_t count = 0;
      while ((count = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        received_.append(buffer, static_cast<std::size_t>(count));
      }
      if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) closed_ = true;
    }
    HttpTest& test_;
    int socket_;
    bool closed_ = false;
    std::string received_;
  };

  std::string ask(const std::string& path, const std::string& method = "GET", const std::string& headers = "") {
    Client client(*this);
    client.ask(path, method, headers);
    return client.short_answer();
  }

  event::Loop loop_;
  event::Timer tick_;
  std::vector<HttpReply> kept_;  // goes after the server
  std::optional<HttpServer> server_;
};

}  // namespace walrelay::sidecar
