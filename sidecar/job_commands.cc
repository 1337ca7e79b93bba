#include "sidecar/job_commands.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>
#include <thread>

#include "sidecar/job_progress.h"
#include "sidecar/json_look.h"
#include "sidecar/programs.h"
#include "sidecar/slot_owner.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAnswer{10000};
constexpr milliseconds kPoll{200};
constexpr milliseconds kLongest{20000};         // of one request; the server bounds it, too
constexpr milliseconds kStandbyPatience{1000};  // then another one may own the slot
constexpr std::size_t kShown = 20;              // differences

std::vector<std::string> mappings_in(const std::string& body) {
  std::vector<std::string> names;
  simdjson::dom::parser parser;
  JsonElement json;
  if (parser.parse(body).get(json) != simdjson::SUCCESS) return names;
  for (const JsonElement each : elements_of(json, "mappings")) {
    std::string_view name;
    if (each.get(name) == simdjson::SUCCESS) names.emplace_back(name);
  }
  return names;
}

std::string query_of(const Job& job) {
  std::string query;
  const auto add = [&query](const std::string& name, const std::string& value) {
    query += (query.empty() ? "?" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
  };
  if (!job.table.empty()) add("table", job.table);
  for (const auto& [column, value] : job.where) add("where." + column, value);
  if (job.dry_run) add("dry_run", "true");
  if (job.repair) add("repair", "true");
  if (job.kind == JobKind::verify && job.sample < 100) add("sample", std::to_string(job.sample));
  return query;
}

std::string route_of(const Job& job, const char* rest) {
  return "/api/v1/admin/index/" + percent_encoded(job.mapping) +
         (job.kind == JobKind::rebuild ? "/reindex" : "/verify") + rest + query_of(job);
}

void print_differences(const Job& job) {
  for (std::size_t i = 0; i < std::min(kShown, job.differences.size()); ++i) {
    const JobDifference& each = job.differences[i];
    std::cout << "  " << each.kind << "  " << each.key;
    for (std::size_t f = 0; f < each.fields.size(); ++f) std::cout << (f == 0 ? "  fields: " : ", ") << each.fields[f];
    std::cout << "\n";
  }
  const std::uint64_t more =
      job.differing() - std::min<std::uint64_t>(job.differing(), std::min(kShown, job.differences.size()));
  if (more > 0) std::cout << "  and " << more << " more\n";
}

void print_result(const Job& job, bool json) {
  if (json) {
    std::cout << to_json(job, wall_clock_us());
    return;
  }
  std::cout << name_of(job.kind) << " " << job.mapping << ": " << name_of(job.status) << ", " << job.processed
            << " rows";
  if (job.kind == JobKind::rebuild) {
    std::cout << ", " << job.removed << (job.dry_run ? " keys would be removed" : " keys without a row removed");
  } else {
    std::cout << ", " << job.differing() << " differences";
    for (const auto& [kind, count] : job.found) std::cout << ", " << count << " " << kind;
    if (job.repair) std::cout << "; " << job.repaired << " mended";
    if (job.moving > 0) std::cout << "; " << job.moving << " rows changed while they were compared";
  }
  if (job.undecided > 0) std::cout << "; " << job.undecided << " keys could not be judged";
  std::cout << "\n";
  for (const std::string& key : job.examples) std::cout << "  " << key << "\n";
  print_differences(job);
  if (!job.error.empty()) std::cout << "  " << job.error << "\n";
}

ExitCode code_of(const Job& job) {
  if (job.status != JobStatus::completed) return job.bad_request ? ExitCode::usage : ExitCode::failure;
  const bool mended = job.repair && job.repaired >= job.differing();
  return job.kind == JobKind::verify && job.differing() > 0 && !mended ? ExitCode::differences : ExitCode::ok;
}

ExitCode worse(ExitCode a, ExitCode b) { return a == ExitCode::ok ? b : a; }

// Asks for the job and follows it to its end.
ExitCode run_remotely(const Remote& remote, const Job& job, bool json) {
  HttpResult begun = remote.ask("POST", route_of(job, ""));
  if (begun.status == 409) std::cerr << "walrelay: this is being done already; waiting for its end\n";
  if (begun.status != 200 && begun.status != 202 && begun.status != 409) {
    const bool bad = begun.status == 400 || begun.status == 404;
    throw StopError(bad ? ExitCode::usage : ExitCode::failure, error_in(begun));
  }
  JobProgress progress;
  for (;;) {
    const HttpResult result = remote.ask("GET", route_of(job, "/status"));
    const auto now = job_from_json(result.body);
    if (result.status != 200 || !now) throw StopError(ExitCode::failure, error_in(result));
    if (!now->running()) {
      progress.clear();
      print_result(*now, json);
      return code_of(*now);
    }
    progress.show(*now);
    std::this_thread::sleep_for(kPoll);
  }
}

std::optional<HttpResult> status_of(const Remote& remote) {
  try {
    return remote.ask("GET", "/api/v1/status");
  } catch (const HttpUnreachable&) {
    return std::nullopt;
  }
}

ExitCode run_alone(const config::Config& config, const Job& job, bool json) {
  std::map<std::string, Job> last;
  JobProgress progress;
  const auto report = [&](const Job& each) {
    last[each.slice()] = each;
    if (each.running() && each.phase != JobPhase::waiting) progress.show(each);
  };
  const ExitCode ended = carry_out(config, {job}, report);
  progress.clear();
  ExitCode code = ended;
  for (const auto& [slice, each] : last) {
    print_result(each, json);
    code = worse(code, code_of(each));
  }
  if (last.empty() && code == ExitCode::ok) throw StopError(ExitCode::failure, "there was no mapping to do this for");
  return code;
}

}  // namespace

