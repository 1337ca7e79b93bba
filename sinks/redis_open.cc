// How a RedisConnection is opened: the only part of it that is a sequence, and therefore coroutines.
#include <charconv>

#include "sinks/redis_connection_state.h"

namespace walrelay::sinks {

namespace {

// "redis_version:7.0.15" somewhere in INFO -> 70015.
int version_of(std::string_view info) {
  constexpr std::string_view kField = "redis_version:";
  const std::size_t at = info.find(kField);
  if (at == std::string_view::npos) return 0;
  const char* next = info.data() + at + kField.size();
  const char* const end = info.data() + info.size();
  int version = 0;
  for (int i = 0; i < 3; ++i) {
    int part = 0;
    const auto [stop, error] = std::from_chars(next, end, part);
    if (error != std::errc() || part < 0 || part > 9999) return 0;
    version = version * 100 + part;
    next = stop != end && *stop == '.' ? stop + 1 : stop;
  }
  return version;
}

}  // namespace

std::string RedisConnection::State::name() const {
  if (!options.unix_path.empty()) return "Redis at " + options.unix_path;
  const bool literal = options.host.find(':') != std::string::npos;
  return "Redis at " + (literal ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

event::Task<> RedisConnection::open() {
  close();
  state_->failure = nullptr;
  state_->given_up = false;
  std::exception_ptr error;
  auto establishing = state_->establish();
  try {
    co_await std::move(establishing);
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    close();
    std::rethrow_exception(error);
  }
}

event::Task<> RedisConnection::State::establish() {
  addresses.clear();
  if (options.unix_path.empty()) {
    auto resolving = resolve_host();
    auto bounded = within_timeout(std::move(resolving));
    co_await std::move(bounded);
    require_owner();
  } else {
    addresses.emplace_back();  // the link takes the path
  }
  std::exception_ptr refusal;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    auto linking = link_to(addresses[i]);
    auto bounded = within_timeout(std::move(linking));
    refusal = nullptr;
    try {
      co_await std::move(bounded);
      break;
    } catch (const RedisError& error) {
      if (given_up) throw;
      refusal = std::make_exception_ptr(RedisError(error.code(), "connect to " + name() + ": " + error.what()));
    }
    close(refusal);
  }
  if (refusal) std::rethrow_exception(refusal);
  auto introducing = introduce();
  auto bounded = within_timeout(std::move(introducing));
  try {
    co_await std::move(bounded);
  } catch (const RedisError& error) {
    if (error.code() != "TIMEOUT") throw;
    refusal = std::make_exception_ptr(RedisError("TIMEOUT", "connect to " + name() + ": " + error.what()));
  }
  if (refusal) std::rethrow_exception(refusal);
  require_link();
  phase = Phase::open;
}

event::Task<> RedisConnection::State::resolve_host() {
  auto resolving = event::resolve(loop, options.host);
  try {
    auto found = co_await std::move(resolving);
    addresses = std::move(found);
  } catch (const RedisError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw RedisError("CONNECT", "connect to " + name() + ": " + error.what());
  }
}

// Runs a task that may wait for ever for at most the connect timeout.
event::Task<> RedisConnection::State::within_timeout(event::Task<> task) {
  event::Event over(loop);
  std::exception_ptr error;
  bool finished = false;
  event::Job job(loop, std::move(task), [&over, &error, &finished](const std::exception_ptr& why) {
    error = why;
    finished = true;
    over.set();
  });
  event::Timer deadline(loop, [&over] { over.set(); });
  deadline.start(options.connect_timeout);
  co_await over;
  if (!finished) {
    const char* const step = shaking_hands ? " to the TLS handshake: does it speak TLS on this port?" : "";
    throw RedisError("TIMEOUT", "no answer within " + std::to_string(options.connect_timeout.count()) + " ms" + step);
  }
  if (error) std::rethrow_exception(error);
}

void RedisConnection::State::require_owner() const {
  if (given_up) throw RedisError("LOST", "the connection to " + name() + " was closed");
}

// It may have been closed after the socket became ready and before the coroutine went on.
void RedisConnection::State::require_link() const {
  require_owner();
  if (link == nullptr) throw RedisError("LOST", "the connection to " + name() + " was lost");
}

event::Task<> RedisConnection::State::link_to(std::string address) {
  phase = Phase::linking;
  shaking_hands = false;
  linkable.reset();
  link = std::make_unique<RedisLink>(loop, options, address, [this](int directions) { on_ready(directions); });
  co_await linkable;
  require_link();
  link->finish_connect();
  if (options.tls) {
    shaking_hands = true;  // a Redis without TLS waits for more instead of refusing
    link->start_tls();
    while (!link->handshake()) {
      linkable.reset();
      co_await linkable;
      require_link();
    }
  }
  shaking_hands = false;
  phase = Phase::linked;
  link->watch(event::Poll::readable);
}

event::Task<> RedisConnection::State::introduce() {
  auto authenticating = authenticate();
  co_await std::move(authenticating);
  if (!options.client_name.empty()) {
    auto naming = owner.command({"CLIENT", "SETNAME", options.client_name});
    co_await std::move(naming);
  }
  if (options.database != 0) {
    auto selecting = owner.command({"SELECT", std::to_string(options.database)});
    co_await std::move(selecting);
  }
  auto learning = learn_server();
  co_await std::move(learning);
}

event::Task<> RedisConnection::State::authenticate() {
  const std::string password = options.password ? options.password() : std::string();
  if (password.empty() && options.user.empty()) co_return;
  std::vector<std::string> arguments{"AUTH"};
  if (!options.user.empty()) arguments.push_back(options.user);
  arguments.push_back(password);
  auto authenticating = owner.command(std::move(arguments));
  co_await std::move(authenticating);
}

// Proxies and narrow ACLs refuse these; then nothing is known, and nothing is wrong.
event::Task<> RedisConnection::State::learn_server() {
  server_version = 0;
  is_replica = false;
  auto asking = owner.command({"INFO", "server"});
  try {
    const Reply info = co_await std::move(asking);
    server_version = version_of(info.text);
  } catch (const RedisError&) {
    if (phase == Phase::closed) throw;
  }
  auto role = owner.command({"ROLE"});
  try {
    const Reply reply = co_await std::move(role);
    is_replica = !reply.elements.empty() && reply.elements.front().text == "slave";
  } catch (const RedisError&) {
    if (phase == Phase::closed) throw;
  }
}

}  // namespace walrelay::sinks
