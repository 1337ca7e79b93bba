#include "sidecar/policy.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "replication/connection.h"
#include "replication/reader.h"
#include "sinks/redis_sink.h"

namespace walrelay::sidecar {

namespace {

using Action = Verdict::Action;

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Verdict judge_postgres(const replication::PostgresError& error) {
  static constexpr std::array<std::string_view, 19> passing = {
      "57P01", "57P02", "57P03", "57P05", "57014", "53300", "53200", "53100", "53400", "55006",
      "55P03", "40001", "40P01", "58P01", "58030", "25006", "42710", "XX000", "55000"};
  // The slot or the publication went while we looked: the next try finds out.
  static constexpr std::string_view kGone = "42704";
  Verdict verdict{Action::stop, ExitCode::postgres, "postgres", error.what()};
  const std::string& state = error.sqlstate();
  if (state.empty()) {
    verdict.action = error.lost() ? Action::retry : Action::stop;
    verdict.reason = error.lost() ? "connection lost" : "postgres";
  } else if (state.substr(0, 2) == "08" || one_of(passing, state) || state == kGone) {
    verdict.action = Action::retry;
    verdict.reason = state;
  } else if (state.substr(0, 2) == "28") {
    verdict.action = Action::retry_slowly;
    verdict.reason = "authentication";
  } else {
    verdict.reason = state;
  }
  return verdict;
}

Verdict judge_redis(const sinks::RedisError& error) {
  static constexpr std::array<std::string_view, 18> passing = {
      "LOST",       "TIMEOUT",   "CONNECT",   "OOM",    "READONLY", "LOADING",     "BUSY",     "MISCONF", "NOREPLICAS",
      "MASTERDOWN", "EXECABORT", "UNBLOCKED", "FENCED", "TRYAGAIN", "CLUSTERDOWN", "PROTOCOL", "TLS",     "NOSCRIPT"};
  static constexpr std::array<std::string_view, 3> secrets = {"NOAUTH", "WRONGPASS", "DENIED"};
  Verdict verdict{Action::stop, ExitCode::redis, error.code(), error.what()};
  if (one_of(passing, error.code())) verdict.action = Action::retry;
  if (one_of(secrets, error.code())) verdict.action = Action::retry_slowly;
  if (error.code() == "ERR" && std::string_view(error.what()).find("max number of clients") != std::string_view::npos) {
    verdict.action = Action::retry_slowly;
  }
  return verdict;
}

}  // namespace

bool table_changed(const replication::PostgresError& error) {
  const std::string& state = error.sqlstate();
  return state == "42P01" || state == "42703" || state == "3F000";
}

Verdict judge(const std::exception& error) {
  if (const auto* stop = dynamic_cast<const StopError*>(&error)) {
    return {Action::stop, stop->code, "stopped", error.what()};
  }
  if (dynamic_cast<const TextNeeded*>(&error) != nullptr) {
    return {Action::retry, ExitCode::failure, "text", error.what()};
  }
  if (dynamic_cast<const RestartNeeded*>(&error) != nullptr) {
    return {Action::retry, ExitCode::failure, "restart", error.what()};
  }
  if (dynamic_cast<const sinks::BatchRefused*>(&error) != nullptr) {
    return {Action::retry_careful, ExitCode::redis, "refused", error.what()};
  }
  if (const auto* redis = dynamic_cast<const sinks::RedisError*>(&error)) return judge_redis(*redis);
  if (const auto* postgres = dynamic_cast<const replication::PostgresError*>(&error)) return judge_postgres(*postgres);
  if (dynamic_cast<const replication::ProtocolError*>(&error) != nullptr) {
    return {Action::retry, ExitCode::postgres, "protocol", error.what()};
  }
  if (dynamic_cast<const sinks::MappingError*>(&error) != nullptr) {
    return {Action::stop, ExitCode::configuration, "mapping", error.what()};
  }
  if (dynamic_cast<const sinks::RowError*>(&error) != nullptr) {
    return {Action::stop, ExitCode::failure, "row", error.what()};
  }
  return {Action::stop, ExitCode::failure, "failure", error.what()};
}

Verdict judge(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& caught) {
    return judge(caught);
  } catch (...) {
    return {Action::stop, ExitCode::failure, "failure", "an unknown failure"};
  }
}

}  // namespace walrelay::sidecar
