#include "sidecar/supervisor.h"

#include "sidecar/log.h"

namespace walrelay::sidecar {

namespace {

constexpr int kProtocolFailuresAtMost = 5;
constexpr event::milliseconds kSlowly{5000};
constexpr std::chrono::seconds kHealthy{10};  // a session that lived so long was no failure to start

}  // namespace

Supervisor::Supervisor(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings, std::uint64_t seed)
    : loop_(loop), config_(config), mappings_(mappings), backoff_(seed), stop_requested_(loop) {
  status_.slot = config.source.slot;
}

void Supervisor::start() {
  job_.emplace(loop_, run(), [this](std::exception_ptr error) { over(error); });
}

void Supervisor::over(std::exception_ptr error) {
  if (error != nullptr) {
    const Verdict verdict = judge(error);
    exit_code_ = verdict.code;
    log::error(verdict.sentence, {{"exit_code", static_cast<int>(verdict.code)}});
  }
  loop_.stop();
}

void Supervisor::stop() {
  stopping_ = true;
  if (session_ != nullptr && session_->streaming()) {
    session_->stop();
  } else {
    loop_.stop();  // nothing is under way that would be worth finishing
  }
}

void Supervisor::wake_jobs() {
  if (session_ != nullptr) session_->wake_jobs();
}

std::optional<std::vector<std::string>> Supervisor::mapping_names() const {
  if (mappings_.default_mapping()) return session_ == nullptr ? std::nullopt : session_->mapping_names();
  std::vector<std::string> names;
  for (const auto& spec : mappings_.specs()) names.push_back(spec.name);
  return names;
}

bool Supervisor::holds(std::optional<replication::Lsn> position) {
  return session_ != nullptr && session_->holds(position);
}

const Status& Supervisor::status() {
  if (session_ != nullptr) session_->refresh();
  return status_;
}

event::Task<> Supervisor::run_session() {
  session_ = std::make_unique<Session>(loop_, config_, mappings_, status_, jobs_, SessionChoices{careful_, text_});
  auto running = session_->run();
  co_await std::move(running);
}

event::Task<> Supervisor::run() {
  while (!stopping_) {
    Verdict verdict;
    bool failed = false;
    const auto began = std::chrono::steady_clock::now();
    try {
      auto session = run_session();
      co_await std::move(session);
    } catch (const std::exception& error) {
      verdict = judge(error);
      failed = true;
    }
    session_.reset();
    if (!failed || stopping_) co_return;
    ++status_.session_failures[verdict.reason];
    status_.last_error = verdict.sentence;
    status_.state = State::waiting;
    if (verdict.reason == "protocol" && ++protocol_failures_ >= kProtocolFailuresAtMost)
      verdict.action = Verdict::Action::stop;
    if (verdict.action == Verdict::Action::retry_careful && careful_) verdict.action = Verdict::Action::stop;
    if (verdict.action == Verdict::Action::stop) throw StopError(verdict.code, verdict.sentence);
    careful_ = verdict.action == Verdict::Action::retry_careful;
    if (std::chrono::steady_clock::now() - began > kHealthy) {
      backoff_.reset();
      last_sentence_.clear();
      protocol_failures_ = 0;
      text_ = false;
    }
    text_ = text_ || verdict.reason == "text";
    auto wait = backoff_.next();
    if (verdict.action == Verdict::Action::retry_slowly) wait = std::max(wait, kSlowly);
    if (verdict.reason == "restart" || verdict.reason == "text" || careful_) wait = event::milliseconds(0);
    // The same sentence again and again says nothing new.
    if (verdict.sentence != last_sentence_) {
      log::warn(verdict.sentence, {{"retry_in_ms", wait.count()}});
    } else {
      log::debug(verdict.sentence, {{"retry_in_ms", wait.count()}});
    }
    last_sentence_ = verdict.sentence;
    auto pause = event::sleep(loop_, wait);
    co_await std::move(pause);
  }
}

}  // namespace walrelay::sidecar
