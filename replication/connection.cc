// Making a connection, watching it while nobody uses it, and closing it.
#include "replication/connection.h"

#include <cstdio>
#include <cstdlib>

#include "replication/connection_state.h"

namespace walrelay::replication {

namespace {

std::string libpq_default(const std::string& keyword) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all(PQconndefaults(), &PQconninfoFree);
  for (const PQconninfoOption* one = all.get(); one != nullptr && one->keyword != nullptr; ++one) {
    if (keyword == one->keyword) return one->val != nullptr ? one->val : "";
  }
  return {};
}

// Notices never reach stderr. But while nobody waits for an answer, libpq reports errors as notices too: that is how a
// server that shuts down says farewell.
void keep_farewell(void* state, const PGresult* notice) noexcept {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity == nullptr) return;
  const std::string_view text = severity;
  if (text != "FATAL" && text != "PANIC") return;
  const auto field = [notice](int code) {
    const char* value = PQresultErrorField(notice, code);
    return std::string_view(value != nullptr ? value : "");
  };
  static_cast<Connection::State*>(state)->farewell =
      server_words(field(PG_DIAG_SQLSTATE), field(PG_DIAG_MESSAGE_PRIMARY), field(PG_DIAG_MESSAGE_DETAIL),
                   field(PG_DIAG_MESSAGE_HINT), true);
}

std::vector<Address> hosts_of(const ConnectionOptions& options) {
  const bool named = !parameter_or_default(options.parameters, "host", [](const auto&) { return ""; }).empty();
  const auto value = [&](const char* keyword) {
    return parameter_or_default(options.parameters, keyword, libpq_default);
  };
  // A host that was given is not overruled by an address from the environment.
  const auto given_only = [](const std::string&) { return std::string(); };
  const std::string numeric =
      parameter_or_default(options.parameters, "hostaddr", named ? ParameterDefault(given_only) : libpq_default);
  return split_hosts(value("host"), numeric, value("port"));
}

std::string database_of(const ConnectionOptions& options) {
  const std::string database = parameter_or_default(options.parameters, "dbname", libpq_default);
  return !database.empty() ? database : parameter_or_default(options.parameters, "user", libpq_default);
}

}  // namespace

Connection::State::State(event::Loop& on, ConnectionOptions with, Connection& owner)
    : loop(on), options(std::move(with)), front(owner), ready(on), resumed(on), report_loss(on, [this] {
        drop();
        const auto handler = front.on_lost;  // a copy: the handler may destroy the Connection
        const std::exception_ptr error = std::exchange(loss, nullptr);
        if (handler) handler(error);
      }) {}

void Connection::State::watch_anew(int directions) {
  // libpq changes its socket while it connects, also to another one of the same number, which the loop would not
  // notice: so each step gets a Poll of its own.
  poll.reset();
  poll = std::make_unique<event::Poll>(loop, PQsocket(conn.get()), [this](int) { on_ready(); });
  poll->watch(directions);
}

void Connection::State::on_ready() noexcept {
  if (use == Use::idle) {
    notice_loss();
  } else {
    ready.set();
  }
}

void Connection::State::notice_loss() {
  do {
    read_socket();
    static_cast<void>(PQisBusy(conn.get()));  // parses what was read
  } while (!broken && front.input_waiting());
  while (Libpq<PGnotify>(PQnotifies(conn.get())) != nullptr) {
    // Nobody listens here; they would only pile up.
  }
  if (!broken && !farewell) return;
  loss = std::make_exception_ptr(lost(""));
  use = Use::closed;
  poll->watch(event::Poll::none);  // it is calling us, so it cannot be destroyed yet
  report_loss.schedule();
}

void Connection::State::require(bool holds, const char* otherwise) {
  if (holds) return;
  std::fprintf(stderr, "walrelay: Connection: %s\n", otherwise);
  std::abort();
}

void Connection::State::become_idle() {
  use = Use::idle;
  poll->watch(event::Poll::readable);
}

void Connection::State::drop() {
  poll.reset();
  copy_buffer.reset();
  conn.reset();
  use = Use::closed;
  ready.set();
  resumed.set();
}

event::milliseconds Connection::State::connect_patience() const {
  const std::string given = parameter_or_default(options.parameters, "connect_timeout", libpq_default);
  const long seconds = std::strtol(given.c_str(), nullptr, 10);
  return seconds > 0 ? std::chrono::seconds(seconds) : options.connect_timeout;
}

PostgresError Connection::State::connect_error() const {
  ServerWords words = words_of_connect_failure(PQerrorMessage(conn.get()));
  if (words.text.empty()) words.text = "the connection failed without a word";
  return {words.sqlstate, true, words.text};
}

void Connection::State::start_connecting(const Address& address, const std::string& session_attributes) {
  const std::string password = options.password ? options.password() : "";
  const Parameters parameters = connect_parameters(options, address, password, session_attributes, libpq_default);
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  broken = server_ended_copy = false;
  farewell.reset();
  cut.clear();
  conn.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (conn == nullptr) throw std::bad_alloc();
  if (PQstatus(conn.get()) == CONNECTION_BAD) throw connect_error();
  PQsetNoticeReceiver(conn.get(), keep_farewell, this);
  PQsetErrorVerbosity(conn.get(), PQERRORS_VERBOSE);  // see words_of_connect_failure()
}

