#include "sidecar/catalogue.h"

#include <algorithm>

#include "replication/binary_text.h"
#include "sidecar/catalogue_sql.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

using replication::Lsn;
using replication::TableInfo;

Catalogue::Catalogue(event::Loop& loop, replication::Connection& connection, CatalogueOptions options,
                     Relations& relations, replication::TypeCatalog& types)
    : connection_(connection),
      options_(std::move(options)),
      relations_(relations),
      types_(types),
      work_(loop),
      timer_(loop, [this] {
        due_ = true;
        work_.set();
      }) {}

void Catalogue::ask(replication::Oid table, std::vector<replication::Oid> types) {
  question_.emplace(table, std::move(types));
  work_.set();
}

void Catalogue::when_settled(const TableInfo& info, bool made_anew) {
  unsettled_[info.oid] = {info, "", made_anew};
  if (on_unread) on_unread(info);
  due_ = true;
  work_.set();
}

event::Task<> Catalogue::prepare() {
  auto looking = look(true);
  co_await std::move(looking);
}

event::Task<> Catalogue::watch() {
  timer_.start(options_.interval, options_.interval);
  for (;;) {
    work_.reset();
    if (question_) {
      auto answering = answer();
      co_await std::move(answering);
    } else if (flush_due_) {
      auto flushing = flush();
      co_await std::move(flushing);
    } else if (ends_known_ < ends_asked_) {
      auto finding = find_end();
      co_await std::move(finding);
    } else if (due_) {
      due_ = false;
      auto polling = poll();
      co_await std::move(polling);
    } else {
      co_await work_;
    }
  }
}

event::Task<> Catalogue::answer() {
  const auto question = std::move(*question_);
  question_.reset();
  auto loading = replication::load_types(connection_, question.second, types_);
  co_await std::move(loading);
  auto looking = look(false);
  co_await std::move(looking);
  if (on_described) on_described();
}

event::Task<> Catalogue::poll() {
  auto slot_query = replication::find_slot(connection_, options_.slot);
  const auto slot = co_await std::move(slot_query);
  const std::string sql = fingerprint_sql(options_.publication);
  auto asking = connection_.query(sql, "watch the catalogue");
  const auto found = co_await std::move(asking);
  const auto end = replication::parse_lsn(found.text(0, 1));
  if (slot && on_slot) on_slot(*slot, end.value_or(Lsn::invalid));
  if (found.text(0, 0) != fingerprint_) {
    auto looking = look(false);
    co_await std::move(looking);
    fingerprint_ = found.text(0, 0);  // of before the look: a change during it shows the next time
  }
  if (!unsettled_.empty()) {
    auto settling = settle();
    co_await std::move(settling);
  }
  auto counting = count_connections();
  co_await std::move(counting);
}

// Reads every table and the publication, makes them agree, and reports what is new.
event::Task<> Catalogue::look(bool first) {
  std::function<bool(std::string_view, std::string_view)> every = [](std::string_view, std::string_view) {
    return true;
  };
  auto finding = replication::find_tables(connection_, options_.publication, std::move(every));
  auto all = co_await std::move(finding);
  found_ = std::move(all);
  std::vector<TableInfo> wanted;
  for (const auto& info : found_) {
    if (relations_.wants(info.schema, info.name)) wanted.push_back(info);
  }
  auto publishing = publish(std::move(wanted), first);
  co_await std::move(publishing);

  std::vector<replication::Oid> oids;
  std::vector<TableInfo> streamed;
  for (const auto& info : found_) {
    if (published_.count(info.qualified()) == 0) continue;
    for (const auto& column : streamed_columns(info)) oids.push_back(column.type_oid);
    streamed.push_back(info);
  }
  auto loading = replication::load_types(connection_, std::move(oids), types_);
  co_await std::move(loading);

  const bool was_exact = binary_is_exact_;
  binary_is_exact_ = true;
  std::vector<TableInfo> mapped;
  for (const auto& info : streamed) {
    for (const auto& column : streamed_columns(info)) {
      const auto* type = types_.find(column.type_oid);
      if (type == nullptr || !replication::binary_is_exact(*type)) binary_is_exact_ = false;
    }
    if (!relations_.wants(info.schema, info.name)) continue;
    if (info.usable_identity) {
      mapped.push_back(info);
    } else {
      leave_out(info, "");  // publish() has said why
    }
  }
  if (!first && was_exact && !binary_is_exact_ && on_binary_lost) on_binary_lost();
  compare(std::move(mapped), first);
  if (on_look) on_look();
}

event::Task<> Catalogue::publish(std::vector<TableInfo> wanted, bool first) {
  std::vector<TableInfo> usable;
  for (auto& info : wanted) {
    if (info.usable_identity) {
      usable.push_back(std::move(info));
      continue;
    }
    const std::string sentence = "table \"" + info.qualified() +
                                 "\" has no usable replica identity: give it a PRIMARY KEY, or run ALTER TABLE " +
                                 replication::quote_identifier(info.schema) + "." +
                                 replication::quote_identifier(info.name) + " REPLICA IDENTITY FULL";
    if (relations_.named(info) || tables_.count(info.oid) != 0) throw StopError(ExitCode::configuration, sentence);
    say_once(sentence + "; until then it is left out");
  }
  // Of two that start at once one finds, at the second look, what the other one has done.
  constexpr int kLooks = 5;
  std::optional<replication::PublicationState> publication;
  for (int look = 0; look < kLooks; ++look) {
    auto finding = replication::find_publication(connection_, options_.publication);
    auto found = co_await std::move(finding);
    publication = std::move(found);
    if (options_.default_mapping && publication) break;
    auto statements = replication::publication_sql(options_.publication, publication, usable);
    if (statements.empty()) break;
    const std::vector<std::string> carried = publication ? publication->tables : std::vector<std::string>();
    for (const auto& info : usable) {
      if (first && std::count(carried.begin(), carried.end(), info.qualified()) == 0)
        republished_.insert(info.qualified());
    }
    auto altering = alter_publication(std::move(statements), first);
    if (!co_await std::move(altering)) break;
  }
  published_.clear();
  if (publication) published_.insert(publication->tables.begin(), publication->tables.end());
}

