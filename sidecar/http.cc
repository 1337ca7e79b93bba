#include "sidecar/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace walrelay::sidecar {

namespace {

constexpr unsigned kConnections = 64;
constexpr unsigned kIdleSeconds = 10;
constexpr std::size_t kConnectionMemory = 16 * 1024;

// A bound, listening socket: libmicrohttpd itself cannot say why an address was refused.
int listen_on(const std::string& address) {
  const auto refuse = [&address](const std::string& why) -> std::runtime_error {
    return std::runtime_error("http.listen \"" + address + "\": " + why);
  };
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) throw refuse("give it as host:port, for example 127.0.0.1:9847");
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* begin = address.data() + colon + 1;
  const char* end = address.data() + address.size();
  if (const auto [stop, error] = std::from_chars(begin, end, port); error != std::errc() || stop != end) {
    throw refuse("the port is not a number from 0 to 65535");
  }
  sockaddr_storage storage{};
  socklen_t size = 0;
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (host.empty() || host == "*") host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  if (inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    size = sizeof *four;
  } else if (inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    size = sizeof *six;
  } else {
    throw refuse("the host must be a numeric address");
  }
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0 || listen(fd, 64) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    throw refuse(std::string(std::strerror(error)));
  }
  return fd;
}

}  // namespace

struct HttpServer::State {
  State(event::Loop& loop, Handler respond) : handler(std::move(respond)), timer(loop, [this] { turn(); }) {}
  ~State() {
    poll.reset();
    if (daemon != nullptr) MHD_stop_daemon(daemon);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void turn() {
    MHD_run(daemon);
    MHD_UNSIGNED_LONG_LONG wait = 0;
    if (MHD_get_timeout(daemon, &wait) == MHD_YES) {
      timer.start(event::milliseconds(static_cast<event::milliseconds::rep>(wait)));
    } else {
      timer.stop();
    }
  }

  static MHD_Result answer(void* self, MHD_Connection* connection, const char* url, const char* method, const char*,
                           const char*, std::size_t* upload_size, void** seen) noexcept {
    static int marker = 0;
    if (*seen == nullptr) {  // headers only: the body, if any, follows
      *seen = &marker;
      return MHD_YES;
    }
    if (*upload_size != 0) {  // nothing here takes a body
      *upload_size = 0;
      return MHD_YES;
    }
    HttpAnswer reply;
    try {
      reply = static_cast<State*>(self)->handler(method, url);
    } catch (const std::exception& error) {
      reply = {500, "text/plain; charset=utf-8", std::string(error.what()) + "\n"};
    }
    MHD_Response* response =
        MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", reply.type.c_str());
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (reply.status == 405) MHD_add_response_header(response, "Allow", "GET, HEAD");
    const MHD_Result queued = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return queued;
  }

  Handler handler;
  MHD_Daemon* daemon = nullptr;
  event::Timer timer;
  std::unique_ptr<event::Poll> poll;
};

HttpServer::HttpServer(event::Loop& loop, const std::string& listen, Handler handler)
    : state_(std::make_unique<State>(loop, std::move(handler))) {
  const int fd = listen_on(listen);
  state_->daemon =
      MHD_start_daemon(MHD_USE_EPOLL, 0, nullptr, nullptr, &State::answer, state_.get(), MHD_OPTION_LISTEN_SOCKET, fd,
                       MHD_OPTION_CONNECTION_LIMIT, kConnections, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
                       MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory, MHD_OPTION_END);
  if (state_->daemon == nullptr) {
    close(fd);
    throw std::runtime_error("http.listen \"" + listen + "\": the HTTP server could not start");
  }
  const MHD_DaemonInfo* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  state_->poll = std::make_unique<event::Poll>(loop, info->epoll_fd, [state = state_.get()](int) { state->turn(); });
  state_->poll->watch(event::Poll::readable);
}

HttpServer::~HttpServer() = default;

}  // namespace walrelay::sidecar