event::Task<> Connection::State::connect(Address address, std::string session_attributes) {
  Operation operation(*this, Use::connecting);
  event::Timer timer(loop, [this] {
    cut = "no answer within " + std::to_string(connect_patience().count()) + " ms";
    ready.set();
  });
  timer.start(connect_patience());
  start_connecting(address, session_attributes);
  auto step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    ready.reset();
    watch_anew(step == PGRES_POLLING_READING ? event::Poll::readable : event::Poll::writable);
    co_await ready;
    if (use != Use::connecting) throw PostgresError("", true, "closed while connecting");
    poll.reset();
    if (!cut.empty()) throw PostgresError("", true, cut);
    step = PQconnectPoll(conn.get());
    if (step == PGRES_POLLING_FAILED) throw connect_error();
  }
  PQsetnonblocking(conn.get(), 1);
  PQsetErrorVerbosity(conn.get(), PQERRORS_DEFAULT);
  watch_anew(event::Poll::none);
  use = Use::idle;
  try {
    encoding = Encoding::make(front.parameter("server_encoding"));
  } catch (const std::runtime_error&) {  // names pass as they are; who decodes rows will say it
    encoding.reset();
  }
  auto pinning = pin_session();
  co_await std::move(pinning);
  operation.finish();
}

// The time-outs that PostgreSQL 12 does not know yet, and that would end an idle connection.
event::Task<> Connection::State::pin_session() {
  const int version = PQserverVersion(conn.get());
  if (version < 140000) {
    become_idle();
    co_return;
  }
  Exchange request{.sql = "SET idle_session_timeout TO 0", .what = "prepare the session", .parameters = {}, .row = {}};
  if (version >= 170000) request.sql += "; SET transaction_timeout TO 0";
  auto exchanging = exchange(std::move(request));
  co_await std::move(exchanging);
}

// True: connected. What went wrong with each address is added to `attempts`.
event::Task<bool> Connection::State::try_addresses(std::vector<Address> addresses, std::string session_attributes) {
  const Address* answered = nullptr;
  for (const Address& address : addresses) {
    // A server that answered and refused would do the same at its other addresses.
    if (answered != nullptr && answered->host == address.host && answered->port == address.port) continue;
    try {
      auto connecting = connect(address, session_attributes);
      co_await std::move(connecting);
      co_return true;
    } catch (const PostgresError& error) {
      if (!error.sqlstate().empty()) answered = &address;
      if (attempts_sqlstate.empty()) attempts_sqlstate = error.sqlstate();
      const std::string at = address.numeric.empty() ? address.host : address.host + " (" + address.numeric + ")";
      attempts.push_back(addresses.size() > 1 ? at + ": " + error.what() : error.what());
    }
  }
  co_return false;
}

Connection::Connection(event::Loop& loop, ConnectionOptions options)
    : state_(std::make_unique<State>(loop, std::move(options), *this)) {}

Connection::~Connection() = default;

event::Task<> Connection::open() {
  State& s = *state_;
  s.require(s.operations == 0, "open() during an operation");
  close();
  s.attempts.clear();
  s.attempts_sqlstate.clear();
  try {
    std::vector<Address> hosts = hosts_of(s.options);
    s.peer = peer_name(hosts, database_of(s.options));
    auto resolving = resolve_hosts(s.loop, std::move(hosts));
    const ResolvedHosts resolved = co_await std::move(resolving);
    s.attempts = resolved.failures;
    std::string wanted = parameter_or_default(s.options.parameters, "target_session_attrs", libpq_default);
    // libpq sees one address at a time, so the preference takes two rounds here.
    if (wanted == "prefer-standby") {
      auto preferring = s.try_addresses(resolved.addresses, "standby");
      const bool connected = co_await std::move(preferring);
      if (connected) co_return;
      s.attempts = resolved.failures;
      wanted = "any";
    }
    auto trying = s.try_addresses(resolved.addresses, wanted);
    const bool connected = co_await std::move(trying);
    if (connected) co_return;
  } catch (const PostgresError&) {
    throw;
  } catch (const std::runtime_error& error) {  // the password could not be read
    s.attempts.emplace_back(error.what());
  } catch (const std::invalid_argument& error) {
    throw PostgresError("", false, "connect to PostgreSQL: " + std::string(error.what()));
  }
  std::string message = "connect to " + s.peer + ": ";
  for (const std::string& attempt : s.attempts) message += (&attempt == &s.attempts.front() ? "" : "; ") + attempt;
  throw PostgresError(s.attempts_sqlstate, true, message);
}

bool Connection::is_open() const { return state_->use != State::Use::closed && state_->use != State::Use::connecting; }

void Connection::close() {
  state_->report_loss.cancel();
  state_->drop();
}

int Connection::server_version() const { return state_->conn == nullptr ? 0 : PQserverVersion(state_->conn.get()); }

std::string Connection::parameter(const char* name) const {
  const char* value = state_->conn == nullptr ? nullptr : PQparameterStatus(state_->conn.get(), name);
  return value != nullptr ? value : "";
}

int Connection::backend_pid() const { return state_->conn == nullptr ? 0 : PQbackendPID(state_->conn.get()); }

event::Loop& Connection::loop() const { return state_->loop; }

std::string Connection::peer() const { return state_->peer; }

}  // namespace walrelay::replication
