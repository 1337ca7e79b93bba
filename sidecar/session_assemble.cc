// The parts of a session, made once it is decided what to do (session.h).
#include "sidecar/session.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {

void Session::assemble(const Decision& decision, bool empty_database, event::milliseconds interval) {
  stream_.reset();
  PipelineOptions pipeline;
  pipeline.reread_key = sinks::reread_key(config_.source.slot);
  pipeline.again_key = sinks::again_key(config_.source.slot);
  pipeline.origin = origin_.system_identifier + "/" + origin_.slot_incarnation;
  pipeline.verified = decision.verified;
  pipeline.sent = decision.sent;
  pipeline.encoding = encoding_.get();
  pipeline.binary = binary_;
  assemble_documents();
  pipeline_.emplace(std::move(pipeline), relations_, overtaken_, rereads_, *sink_, clock_);
  LoaderOptions loader = loader_options(config_, connection_options(false, "load"));
  loader.fresh = empty_database && decision.load;
  loader.redis = redis_options(config_.target);
  reader_.emplace(loop_, overtaken_, *pipeline_, clock_, encoding_.get());
  loader_.emplace(loop_, std::move(loader), relations_, overtaken_, rereads_, *pipeline_, *sink_, *reader_);
  gone_tables_.emplace(config_.source.slot, relations_, *sink_);
  assemble_document_reader();
  JobRunnerOptions jobs;
  jobs.postgres = connection_options(false, "rebuild");
  jobs.redis = redis_options(config_.target);
  jobs.jobs_key = sinks::jobs_key(config_.source.slot);
  jobs.applied = [this] { return applied(); };
  jobs.binary = config_.source.format != "text";
  ScrubOptions scrub{config_.verify.interval, config_.verify.rate, config_.verify.on_difference == "repair"};
  scrub_.emplace(loop_, scrub, jobs_);
  for (const auto& mapping : config_.mappings) {
    if (!mapping.reindex_status_table.empty()) jobs.status_tables[mapping.name] = mapping.reindex_status_table;
  }
  JobTools tools{relations_, *catalogue_, *pipeline_, rereads_, *loader_, *reader_, *documents_, *sink_};
  runner_.emplace(loop_, std::move(jobs), jobs_, tools);
  letters_.emplace(loop_, redis_options(config_.target), sinks::dead_letter_key(config_.source.slot), relations_,
                   *pipeline_, *sink_);
  stream_.emplace(loop_, replicator_, *pipeline_, interval);
}

}  // namespace walrelay::sidecar
