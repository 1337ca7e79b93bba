// What a session has to do with documents (documents.h): it checks their SQL, takes up their notes, and has their roots
// read again where rows do not tell what has changed.
#include <limits>

#include "sidecar/document_check.h"
#include "sidecar/log.h"
#include "sidecar/policy.h"
#include "sidecar/session.h"
#include "sidecar/wall_clock.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {

using replication::TableInfo;

event::Task<> Session::check_documents() {
  auto checking = document_mistakes(watcher_, mappings_.documents(), catalogue_->tables());
  const auto mistakes = co_await std::move(checking);
  if (mistakes.empty()) co_return;
  std::string text;
  for (const std::string& mistake : mistakes) text += (text.empty() ? "" : "\n") + mistake;
  throw StopError(ExitCode::configuration, text);
}

void Session::assemble_documents() {
  documents_.emplace(mappings_.documents(), sinks::state_prefix(config_.source.slot) + "dirty:", relations_, overtaken_,
                     *sink_, [this] { return sink_->counters().batches; });
  documents_->on_work = [this] {
    if (document_reader_) document_reader_->wake();
  };
  documents_->on_room = [this] {
    if (document_reader_) document_reader_->on_room();
  };
  documents_->on_all_dirty = [this](std::size_t document) { read_root_again(document); };
}

void Session::assemble_document_reader() {
  DocumentReaderOptions options;
  options.connection = connection_options(false, "documents");
  options.connections = static_cast<std::size_t>(std::max(1, config_.load.connections));
  document_reader_.emplace(loop_, std::move(options), *documents_, *pipeline_, *sink_, *reader_);
  document_reader_->on_failed = [this](std::exception_ptr error) { fail(error); };
  document_reader_->on_trouble = [this](const std::string& sentence) {
    log::warn("reading documents: " + sentence);
    status_.failures.note("documents", sentence, wall_clock_us());
  };
  pipeline_->mark(*documents_);
  loader_->mark(*documents_);
}

// The marks that the last session had noted and not dealt with.
event::Task<> Session::take_up_documents() {
  for (std::size_t document = 0; document < mappings_.documents().size(); ++document) {
    auto asking = redis_.command({"SMEMBERS", documents_->note_key(document)});
    const sinks::Reply reply = co_await std::move(asking);
    std::vector<std::string> notes;
    for (const sinks::Reply& note : reply.elements) notes.push_back(note.text);
    documents_->restore(document, notes);
  }
}

void Session::forget_documents() {
  for (std::size_t document = 0; document < mappings_.documents().size(); ++document) {
    write_control({"UNLINK", documents_->note_key(document)});
  }
}

// Batches leave one after another: what was filling when the third one before was acknowledged is in Redis.
void Session::settle_documents() {
  constexpr std::uint64_t kBatchesUnderWay = 3;
  if (!documents_) return;
  const std::uint64_t batches = sink_->counters().batches;
  documents_->on_batches_in_redis(sink_->drained() ? std::numeric_limits<std::uint64_t>::max()
                                                   : batches + 1 - std::min(batches + 1, kBatchesUnderWay));
}

// No mapping writes its rows: documents of other tables name it.
bool Session::is_only_source(const TableInfo& info) {
  const Table* table = relations_.find(info.oid);
  return table != nullptr && table->writer != nullptr && table->writer->writes().empty();
}

void Session::read_root_again(std::size_t document) {
  const std::string root = mappings_.documents()[document].root();
  for (const auto& [oid, info] : catalogue_->tables()) {
    if (info.qualified() != root) continue;
    log::info("every document is read again", {{"mapping", mappings_.documents()[document].mapping}});
    return read_again(info);
  }
}

// It is new, or has changed in a way of which the stream says nothing.
void Session::source_changed(const TableInfo& info) {
  for (std::size_t document = 0; document < mappings_.documents().size(); ++document) {
    const auto& sources = mappings_.documents()[document].sources;
    const bool named = std::any_of(sources.begin(), sources.end(),
                                   [&info](const auto& source) { return source.qualified() == info.qualified(); });
    if (named) documents_->all_dirty(document);
  }
  if (is_only_source(info)) remember_source(info);
}

// There is nothing to read of it.
void Session::remember_source(const TableInfo& info) {
  owners_[info.qualified()] = info.oid;
  write_control({"HSET", sinks::load_key(config_.source.slot), info.qualified(), loaded_cursor(info)});
  relations_.set_loading(info.oid, false);
}

}  // namespace walrelay::sidecar
