#include "sidecar/programs.h"

#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <random>

#include "event/run_to_end.h"
#include "sidecar/http.h"
#include "sidecar/log.h"
#include "sidecar/notify.h"
#include "sidecar/reload.h"
#include "sidecar/service_state.h"
#include "sidecar/site.h"
#include "sidecar/supervisor.h"
#include "sidecar/version.h"

namespace walrelay::sidecar {

namespace {

// Two signals: the first finishes what is committed, the second ends the process at once.
class Signals {
 public:
  Signals(event::Loop& loop, std::function<void()> stop) : stop_(std::move(stop)) {
    for (const int number : {SIGTERM, SIGINT}) {
      signals_.push_back(std::make_unique<event::Signal>(loop, number, [this, number] { received(number); }));
    }
  }

 private:
  void received(int number) {
    if (asked_) _exit(128 + number);
    asked_ = true;
    log::info("stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
    stop_();
  }
  std::function<void()> stop_;
  bool asked_ = false;
  std::vector<std::unique_ptr<event::Signal>> signals_;
};

// A name look-up under way cannot be stopped and outlives the loop by as long as the resolver takes; the end of the
// process must not wait for it.
void end_soon(ExitCode code) {
  static volatile std::sig_atomic_t exit_code;
  exit_code = static_cast<int>(code);
  std::signal(SIGALRM, [](int) { _exit(exit_code); });
  alarm(1);
}

// By the time that it is called nobody waits for the answer: it is in the log.
void reload(Reloader& reloader) {
  try {
    (void)reloader.reload();
  } catch (const ReloadRefused&) {
    return;
  }
}

void announce(const config::Config& config) {
  log::info("walrelay starts", {{"version", version()},
                                {"slot", config.source.slot},
                                {"publication", config.source.publication},
                                {"http", config.http.listen}});
  for (const auto& word : config.source.dropped)
    log::info("the source url has a word of another driver; it is not used", {{"word", word}});
  for (const auto& word : config.target.dropped)
    log::info("the target url has a word of another client; it is not used", {{"word", word}});
  for (const auto& warning : config.warnings) log::warn(warning);
}

}  // namespace

ExitCode serve(std::unique_ptr<InForce> in_force, std::function<config::Config()> read) {
  mallopt(M_ARENA_MAX, 1);  // one thread works; a second arena would only hold memory back
  event::Loop loop;
  Supervisor supervisor(loop, std::move(in_force), std::random_device{}());
  Reloader reloader(supervisor, std::move(read));
  Recorder recorder(loop, supervisor);
  Site site(loop, supervisor, reloader, recorder);
  const config::Config& config = supervisor.in_force().config;
  std::optional<HttpServer> http;
  if (!config.http.listen.empty()) {
    http.emplace(loop, config.http.listen,
                 [&site](const HttpRequest& request, HttpReply reply) { site.handle(request, std::move(reply)); });
  }
  Notifier notifier(notify_socket());
  ServiceState service(loop, notifier, [&site] { return sentence_of(site.overview()); });
  reloader.on_begin = [&notifier] { notifier.reloading(); };
  reloader.on_end = [&notifier] { notifier.ready(); };
  Signals signals(loop, [&] {
    notifier.stopping();
    supervisor.stop();
  });
  event::Signal hangup(loop, SIGHUP, [&reloader] { reload(reloader); });
  event::Signal louder(loop, SIGUSR1, log::louder), quieter(loop, SIGUSR2, log::quieter);
  announce(config);
  supervisor.start();
  notifier.ready();  // whether the servers are there or not: they may come later, and a restart would not bring them
  loop.run();
  log::info("walrelay ends", {{"exit_code", static_cast<int>(supervisor.exit_code())}});
  end_soon(supervisor.exit_code());
  return supervisor.exit_code();
}

CheckReport check_now(const config::Config& config, sinks::MappingSet& mappings) {
  event::Loop loop;
  CheckReport report;
  auto checking = [](event::Loop& on, const config::Config& with, sinks::MappingSet& maps,
                     CheckReport& into) -> event::Task<> {
    auto task = check(on, with, maps);
    auto found = co_await std::move(task);
    into = std::move(found);
  };
  event::run_to_end(loop, checking(loop, config, mappings, report));
  return report;
}

}  // namespace walrelay::sidecar
