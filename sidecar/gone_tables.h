// Tables that are no more, and whose mapping says `on_table_gone: purge`. PostgreSQL's log does not tell of a DROP
// TABLE: the catalogue does, and it may have happened while nobody looked. So Redis keeps what the keys of each such
// table are made of:
//
//   walrelay:{slot}:tables   "public.items_7" -> its columns        noted before any row of it is written
//
//   look: a noted table is not among those of the database ─> where does the log end now?
//   purge: the stream has come so far: nothing more of it follows ─> its keys go as by a TRUNCATE, then its note
//
// A table is known by its name: one that was renamed is gone under the old one, one that was made anew is not.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "replication/publication.h"
#include "sidecar/relations.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

// What of a table the names of its keys depend on, as one line of text, and back; nothing for what is no such text.
std::string table_note(const replication::TableInfo& info);
std::optional<replication::TableInfo> parse_table_note(const std::string& text);

class GoneTables {
 public:
  // `slot` names the keys in Redis. What is referred to outlives this, and must be ready to take commands.
  GoneTables(const std::string& slot, Relations& relations, sinks::Sink& sink);

  void restore(const std::map<std::string, std::string>& notes);  // as Redis has them
  // Before any of the table's rows is written. Nothing, where no mapping of it asks for a purge.
  void note(const replication::TableInfo& info);
  [[nodiscard]] bool knows(const replication::TableInfo& info) const { return notes_.count(info.qualified()) != 0; }

  // After each look at the catalogue: every table of the database. `ask_end` asks where the log ends (Catalogue).
  void look(const std::vector<replication::TableInfo>& found, const std::function<std::uint64_t()>& ask_end);
  // Now and then. `passed`: whether the stream has come to the end of the log as it was when that was asked.
  void purge(const std::function<bool(std::uint64_t question)>& passed);

 private:
  void remove(const std::string& name);
  void forget(const std::string& name);
  void write(const std::vector<std::string_view>& command);

  const std::string tables_key_, load_key_;
  Relations& relations_;
  sinks::Sink& sink_;
  std::map<std::string, std::string> notes_;
  std::map<std::string, std::uint64_t> gone_;  // name -> what was asked then
  std::optional<Relations::Bound> removing_;   // its keys are being removed
};

}  // namespace walrelay::sidecar
