#include "sidecar/supervisor.h"

#include <algorithm>

#include "event/idle_time.h"
#include "sidecar/log.h"
#include "sidecar/wall_clock.h"
#include "sinks/fingerprint.h"

namespace walrelay::sidecar {

namespace {

constexpr int kProtocolFailuresAtMost = 5;
constexpr event::milliseconds kSlowly{5000};
constexpr std::chrono::seconds kHealthy{10};  // a session that lived so long was no failure to start

}  // namespace

Supervisor::Supervisor(event::Loop& loop, std::unique_ptr<InForce> in_force, std::uint64_t seed)
    : loop_(loop), in_force_(std::move(in_force)), backoff_(seed), session_ended_(loop) {
  status_.slot = in_force_->config.source.slot;
  status_.last_reload_seconds = static_cast<double>(wall_clock_us()) / 1e6;
  jobs_.on_finished = [this](const Job& job) {
    if (job.status != JobStatus::failed) return;
    ++status_.jobs_failed[name_of(job.kind)];
    note_failure("job", std::string(name_of(job.kind)) + " of mapping \"" + job.mapping + "\" failed: " + job.error);
  };
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

void Supervisor::replay(const std::string& letter, LetterReplay::Done done) {
  if (session_ == nullptr) return done({ReplayResult::What::impossible, "the servers are not reached: try again"});
  session_->replay(letter, std::move(done));
}

std::optional<std::vector<std::string>> Supervisor::mapping_names() const {
  const sinks::MappingSet& mappings = in_force_->mappings;
  if (mappings.default_mapping()) return session_ == nullptr ? std::nullopt : session_->mapping_names();
  std::vector<std::string> names;
  for (const auto& spec : mappings.specs()) names.push_back(spec.name);
  return names;
}

bool Supervisor::holds(replication::Lsn position) { return session_ != nullptr && session_->holds(position); }

bool Supervisor::holds(Everything& everything) {
  if (session_ == nullptr) return false;
  if (!everything.position) {
    if (everything.session != sessions_made_) {  // whom the last one asked has not answered
      const auto question = session_->ask_end();
      if (!question) return false;
      everything.session = sessions_made_;
      everything.question = *question;
    }
    everything.position = session_->end_since(everything.question);
  }
  return everything.position && session_->holds(*everything.position);
}

const Status& Supervisor::status() {
  if (session_ != nullptr) session_->refresh();
  if (session_ != nullptr && session_->streaming()) behind_since_us_ = 0;
  if (behind_since_us_ != 0) {
    status_.lag_seconds = std::max(status_.lag_seconds, static_cast<double>(wall_clock_us() - behind_since_us_) / 1e6);
  }
  status_.loop_idle_seconds = std::chrono::duration<double>(event::idle_time(loop_)).count();
  return status_;
}

// Lag grows while nobody streams. Whether what the server wrote concerns us is not known then: it counts.
void Supervisor::note_slot(const replication::SlotState& slot, replication::Lsn end_of_wal) {
  if (session_ != nullptr && session_->streaming()) return;  // it knows better
  const std::int64_t now = wall_clock_us();
  status_.slot_seen_us = now;
  status_.wal_status = slot.wal_status;
  status_.slot_active = slot.active;
  status_.safe_wal_bytes = slot.safe_wal_bytes.value_or(-1);
  if (slot.restart != replication::Lsn::invalid) {
    status_.retained_wal_bytes = std::max<std::int64_t>(0, replication::distance(slot.restart, end_of_wal));
  }
  status_.server_end = std::max(status_.server_end, end_of_wal);
  if (status_.applied == replication::Lsn::invalid || status_.applied >= status_.server_end) return;
  status_.lag_bytes = replication::distance(status_.applied, status_.server_end);
  if (behind_since_us_ == 0) behind_since_us_ = now - static_cast<std::int64_t>(status_.lag_seconds * 1e6);
}

void Supervisor::note_failure(const std::string& reason, const std::string& sentence) {
  status_.failures.note(reason, sentence, wall_clock_us());
}

std::vector<TableReport> Supervisor::tables() const {
  auto now = session_ == nullptr ? std::vector<TableReport>() : session_->tables();
  return now.empty() ? known_tables_ : now;
}

// A session that has not got as far as the stream has nothing to finish: it goes as it is.
void Supervisor::replace(std::unique_ptr<InForce> next) {
  next_ = std::move(next);
  if (session_ == nullptr || stopping_) return;
  if (session_->streaming()) {
    session_->stop();
  } else {
    session_ended_.set();
  }
}

void Supervisor::replace_log_and_token(const config::Config& next) {
  for (InForce* each : {in_force_.get(), next_.get()}) {
    if (each == nullptr) continue;
    each->config.log = next.log;
    each->config.http = next.http;
    each->config.health = next.health;
    each->config.metrics = next.metrics;
  }
}

void Supervisor::count_reload(bool successful) {
  ++status_.reloads[successful ? "success" : "failure"];
  status_.last_reload_successful = successful;
  if (successful) status_.last_reload_seconds = static_cast<double>(wall_clock_us()) / 1e6;
}

void Supervisor::take_up_next() {
  if (next_ == nullptr) return;
  if (proven_ == nullptr) proven_ = std::move(in_force_);
  in_force_ = std::move(next_);
  retiring_.reset();
  auto gone = sinks::retired(proven_->mappings, in_force_->mappings);
  if (in_force_->config.on_removed == "sweep" && gone.any) {
    const std::string state = sinks::state_prefix(in_force_->config.source.slot);
    retiring_ = std::make_unique<sinks::MappingSet>(std::move(gone.specs), state);
  }
  backoff_.reset();
  careful_ = text_ = false;
}

// Once a session has begun, Redis is written as the configuration says, and there is no way back.
void Supervisor::session_over() {
  session_job_.reset();
  if (session_ != nullptr && session_->has_begun()) {
    proven_.reset();
    if (retiring_ != nullptr) retired_.push_back(std::move(retiring_));
    if (!session_->retiring()) retired_.clear();
  }
  known_tables_ = tables();
  session_.reset();
}

// What could not be seen beforehand (a privilege, say) stands against the new configuration.
bool Supervisor::go_back(const Verdict& verdict) {
  if (proven_ == nullptr || verdict.action != Verdict::Action::stop) return false;
  log::error("the new configuration does not work, the old one stays in force: " + verdict.sentence);
  note_failure("configuration", verdict.sentence);
  count_reload(false);
  in_force_ = std::move(proven_);
  retiring_.reset();
  backoff_.reset();
  return true;
}

event::Task<> Supervisor::run_session() {
  SessionChoices choices{careful_, text_, {}};
  for (const auto& each : retired_) choices.retired.push_back(each.get());
  if (retiring_ != nullptr) choices.retired.push_back(retiring_.get());
  ++sessions_made_;
  session_ = std::make_unique<Session>(loop_, in_force_->config, in_force_->mappings, status_, jobs_, choices);
  session_ended_.reset();
  session_job_.emplace(loop_, session_->run(), [this](std::exception_ptr error) {
    failure_ = std::move(error);
    session_ended_.set();
  });
  co_await session_ended_;
}

// Refused and lost connections to Redis as well as what it answered.
void Supervisor::count_failure() {
  try {
    std::rethrow_exception(failure_);
  } catch (const sinks::RedisError& redis) {
    ++status_.redis_errors[redis.code()];
  } catch (...) {  // counted by its reason
    return;
  }
}

event::milliseconds Supervisor::pause_after(const Verdict& verdict, bool healthy) {
  if (healthy) {
    backoff_.reset();
    last_sentence_.clear();
    protocol_failures_ = 0;
    text_ = false;
  }
  text_ = text_ || verdict.reason == "text";
  const auto wait = backoff_.next();
  if (verdict.reason == "restart" || verdict.reason == "text" || careful_) return event::milliseconds(0);
  return verdict.action == Verdict::Action::retry_slowly ? std::max(wait, kSlowly) : wait;
}

// The same sentence again and again says nothing new.
void Supervisor::say(const Verdict& verdict, event::milliseconds pause) {
  if (verdict.sentence != last_sentence_) {
    log::warn(verdict.sentence, {{"retry_in_ms", pause.count()}});
  } else {
    log::debug(verdict.sentence, {{"retry_in_ms", pause.count()}});
  }
  last_sentence_ = verdict.sentence;
}

event::Task<> Supervisor::run() {
  while (!stopping_) {
    take_up_next();
    const auto began = std::chrono::steady_clock::now();
    failure_ = nullptr;
    try {
      auto session = run_session();
      co_await std::move(session);
    } catch (...) {  // it could not even be made
      failure_ = std::current_exception();
    }
    session_over();
    if (stopping_) co_return;
    if (failure_ == nullptr) {
      if (next_ == nullptr) co_return;
      continue;
    }
    count_failure();
    Verdict verdict = judge(failure_);
    ++status_.session_failures[verdict.reason];
    status_.last_error = verdict.sentence;
    status_.state = State::waiting;
    if (verdict.reason != "restart" && verdict.reason != "text") note_failure(verdict.reason, verdict.sentence);
    if (verdict.reason == "protocol" && ++protocol_failures_ >= kProtocolFailuresAtMost)
      verdict.action = Verdict::Action::stop;
    if (verdict.action == Verdict::Action::retry_careful && careful_) verdict.action = Verdict::Action::stop;
    if (go_back(verdict)) continue;
    if (verdict.action == Verdict::Action::stop) throw StopError(verdict.code, verdict.sentence);
    careful_ = verdict.action == Verdict::Action::retry_careful;
    const auto wait = pause_after(verdict, std::chrono::steady_clock::now() - began > kHealthy);
    say(verdict, wait);
    auto pause = event::sleep(loop_, wait);
    co_await std::move(pause);
  }
}

}  // namespace walrelay::sidecar
