// Which documents are dirty: marked by the stream and by the loader, read by the DocumentReader.
//
//   root or link column changed ─> mark(id) ──────────────────────────────────────┐
//   a lookup's table changed    ─> mark(its key) ─> the lookup's SQL ─> mark(id) ─┼─> the document's SQL ─> landed
//   root is being loaded        ─> mark(id of each row) ──────────────────────────┘
//   child truncated, or too many dirty ones: on_all_dirty, the root is read again in place
//
// A mark is noted in Redis (walrelay:{slot}:dirty:<document>) in the batch of the change that made it, and the note
// goes in the batch that holds the value. So a document is read at a snapshot that sees every change that is known of
// it; a mark that comes while it is being read makes it be read once more, and no crash loses a mark. A root that is
// deleted takes its key with it in its own transaction; a document for which the query has no row is removed as well.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/change.h"
#include "sidecar/dirty_set.h"
#include "sidecar/overtaken.h"
#include "sidecar/relations.h"
#include "sinks/document.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

struct DocumentCounters {
  std::uint64_t marks = 0, read = 0, lookups = 0, overflows = 0;
};

class Documents {
 public:
  // `keys` begins the names of the notes. `batches`: of the sink, begun until now; what has landed is in the next one.
  Documents(const std::vector<sinks::DocumentSpec>& specs, std::string keys, Relations& relations, Overtaken& overtaken,
            sinks::Sink& sink, std::function<std::uint64_t()> batches);
  ~Documents();
  Documents(const Documents&) = delete;
  Documents& operator=(const Documents&) = delete;

  [[nodiscard]] bool empty() const { return kept_.empty(); }
  [[nodiscard]] const sinks::DocumentSpec& spec(std::size_t document) const;
  [[nodiscard]] std::string note_key(std::size_t document) const;

  // The stream's side.
  void changed(const sinks::RelationWriter& writer, const replication::Change& change);
  void truncated(const sinks::RelationWriter& writer);
  // A row of a root was read by the loader.
  void loaded(const sinks::RelationWriter& writer, replication::Row row);
  [[nodiscard]] bool has_room() const;  // for more of these; after a false on_room() follows
  void mark(std::size_t document, const std::string& id);
  // The root is about to be read, after something that no row tells.
  void all_dirty(std::size_t document);
  void restore(std::size_t document, const std::vector<std::string>& notes);  // of an earlier session

  std::function<void()> on_work;  // something waits to be read
  std::function<void()> on_room;  // not to be answered at once, but at the end of the loop's turn
  std::function<void(std::size_t document)> on_all_dirty;  // every row of its root must be given to loaded()

  // The reader's side. What it takes is read by nobody else until it has landed or was given back.
  struct Work {
    std::size_t document = 0;
    std::optional<std::size_t> source;     // whose lookup is asked; nothing: the documents themselves
    std::vector<std::string> ids;          // of documents, or of the source's rows
    DirtySet::Reading reading = 0;         // whose the ids are, until they have landed
    std::uint64_t epoch = 0, renewal = 0;  // of the document when it was taken
  };
  [[nodiscard]] bool any_work() const;
  std::optional<Work> take(std::size_t most);
  void give_back(const Work& work);  // what of it has not landed
  // False: the root was truncated since the work was taken, or everything is dirty anyway: what was read is worth
  // nothing.
  [[nodiscard]] bool holds(const Work& work) const;
  void landed(const Work& work, const std::string& id, std::optional<std::string_view> value);
  void refused(const Work& work, const std::string& id);  // it stays as it stands in Redis
  void looked_up(const Work& work);                       // every id that it found has been marked

  // What has landed is in Redis when its batch is.
  void on_batches_in_redis(std::uint64_t before);

  // How far they are. A mark's number; everything up to it stands in Redis.
  [[nodiscard]] std::uint64_t marked() const { return number_; }
  [[nodiscard]] bool settled_up_to(std::uint64_t number) const;
  // A value may be about to change: that of Redis says nothing.
  [[nodiscard]] bool unsettled(std::size_t document, const std::string& id) const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const DocumentCounters& counters() const { return counters_; }

  // Under this name the marks of a document are noted in Overtaken.
  static replication::Oid oid_of(std::size_t document) { return kFirstOid + static_cast<replication::Oid>(document); }
  // An id as bytes, and back.
  static std::string to_id(const std::vector<std::string>& texts);
  static std::vector<std::string> to_texts(const std::string& id);

 private:
  static constexpr replication::Oid kFirstOid = 0xffff0000;  // no table of a user is so young
  struct Kept {
    DirtySet ids;
    std::map<std::size_t, DirtySet> lookups;  // by source
    std::uint64_t epoch = 0;                  // how often what was being read has become worthless
    std::uint64_t renewal = 0;                // of these: because everything is read again
    replication::Oid root = 0;                // as it was found last
  };
  [[nodiscard]] Work work_of(std::size_t document, std::optional<std::size_t> source, DirtySet& set,
                             std::size_t most) const;
  sinks::DocumentValue* value_of(std::size_t document);  // null: the root is gone
  void follow(const sinks::DocumentPath& path, replication::Row row);
  void follow_root(const sinks::DocumentPath& path, const replication::Change& change);
  bool read_id(const sinks::DocumentPath& path, replication::Row row);  // false: it has none
  void mark_lookup(std::size_t document, std::size_t source, const std::string& key);
  void note(std::size_t document, std::string_view command, std::string_view member);
  [[nodiscard]] std::string lookup_note(std::size_t document, std::size_t source, const std::string& key) const;
  void bound(std::size_t document);
  [[nodiscard]] std::size_t waiting() const;
  void made_room();

  const std::vector<sinks::DocumentSpec>& specs_;
  const std::string keys_;
  Relations& relations_;
  Overtaken& overtaken_;
  sinks::Sink& sink_;
  const std::function<std::uint64_t()> batches_;
  std::vector<Kept> kept_;  // by document
  std::uint64_t number_ = 0;
  std::size_t next_ = 0;  // whose turn it is
  std::size_t room_;
  mutable bool crowded_ = false;
  std::string id_;  // scratch
  DocumentCounters counters_;
};

}  // namespace walrelay::sidecar