Remote owner_behind(const Remote& remote) {
  const auto deadline = std::chrono::steady_clock::now() + kAnswer;
  for (;;) {
    const Respondent found = find_respondent(remote.url());
    if (found.role != Role::standby) return remote.at(found.url);
    if (std::chrono::steady_clock::now() >= deadline) {
      throw StopError(ExitCode::failure, "the walrelay at " + found.url +
                                             " stands by: ask the one that owns the slot, with --url http://<its "
                                             "http.listen>");
    }
    std::this_thread::sleep_for(kPoll);
  }
}

ExitCode command_job(const config::Config& config, const Job& job, const JobChoices& choices) {
  std::optional<HttpResult> running;
  std::optional<Remote> remote;
  if (choices.remote) {
    remote.emplace(owner_behind(*choices.remote));
    running = status_of(*remote);
  }
  if (!running) {
    if (choices.must_ask) throw StopError(ExitCode::failure, "no walrelay answers at " + choices.remote->url());
    return run_alone(config, job, choices.json);
  }
  std::vector<std::string> names{job.mapping};
  if (job.mapping.empty()) names = mappings_in(running->body);
  if (names.empty()) {
    throw StopError(ExitCode::failure,
                    "no mapping is known there yet: PostgreSQL has not been reached, or has no table "
                    "that the publication carries");
  }
  ExitCode code = ExitCode::ok;
  for (const std::string& name : names) {
    Job each = job;
    each.mapping = name;
    code = worse(code, run_remotely(*remote, each, choices.json));
  }
  return code;
}

namespace {

// Everything is a position as soon as the server has told it, and stays that one however often it is asked again.
std::string what_is_awaited(const HttpResult& result, const std::string& before) {
  simdjson::dom::parser parser;
  JsonElement json;
  if (parser.parse(result.body).get(json) != simdjson::SUCCESS) return before;
  const std::string position = text_of(json, "awaited");
  return position.empty() ? before : "lsn=" + percent_encoded(position);
}

}  // namespace

ExitCode command_wait(const Remote& remote, const std::string& lsn, milliseconds timeout) {
  std::string what = lsn.empty() ? "caught_up=true" : "lsn=" + percent_encoded(lsn);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    std::string trouble;
    try {
      const Respondent asked = find_respondent(remote.url());
      const auto now = std::chrono::steady_clock::now();
      const auto most = asked.role == Role::owner ? kLongest : kStandbyPatience;
      const auto left = std::clamp(std::chrono::duration_cast<milliseconds>(deadline - now), milliseconds(0), most);
      const std::string path = "/api/v1/wait?" + what + "&timeout=" + std::to_string(left.count()) + "ms";
      const HttpResult result = remote.at(asked.url).ask("GET", path, left + kAnswer);
      if (result.status == 200) return ExitCode::ok;
      if (result.status != 504 && result.status != 503) throw StopError(ExitCode::usage, error_in(result));
      what = what_is_awaited(result, what);
      trouble = asked.role == Role::owner ? "Redis does not hold it yet"
                                          : "Redis does not hold it yet, or another walrelay owns the slot";
    } catch (const HttpUnreachable& error) {  // it may be starting
      trouble = error.what();
    }
    if (std::chrono::steady_clock::now() + kPoll >= deadline) {
      std::cerr << "walrelay: " << trouble << "\n";
      return ExitCode::not_yet;
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace walrelay::sidecar
