// Jobs without a sidecar that would do them: a life of our own, as short as the jobs are (programs.h).
#include <malloc.h>

#include <csignal>
#include <random>

#include "event/loop.h"
#include "sidecar/programs.h"
#include "sidecar/supervisor.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

namespace {

constexpr event::milliseconds kLook{100};

class Carrier {
 public:
  Carrier(event::Loop& loop, const config::Config& config, std::vector<Job> jobs,
          std::function<void(const Job&)> report)
      : config_(config),
        supervisor_(loop, std::make_unique<InForce>(config), std::random_device{}()),
        jobs_(std::move(jobs)),
        report_(std::move(report)),
        timer_(loop, [this] { look(); }),
        interrupt_(loop, SIGINT, [this] { stop(ExitCode::failure); }),
        terminate_(loop, SIGTERM, [this] { stop(ExitCode::failure); }) {}

  void start() {
    supervisor_.start();
    timer_.start(kLook, kLook);
  }
  [[nodiscard]] ExitCode exit_code() const {
    return supervisor_.exit_code() != ExitCode::ok ? supervisor_.exit_code() : code_;
  }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  void stop(ExitCode code) {
    code_ = code;
    timer_.stop();
    supervisor_.stop();
  }

  void look() {
    const Status& status = supervisor_.status();
    if (status.state == State::standby) {
      trouble_ = "slot \"" + config_.source.slot +
                 "\" is in use by another walrelay: ask that one, with --url http://<its http.listen>";
      return stop(ExitCode::failure);
    }
    const auto names = supervisor_.mapping_names();
    if (!names) return;
    if (!requested_) request(*names);
    std::size_t running = 0;
    for (const auto& slice : slices_) {
      const Job& job = *supervisor_.jobs().find(slice);
      running += job.running() ? 1 : 0;
      report_(job);
    }
    if (running == 0) stop(code_);
  }

  // A job without a mapping is one for each of them.
  void request(const std::vector<std::string>& names) {
    requested_ = true;
    for (const Job& job : jobs_) {
      for (const auto& name : job.mapping.empty() ? names : std::vector<std::string>{job.mapping}) {
        Job each = job;
        each.mapping = name;
        slices_.push_back(each.slice());
        (void)supervisor_.jobs().request(std::move(each), wall_clock_us());
      }
    }
    supervisor_.wake_jobs();
  }

  const config::Config& config_;
  Supervisor supervisor_;
  std::vector<Job> jobs_;
  std::function<void(const Job&)> report_;
  std::vector<std::string> slices_;
  bool requested_ = false;
  ExitCode code_ = ExitCode::ok;
  std::string trouble_;
  event::Timer timer_;
  event::Signal interrupt_, terminate_;
};

}  // namespace

ExitCode carry_out(const config::Config& config, std::vector<Job> jobs, std::function<void(const Job&)> report) {
  mallopt(M_ARENA_MAX, 1);
  event::Loop loop;
  Carrier carrier(loop, config, std::move(jobs), std::move(report));
  carrier.start();
  loop.run();
  if (!carrier.trouble().empty()) throw StopError(ExitCode::failure, carrier.trouble());
  return carrier.exit_code();
}

}  // namespace walrelay::sidecar
