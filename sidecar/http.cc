#include "sidecar/http.h"

#include <microhttpd.h>
#include <unistd.h>

#include <charconv>
#include <list>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "sidecar/http_address.h"
#include "sidecar/http_deadlines.h"
#include "sidecar/http_request.h"

namespace walrelay::sidecar {

namespace {

constexpr std::size_t kConnectionMemory = 16 * 1024;
constexpr std::size_t kBody = 16 * 1024;           // of a request: nothing here takes one, a client may send one
constexpr std::size_t kUnannounced = 1024 * 1024;  // of a body whose size comes last; a longer one is cut off
constexpr const char* kNothingAllowed =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
constexpr const char* kPlain = "text/plain; charset=utf-8";

MHD_Result queue(MHD_Connection* connection, const HttpAnswer& answer) {
  // libmicrohttpd copies the bytes and does not write to them.
  auto* bytes = const_cast<char*>(answer.body.data());
  MHD_Response* response = MHD_create_response_from_buffer(answer.body.size(), bytes, MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", answer.type.c_str());
  MHD_add_response_header(response, "Cache-Control", "no-store");
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "X-Frame-Options", "DENY");
  MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
  MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
  MHD_add_response_header(response, "Content-Security-Policy",
                          answer.policy.empty() ? kNothingAllowed : answer.policy.c_str());
  if (!answer.allow.empty()) MHD_add_response_header(response, "Allow", answer.allow.c_str());
  if (!answer.location.empty()) MHD_add_response_header(response, "Location", answer.location.c_str());
  if (answer.retry_after != 0) {
    MHD_add_response_header(response, "Retry-After", std::to_string(answer.retry_after).c_str());
  }
  if (answer.status == MHD_HTTP_UNAUTHORIZED) MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
  const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

int socket_of(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

}  // namespace

// Lives from a request's headers until libmicrohttpd is done with it. It and the reply that was handed out know each
// other, so that whichever goes first tells the other one.
class HttpExchange {
 public:
  HttpExchange(MHD_Connection* connection, event::Deferred& turn, HttpDeadlines& deadlines)
      : connection_(connection), turn_(turn), deadlines_(deadlines) {}
  ~HttpExchange() { forget_reply(); }
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  HttpReply reply() { return HttpReply(*this); }

  void forget_reply() {
    if (reply_ != nullptr) reply_->exchange_ = nullptr;
    reply_ = nullptr;
  }

  // A suspended connection goes on: libmicrohttpd asks for its answer again in a turn of its own.
  void set(HttpAnswer answer) {
    forget_reply();
    answer_ = std::move(answer);
    if (!std::exchange(suspended_, false)) return;
    MHD_resume_connection(connection_);
    turn_.schedule();
  }

  // What there is to say, or silence until there is something.
  MHD_Result answer() {
    if (answer_) {
      deadlines_.await_reader(socket_of(connection_));
      return queue(connection_, *answer_);
    }
    suspended_ = true;
    deadlines_.suspend(socket_of(connection_));
    MHD_suspend_connection(connection_);
    return MHD_YES;
  }

  MHD_Result receive(std::size_t size) {
    body_ += size;
    return body_ <= kUnannounced ? MHD_YES : MHD_NO;
  }

  bool begin_handling() { return !std::exchange(handled_, true); }  // true: for the first time
  [[nodiscard]] bool suspended() const { return suspended_; }
  [[nodiscard]] bool too_large() const { return body_ > kBody; }

 private:
  friend class HttpReply;
  MHD_Connection* const connection_;
  event::Deferred& turn_;
  HttpDeadlines& deadlines_;
  HttpReply* reply_ = nullptr;
  std::optional<HttpAnswer> answer_;
  bool handled_ = false;
  bool suspended_ = false;
  std::size_t body_ = 0;
};

HttpReply::HttpReply(HttpExchange& exchange) : exchange_(&exchange) { exchange.reply_ = this; }

HttpReply::HttpReply(HttpReply&& other) noexcept : exchange_(std::exchange(other.exchange_, nullptr)) {
  if (exchange_ != nullptr) exchange_->reply_ = this;
}

HttpReply& HttpReply::operator=(HttpReply&& other) noexcept {
  HttpReply taken(std::move(other));
  std::swap(exchange_, taken.exchange_);  // the old one is answered by `taken`'s end
  if (exchange_ != nullptr) exchange_->reply_ = this;
  if (taken.exchange_ != nullptr) taken.exchange_->reply_ = &taken;
  return *this;
}

HttpReply::~HttpReply() { send({503, kPlain, "the request was given up; ask again\n"}); }

void HttpReply::send(HttpAnswer answer) {
  if (exchange_ != nullptr) exchange_->set(std::move(answer));
}

struct HttpServer::State {
  State(event::Loop& loop, Handler respond, const HttpLimits& limits)
      : handler(std::move(respond)),
        deadlines(loop, limits.request, limits.answer),
        timer(loop, [this] { turn(); }),
        soon(loop, [this] { turn(); }) {}
  ~State() {
    poll.reset();
    if (daemon == nullptr) return;
    stopping = true;
    // libmicrohttpd aborts when it is stopped with suspended connections. One run lets it take up those that go on,
    // and what a run writes at once is enough for a few words.
    for (HttpExchange& exchange : exchanges) {
      exchange.forget_reply();
      if (exchange.suspended()) exchange.set(stopped());
    }
    MHD_run(daemon);
    MHD_stop_daemon(daemon);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static HttpAnswer stopped() { return {503, kPlain, "walrelay is stopping\n"}; }

  unsigned connections() const {
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
  }

  void turn() {
    const unsigned before = connections();
    MHD_run(daemon);
    // At its limit libmicrohttpd stops to listen, and begins again only in the next run after a connection has ended;
    // when it was the last one, nothing else would bring that run about.
    if (connections() < before) soon.schedule();
    MHD_UNSIGNED_LONG_LONG wait = 0;
    if (MHD_get_timeout(daemon, &wait) == MHD_YES) {
      timer.start(event::milliseconds(static_cast<event::milliseconds::rep>(wait)));
    } else {
      timer.stop();
    }
  }

  void handle(HttpExchange& exchange, const HttpRequest& request) {
    if (stopping) return exchange.set(stopped());
    if (exchange.too_large()) return exchange.set(too_large());
    // The reply says 503 when the exception destroys it; what went wrong says more.
    try {
      handler(request, exchange.reply());
    } catch (const std::exception& error) {
      exchange.set({500, kPlain, std::string(error.what()) + "\n"});
    } catch (...) {
      exchange.set({500, kPlain, "an unknown error\n"});
    }
  }

  static HttpAnswer too_large() { return {413, kPlain, "no page here takes a body\n"}; }

  MHD_Result begin(MHD_Connection* connection, void** seen) {
    *seen = &exchanges.emplace_back(connection, soon, deadlines);
    const char* given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    const std::string_view text = given == nullptr ? "" : given;
    std::size_t size = 0;  // libmicrohttpd has refused what is no number
    std::from_chars(text.data(), text.data() + text.size(), size);
    return size > kBody ? queue(connection, too_large()) : MHD_YES;
  }

  // Called when the headers are there, for each piece of the body, when the request is complete, and once more
  // when a suspended connection goes on.
  static MHD_Result called(void* self, MHD_Connection* connection, const char* url, const char* method, const char*,
                           const char*, std::size_t* upload_size, void** seen) noexcept {
    auto& state = *static_cast<State*>(self);
    try {
      if (*seen == nullptr) return state.begin(connection, seen);
      auto& exchange = *static_cast<HttpExchange*>(*seen);
      if (*upload_size != 0) return exchange.receive(std::exchange(*upload_size, 0));
      if (exchange.begin_handling()) state.handle(exchange, read_request(connection, method, url));
      return exchange.answer();
    } catch (...) {
      return MHD_NO;  // there is no memory for an answer: the connection is closed
    }
  }

  // A percent sign that begins no escape stands for itself. Left to itself libmicrohttpd 1.0 gives the whole value up
  // and hands over an empty one: a rebuild of another part than the one that was named.
  static std::size_t unescape(void*, MHD_Connection*, char* text) noexcept { return MHD_http_unescape(text); }

  static void completed(void* self, MHD_Connection* connection, void** seen, MHD_RequestTerminationCode) noexcept {
    auto& state = *static_cast<State*>(self);
    const void* ended = std::exchange(*seen, nullptr);
    state.exchanges.remove_if([&](const HttpExchange& exchange) { return &exchange == ended; });
    state.deadlines.await_request(socket_of(connection));
  }

  static void connected(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode code) noexcept {
    HttpDeadlines& deadlines = static_cast<State*>(self)->deadlines;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      deadlines.await_request(socket_of(connection));
    } else {
      deadlines.forget(socket_of(connection));
    }
  }

  Handler handler;
  HttpDeadlines deadlines;
  MHD_Daemon* daemon = nullptr;
  int port = 0;
  bool stopping = false;
  event::Timer timer;
  event::Deferred soon;
  std::unique_ptr<event::Poll> poll;
  std::list<HttpExchange> exchanges;  // of at most HttpLimits::connections
};

HttpServer::HttpServer(event::Loop& loop, const std::string& listen, Handler handler, HttpLimits limits)
    : state_(std::make_unique<State>(loop, std::move(handler), limits)) {
  const int fd = listening_socket(listen);
  state_->port = port_of(fd);
  const auto idle = static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(limits.idle).count());
  state_->daemon = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &State::called, state_.get(),
      MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, limits.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      limits.per_address, MHD_OPTION_CONNECTION_TIMEOUT, idle, MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, &State::completed, state_.get(),
      MHD_OPTION_NOTIFY_CONNECTION, &State::connected, state_.get(), MHD_OPTION_UNESCAPE_CALLBACK, &State::unescape,
      nullptr, MHD_OPTION_END);
  if (state_->daemon == nullptr) {
    close(fd);
    throw std::runtime_error("http.listen \"" + listen + "\": the HTTP server could not start");
  }
  const MHD_DaemonInfo* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  state_->poll = std::make_unique<event::Poll>(loop, info->epoll_fd, [state = state_.get()](int) { state->turn(); });
  state_->poll->watch(event::Poll::readable);
}

HttpServer::~HttpServer() = default;

int HttpServer::port() const { return state_->port; }

}  // namespace walrelay::sidecar
