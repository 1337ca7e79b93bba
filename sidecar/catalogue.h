// What only the catalogue can tell, on a connection of its own.
//
//   every second:   slot state, end of WAL, a fingerprint of tables, columns and the publication
//                   fingerprint changed ─> read the tables again ─> publication ─> on_tables
//   when asked:     the pipeline met a relation whose types or keys it does not know ─> on_described
//
// The stream never says that a table was created, dropped, rewritten, or given a column with a default: the watch does.
// The connection also hears the server's farewell (57P01), which ends the session before a fast shutdown has to wait.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "replication/connection.h"
#include "replication/publication.h"
#include "replication/slot.h"
#include "sidecar/relations.h"

namespace walrelay::sidecar {

struct CatalogueOptions {
  std::string publication, slot;
  bool manage_publication = true;
  bool default_mapping = false;  // every published table is wanted; an existing publication is left as it is
  event::milliseconds interval{1000};
};

class Catalogue {
 public:
  Catalogue(event::Loop& loop, replication::Connection& connection, CatalogueOptions options, Relations& relations,
            replication::TypeCatalog& types);

  // The first look: tables, publication (created or altered where allowed), types. Throws StopError with the SQL that
  // is missing where the role may not.
  event::Task<> prepare();
  // The watch; returns never, throws when the connection is lost.
  event::Task<> watch();

  void ask(replication::Oid table, std::vector<replication::Oid> types);  // answered by on_described

  // on_table(info) as soon as no transaction is left that wrote to the table before now.
  void when_settled(const replication::TableInfo& info, bool made_anew);
  [[nodiscard]] bool settling() const { return !unsettled_.empty(); }  // an on_table is still to come
  [[nodiscard]] bool settles(replication::Oid table) const { return unsettled_.count(table) != 0; }

  // Makes the server flush the WAL that it has written, so that the stream can reach its end. Nothing on a stand-by.
  void flush_wal();
  // Where the log ends: the server is asked after ask_end(), and has answered as soon as end_since() knows it.
  std::uint64_t ask_end();
  [[nodiscard]] std::optional<replication::Lsn> end_since(std::uint64_t question) const;

  // The tables that the mappings want and the publication carries.
  [[nodiscard]] const std::map<replication::Oid, replication::TableInfo>& tables() const { return tables_; }
  // Every table of the database, as the last look found it.
  [[nodiscard]] const std::vector<replication::TableInfo>& found() const { return found_; }
  // Tables that the publication did not carry before prepare(): what was written to them until then is not streamed.
  [[nodiscard]] const std::set<std::string>& republished() const { return republished_; }
  // Every column that the publication sends can be decoded from its binary form.
  [[nodiscard]] bool binary_is_exact() const { return binary_is_exact_; }

  std::function<void()> on_described;
  std::function<void(const replication::TableInfo&, bool made_anew)> on_table;  // new, or its columns changed: load it
  std::function<void(const replication::TableInfo&)>
      on_unread;  // on_table will follow: until then its rows are suspect
  std::function<void(const replication::TableInfo&, bool made_anew)> on_table_gone;
  std::function<void()> on_look;                       // found() is new; after all that it says of single tables
  std::function<void(const std::string&)> on_trouble;  // one sentence, said once
  std::function<void(const replication::SlotState&, replication::Lsn end_of_wal)> on_slot;
  std::function<void(std::uint64_t connections, std::uint64_t most)> on_connections;  // of the server; now and then
  std::function<void()> on_binary_lost;  // a table appeared that the binary stream cannot carry

 private:
  event::Task<> answer();
  event::Task<> flush();
  event::Task<> find_end();
  event::Task<> poll();
  event::Task<> count_connections();
  event::Task<> look(bool first);
  event::Task<> publish(std::vector<replication::TableInfo> wanted, bool first);
  event::Task<bool> alter_publication(std::vector<std::string> statements, bool first);
  event::Task<> settle();
  bool fits(const replication::TableInfo& info, bool must);
  void leave_out(const replication::TableInfo& info, const std::string& why);
  void compare(std::vector<replication::TableInfo> wanted, bool first);
  void say_once(const std::string& sentence);

  replication::Connection& connection_;
  CatalogueOptions options_;
  Relations& relations_;
  replication::TypeCatalog& types_;
  event::Event work_;
  event::Timer timer_;
  bool due_ = false, flush_due_ = false;
  std::uint64_t ends_asked_ = 0, ends_known_ = 0;
  replication::Lsn end_ = replication::Lsn::invalid;
  std::uint64_t polls_ = 0;
  std::optional<std::pair<replication::Oid, std::vector<replication::Oid>>> question_;
  std::string fingerprint_;
  std::map<replication::Oid, replication::TableInfo> tables_;
  std::vector<replication::TableInfo> found_;  // the last look: every table, wanted or not
  std::set<std::string> published_, republished_;
  struct Unsettled {
    replication::TableInfo info;
    std::string writers;  // virtual transactions, as an SQL array literal
    bool made_anew;
  };
  std::map<replication::Oid, Unsettled> unsettled_;
  std::set<std::string> said_;
  bool binary_is_exact_ = false;
};

}  // namespace walrelay::sidecar
