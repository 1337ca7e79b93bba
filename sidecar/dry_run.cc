// `walrelay run --dry-run` and `walrelay explain --changes`: the same decoding, mapping and chunks, but the commands
// are printed and nothing is kept. The slot is temporary, so the real one does not move; a publication that is missing
// is not created but told.
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "sidecar/catalogue.h"
#include "sidecar/chunk_reader.h"
#include "sidecar/json_documents.h"
#include "sidecar/loader.h"
#include "sidecar/log.h"
#include "sidecar/pipeline.h"
#include "sidecar/programs.h"
#include "sidecar/wiring.h"
#include "sinks/stdout_sink.h"

namespace walrelay::sidecar {

namespace {

class DryRun : public sinks::SinkEvents {
 public:
  DryRun(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings, DryRunChoices choices)
      : loop_(loop),
        config_(config),
        mappings_(mappings),
        choices_(choices),
        over_(loop),
        watcher_(loop, postgres_options(config.source, false, "dry run")),
        replicator_(loop, postgres_options(config.source, true, "dry run stream")),
        relations_(mappings, types_),
        sink_(
            loop, [this](std::string_view text) { print(text); }, *this,
            choices.json ? sinks::StdoutSink::Form::json : sinks::StdoutSink::Form::text) {}

  event::Task<> run() {
    auto learning = learn_json_documents(loop_, config_.target, mappings_);
    co_await std::move(learning);
    auto opening = watcher_.open();
    co_await std::move(opening);
    encoding_ = replication::Encoding::make(watcher_.parameter("server_encoding"));
    relations_.set_encoding(encoding_.get());
    const std::string slot = "walrelay_dry_run_" + std::to_string(getpid());
    CatalogueOptions options;
    options.publication = config_.source.publication;
    options.slot = slot;
    options.manage_publication = false;
    options.default_mapping = mappings_.default_mapping();
    catalogue_.emplace(loop_, watcher_, std::move(options), relations_, types_);
    catalogue_->on_trouble = [](const std::string& sentence) { log::warn(sentence); };
    auto preparing = catalogue_->prepare();
    co_await std::move(preparing);
    require_tables(mappings_.specs(), catalogue_->tables());
    auto connecting = replicator_.open();
    co_await std::move(connecting);
    auto creating = replication::create_slot(replicator_, watcher_, slot, true, config_.source.slot_timeout);
    co_await std::move(creating);
    const bool binary =
        config_.source.format != "text" && catalogue_->binary_is_exact() && watcher_.server_version() >= 140000;
    const std::string sql = replication::start_replication_sql(
        slot, config_.source.publication, replicator_.server_version(), binary, true, replication::Lsn::invalid);
    auto starting = replicator_.begin_replication(sql, "start replication");
    co_await std::move(starting);
    begin();
    co_await over_;
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

  void stop() { over_.set(); }

  void on_applied(const replication::Position&, std::int64_t) override {}
  void on_recorded(const replication::Position& position) override {
    if (position.committed <= stream_->received()) stream_->confirm(position.committed);
  }
  void on_writable() override {
    reader_->pump();
    stream_->resume();
  }
  void on_failed(std::exception_ptr error) override { fail(error); }

 private:
  // At once, for a reader at the other end of a pipe; who may have seen enough. What the stream still holds when all
  // was printed that was asked for passes unseen.
  void print(std::string_view text) {
    if (choices_.changes != 0 && printed_ >= choices_.changes) return;
    if (choices_.changes != 0 && !text.starts_with('#') && ++printed_ == choices_.changes) over_.set();
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
    over_.set();
  }

  void fail(std::exception_ptr error) {
    error_ = std::move(error);
    over_.set();
  }

  void begin() {
    PipelineOptions options;
    options.reread_key = sinks::reread_key(config_.source.slot);
    options.again_key = sinks::again_key(config_.source.slot);
    options.note_all = true;  // printed, and the run goes on
    options.encoding = encoding_.get();
    pipeline_.emplace(std::move(options), relations_, overtaken_, rereads_, sink_, clock_);
    reader_.emplace(loop_, overtaken_, *pipeline_, clock_, encoding_.get());
    loader_.emplace(loop_, loader_options(config_, postgres_options(config_.source, false, "load")), relations_,
                    overtaken_, rereads_, *pipeline_, sink_, *reader_);
    stream_.emplace(loop_, replicator_, *pipeline_, event::milliseconds(1000));
    pipeline_->on_catalogue_needed = [this](replication::Oid table, std::vector<replication::Oid> types) {
      catalogue_->ask(table, std::move(types));
    };
    pipeline_->on_processed = [this] { reader_->pump(); };
    pipeline_->on_reread = [this] { loader_->wake(); };
    pipeline_->on_resume = [this] { stream_->resume(); };
    pipeline_->on_refused_message = [](const std::string& sentence) { log::warn(sentence); };
    pipeline_->on_finished = [this](std::exception_ptr error) { fail(error); };
    catalogue_->on_described = [this] { pipeline_->catalogue_ready(); };
    loader_->on_failed = [this](std::exception_ptr error) { fail(error); };
    reader_->on_stuck = [this] { stream_->request_keepalive(); };
    reader_->on_flush_needed = [this] { catalogue_->flush_wal(); };
    loader_->on_all_loaded = [] { log::info("existing rows are printed; now every change as it comes (Ctrl-C ends)"); };
    if (choices_.changes == 0) {
      for (const auto& [oid, info] : catalogue_->tables()) loader_->add(info, "");
    } else {
      log::info("waiting for changes (Ctrl-C ends)");
    }
    watching_.emplace(loop_, catalogue_->watch(), [this](std::exception_ptr error) { fail(error); });
    loader_->start();
    stream_->start();
  }

  event::Loop& loop_;
  const config::Config& config_;
  sinks::MappingSet& mappings_;
  const DryRunChoices choices_;
  std::uint64_t printed_ = 0;
  event::Event over_;
  std::exception_ptr error_;
  replication::Connection watcher_, replicator_;
  std::unique_ptr<replication::Encoding> encoding_;
  replication::TypeCatalog types_;
  Relations relations_;
  Overtaken overtaken_;
  Rereads rereads_;
  ServerClock clock_;
  sinks::StdoutSink sink_;
  std::optional<Catalogue> catalogue_;
  std::optional<Pipeline> pipeline_;
  std::optional<ChunkReader> reader_;
  std::optional<Loader> loader_;
  std::optional<replication::Stream> stream_;
  std::optional<event::Job> watching_;
};

}  // namespace

ExitCode dry_run(const config::Config& config, sinks::MappingSet& mappings, DryRunChoices choices) {
  for (const auto& warning : config.warnings) log::warn(warning);
  event::Loop loop;
  DryRun dry(loop, config, mappings, choices);
  std::exception_ptr failure;
  event::Signal interrupt(loop, SIGINT, [&dry] { dry.stop(); });
  event::Signal terminate(loop, SIGTERM, [&dry] { dry.stop(); });
  event::Job job(loop, dry.run(), [&](std::exception_ptr error) {
    failure = error;
    loop.stop();
  });
  loop.run();
  if (failure != nullptr) std::rethrow_exception(failure);
  return ExitCode::ok;
}

}  // namespace walrelay::sidecar
