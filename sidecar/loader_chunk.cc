// From the rows of a chunk to the sink's batch (loader.h).
#include "sidecar/loader_chunk.h"

#include <algorithm>

#include "event/crash_point.h"
#include "sinks/document.h"

namespace walrelay::sidecar {

using replication::Row;

bool Loader::Chunk::is_of_roots() const {
  const auto& paths = writer_.paths();
  return loader_.documents_ != nullptr &&
         std::any_of(paths.begin(), paths.end(), [](const auto& path) { return !path.source; });
}

// Rows to be read again may be what the stream waits for.
bool Loader::Chunk::takes() {
  if (by_key) return !loader_.sink_.full();
  return loader_.sink_.has_room() && roots_have_room();
}

bool Loader::Chunk::roots_have_room() const { return !roots_ || loader_.documents_->has_room(); }

void Loader::Chunk::count() {
  ++rows;
  loader_.progress_.bytes += received() - counted_;
  counted_ = received();
}

void Loader::Chunk::write(Row row, bool fresh) {
  loader_.pipeline_.write(writer_, {relation(), "read", row},
                          [&] { writer_.replace(row, fresh, loader_.sink_.batch()); });
}

void Loader::Chunk::note_keys(Row row) {
  for (std::size_t write = 0; write < writer_.writes().size(); ++write) {
    key_.clear();
    if (writer_.append_place(write, row, key_)) loader_.seen_->add(key_);
  }
}

void Loader::Chunk::land(Row row) {
  if (load != nullptr && load->abandoned) return;  // it may bring back columns that are gone
  count();
  if (!by_key && roots_) loader_.documents_->loaded(writer_, row);
  identity_.clear();
  writer_.append_identity(row, identity_);
  Reread* reread = loader_.rereads_.empty() ? nullptr : loader_.rereads_.find(relation().oid, identity_);
  if (reread != nullptr) {
    if (by_key) land_reread(*reread, row);
    return;
  }
  if (by_key || overtaken(identity_)) {
    ++loader_.progress_.skipped_rows;
    return;
  }
  if (loader_.seen_ != nullptr) note_keys(row);
  keep(row);
}

void Loader::Chunk::keep(Row row) {
  write(row, load != nullptr && load->fresh);
  loader_.sink_.loaded(1);
}

void Loader::Chunk::land_reread(Reread& reread, Row row) {
  if (reread.first_chunk > id()) return;  // noted after this chunk was opened
  // An ALTER TABLE may have rewritten the values between the changes in the image and the read, unseen by the stream.
  if (overtaken(identity_)) {
    reread.fill(row);
  } else {
    reread.replace(row);
  }
  const auto values = reread.values();
  write(values, false);
  loader_.pipeline_.erase_note(reread.note);
  loader_.rereads_.erase(relation().oid, identity_);
  event::crash_point();
  loader_.sink_.loaded(1);
}

}  // namespace walrelay::sidecar