// False: it stays as it is, and why has been said.
event::Task<bool> Catalogue::alter_publication(std::vector<std::string> statements, bool first) {
  std::string sql;
  for (const auto& statement : statements) sql += "\n  " + statement + ";";
  std::string sentence;
  if (!options_.manage_publication) {
    sentence = "publication \"" + options_.publication +
               "\" does not carry exactly the mapped tables, and source.manage_publication is off; run:" + sql;
  }
  try {
    for (const auto& statement : statements) {
      if (!sentence.empty()) break;
      auto altering = connection_.query(statement, "alter publication \"" + options_.publication + "\"");
      co_await std::move(altering);
    }
  } catch (const replication::PostgresError& error) {
    const std::string& state = error.sqlstate();
    if (error.lost()) throw;
    // A table was dropped or renamed since we looked.
    const bool changed = state == "42P01" || state == "3F000";
    if (changed && first) throw RestartNeeded(error.what());
    // Somebody else was at work at the same moment: duplicate_object, unique_violation, "tuple concurrently updated".
    const bool raced = state == "42710" || state == "23505" || state == "XX000";
    if (!changed && !raced) sentence = std::string(error.what()) + ". Have the owner of the tables run:" + sql;
  }
  if (sentence.empty()) co_return true;
  if (first) throw StopError(ExitCode::postgres, sentence);
  say_once(sentence);
  co_return false;
}

// A table that a pattern matches, created by whoever, may not end the work on all the others.
bool Catalogue::fits(const TableInfo& info, bool must) {
  if (!must && !info.may_select) {
    leave_out(info, "table \"" + info.qualified() + "\" may not be read by this role: run GRANT SELECT ON " +
                        replication::quote_identifier(info.schema) + "." + replication::quote_identifier(info.name) +
                        " TO the role");
    return false;
  }
  try {
    relations_.describe(info);
    if (!must) (void)relations_.bind(info);
    return true;
  } catch (const sinks::MappingError& error) {
    if (must) throw;
    leave_out(info, error.what());
    return false;
  }
}

void Catalogue::leave_out(const TableInfo& info, const std::string& why) {
  relations_.leave_out(info.oid);
  if (!why.empty()) say_once(why + "; until then the table is left out");
}

void Catalogue::compare(std::vector<TableInfo> wanted, bool first) {
  std::map<replication::Oid, TableInfo> before;
  before.swap(tables_);
  std::map<std::string, replication::Oid> names;
  std::set<std::string> present;
  for (const auto& [oid, info] : before) names[info.qualified()] = oid;
  for (auto& info : wanted) {
    if (!fits(info, first || before.count(info.oid) != 0)) continue;
    const auto known = before.find(info.oid);
    const bool made_anew = names.count(info.qualified()) != 0 && names[info.qualified()] != info.oid;
    const bool changed = known != before.end() && (known->second.qualified() != info.qualified() ||
                                                   signature(known->second) != signature(info) ||
                                                   is_rewritten(rewriting(known->second), rewriting(info)));
    if (!first && (known == before.end() || changed)) {
      unsettled_[info.oid] = {info, "", made_anew};
      if (on_unread) on_unread(info);
    }
    if (const auto waiting = unsettled_.find(info.oid); waiting != unsettled_.end()) waiting->second.info = info;
    present.insert(info.qualified());
    tables_[info.oid] = std::move(info);
  }
  for (const auto& [oid, info] : before) {
    if (tables_.count(oid) != 0) continue;
    unsettled_.erase(oid);
    relations_.undescribe(oid);
    if (on_table_gone) on_table_gone(info, present.count(info.qualified()) != 0);
  }
  relations_.rebind();
}

// A transaction that wrote to a table before it was published, and is still open, will not be streamed for those
// writes, and a chunk taken now does not see them: its end is awaited.
event::Task<> Catalogue::settle() {
  std::vector<replication::Oid> oids;
  for (const auto& [oid, table] : unsettled_) oids.push_back(oid);
  for (const replication::Oid oid : oids) {
    const auto found = unsettled_.find(oid);
    if (found == unsettled_.end()) continue;
    std::string sql = writers_sql(found->second.info);
    if (!found->second.writers.empty()) {
      sql += " AND l.virtualtransaction = ANY(" + replication::quote_literal(found->second.writers) +
             "::pg_catalog.text[])";
    }
    auto asking = connection_.query(sql, "look for writers of a new table");
    const auto writers = co_await std::move(asking);
    const auto still = unsettled_.find(oid);
    if (still == unsettled_.end()) continue;
    if (writers.at(0, 0)) {
      still->second.writers = *writers.at(0, 0);
      due_ = true;
      continue;
    }
    const Unsettled ready = still->second;
    unsettled_.erase(still);
    if (on_table) on_table(ready.info, ready.made_anew);
  }
}

void Catalogue::say_once(const std::string& sentence) {
  if (said_.insert(sentence).second && on_trouble) on_trouble(sentence);
}

}  // namespace walrelay::sidecar
