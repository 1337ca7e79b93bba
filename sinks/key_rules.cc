#include "sinks/key_rules.h"

#include <algorithm>
#include <stdexcept>

#include "sinks/digest.h"
#include "sinks/glob.h"

namespace walrelay::sinks {
namespace {

using replication::Relation;
using replication::ReplicaIdentity;

bool is_full(const Relation& relation) { return relation.identity == ReplicaIdentity::full; }

std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (const char byte : name) out.append(byte == '"' ? 2 : 1, byte);
  return out + "\"";
}

std::string listed(const Relation& relation, const std::vector<std::size_t>& columns, bool sql) {
  std::string out;
  for (const std::size_t column : columns) {
    const std::string& name = relation.columns[column].name;
    out += (out.empty() ? "" : ", ") + (sql ? quoted_name(name) : name);
  }
  return out;
}

std::string columns_word(std::size_t count) { return count == 1 ? "column " : "columns "; }

std::string alter(const Relation& relation, const std::string& what) {
  return "ALTER TABLE " + quoted(relation) + " " + what;
}

std::string make_full(const Relation& relation) { return alter(relation, "REPLICA IDENTITY FULL;"); }

void check_has_identity(const BindContext& context) {
  const Relation& relation = context.relation;
  const auto& columns = relation.columns;
  if (is_full(relation)) return;
  const bool nothing = relation.identity == ReplicaIdentity::nothing;
  if (!nothing && std::any_of(columns.begin(), columns.end(), [](const auto& c) { return c.identity; })) return;
  const bool primary = std::any_of(columns.begin(), columns.end(), [](const auto& c) { return c.primary; });
  context.fail(std::string("the table has ") + (nothing ? "REPLICA IDENTITY NOTHING" : "no primary key") +
               ", so that updates and deletes do not say which row they mean; mend it with " +
               (primary ? alter(relation, "REPLICA IDENTITY DEFAULT;")
                        : alter(relation, "ADD PRIMARY KEY (...); or ") + make_full(relation)));
}

bool contains(const std::vector<std::size_t>& columns, std::size_t column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

void check_identifies(const BindContext& context, const BoundTemplate& key, const std::vector<std::size_t>& reads) {
  const Relation& relation = context.relation;
  std::vector<std::size_t> missing;
  for (const std::size_t column : identity_columns(relation)) {
    if (!contains(reads, column)) missing.push_back(column);
  }
  if (!missing.empty()) {
    context.fail("the key lacks the " + columns_word(missing.size()) + listed(relation, missing, false) +
                 ", and rows would overwrite each other; add " + (missing.size() == 1 ? "it" : "them") +
                 " to the template, as in {" + relation.columns[missing.front()].name + "}");
  }
  if (key.parts().empty()) {
    context.fail("the key contains no column, and rows would overwrite each other; add those that identify a row");
  }
}

void check_delete_can_name(const BindContext& context, const std::string& what, const std::vector<std::size_t>& reads) {
  const Relation& relation = context.relation;
  if (is_full(relation)) return;
  std::vector<std::size_t> outside;
  for (const std::size_t column : reads) {
    if (!relation.columns[column].identity) outside.push_back(column);
  }
  if (outside.empty()) return;
  context.fail(what + " the " + columns_word(outside.size()) + listed(relation, outside, false) +
               " outside the table's replica identity, which a DELETE does not carry; mend it with " +
               make_full(relation) + " or with a unique index on (" + listed(relation, reads, true) + ") and " +
               alter(relation, "REPLICA IDENTITY USING INDEX ...;") + " or let walrelay keep it: track: redis");
}

// A dot in a name is encoded too: table b of schema a is not the table "a.b".
std::string default_name(const std::string& name) {
  std::string out;
  for (const char byte : name) {
    if (byte == '.') {
      out += "%2E";
    } else {
      append_encoded(out, std::string_view(&byte, 1));
    }
  }
  return out;
}

BoundTemplate default_key(const BindContext& context) {
  const Relation& relation = context.relation;
  const auto columns = identity_columns(relation);
  if (columns.empty()) {
    context.fail("the table has no primary key that could be its rows' key in Redis; mend it with " +
                 alter(relation, "ADD PRIMARY KEY (...);") + " or write a mapping with a key for it");
  }
  std::string literal = relation.schema == "public" ? "" : default_name(relation.schema) + ".";
  literal += default_name(relation.name) + ":";
  std::vector<BoundTemplate::Part> parts;
  for (const std::size_t column : columns) {
    parts.push_back({std::move(literal), column, true, relation.columns[column].type});
    literal = ":";
  }
  return {std::move(parts), ""};
}

}  // namespace

std::string quoted(const Relation& relation) { return quoted_name(relation.schema) + "." + quoted_name(relation.name); }

std::vector<std::size_t> identity_columns(const Relation& relation) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto& column = relation.columns[i];
    if (is_full(relation) ? column.primary : column.identity) found.push_back(i);
  }
  return found;
}

namespace {

// The statements that make `columns` (sorted; `names`: as the user wrote them, quoted) the replica identity.
std::string use_index(const Relation& relation, const std::vector<std::string>& columns, const std::string& names) {
  const auto& candidates = relation.candidates;
  const auto found = std::find_if(candidates.begin(), candidates.end(),
                                  [&columns](const auto& index) { return index.columns == columns; });
  const std::string name = found == candidates.end() ? relation.name + "_identity" : found->name;
  const std::string mend = alter(relation, "REPLICA IDENTITY USING INDEX ") + quoted_name(name) + ";";
  if (found != candidates.end()) return mend;
  return "CREATE UNIQUE INDEX " + quoted_name(name) + " ON " + quoted(relation) + " (" + names + "); " + mend +
         " (the columns must be NOT NULL)";
}

}  // namespace

void check_identity(const MappingSpec& mapping, const Relation& relation) {
  using Form = IdentitySpec::Form;
  const IdentitySpec& wanted = mapping.identity;
  if (wanted.form == Form::any || is_full(relation)) return;  // FULL says all that the others say
  std::vector<std::string> has, wants = wanted.columns;
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto& column = relation.columns[i];
    if (column.identity) columns.push_back(i);
    if (column.identity) has.push_back(column.name);
    if (wanted.form == Form::primary_key && column.primary) wants.push_back(column.name);
  }
  std::sort(has.begin(), has.end());
  std::sort(wants.begin(), wants.end());
  if (wanted.form != Form::full && has == wants && !has.empty()) return;
  std::string names, mend = make_full(relation);
  for (const std::string& name : wanted.columns) names += (names.empty() ? "" : ", ") + quoted_name(name);
  if (wanted.form == Form::primary_key) mend = alter(relation, "REPLICA IDENTITY DEFAULT;");
  if (wanted.form == Form::columns) mend = use_index(relation, wants, names);
  throw MappingError("mapping " + mapping.name + (mapping.where.empty() ? "" : " at " + mapping.where) + ", table " +
                     relation.qualified() + ": the mapping's identity is " +
                     (wanted.form == Form::full          ? "full"
                      : wanted.form == Form::primary_key ? "the primary key"
                                                         : "(" + names + ")") +
                     ", but a DELETE of this table carries " +
                     (has.empty() ? "nothing" : "(" + listed(relation, columns, false) + ")") + "; mend it with " +
                     mend);
}

BoundTemplate bind_key(const BindContext& context) {
  check_has_identity(context);
  if (context.find("key") == nullptr) return default_key(context);
  BoundTemplate key = context.bind("key");
  const auto reads = context.reads(key);
  check_identifies(context, key, reads);
  if (context.find("track") == nullptr) check_delete_can_name(context, "the key uses", reads);
  return key;
}

void check_member_rules(const BindContext& context, const std::vector<std::size_t>& reads, bool tracked) {
  check_has_identity(context);
  if (!tracked) return check_delete_can_name(context, "the key or the member uses", reads);
  if (identity_columns(context.relation).empty()) {
    context.fail("rows of a table without a primary key cannot be tracked; mend it with " +
                 alter(context.relation, "ADD PRIMARY KEY (...);"));
  }
}

bool are_shared(const BindContext& context, const std::vector<std::size_t>& reads) {
  const auto identity = identity_columns(context.relation);
  const bool all_read =
      std::all_of(identity.begin(), identity.end(), [&reads](std::size_t column) { return contains(reads, column); });
  const Parameter* given = context.find("shared");
  const bool shared = given == nullptr ? !all_read || identity.empty() : given->flag;
  if (shared && identity.empty()) {
    context.fail(
        "several rows may support one member, and the table has no primary key to tell them apart; mend it with " +
        alter(context.relation, "ADD PRIMARY KEY (...);"));
  }
  return shared;
}

namespace {

std::string text_of(const BindContext& context, const char* parameter) {
  const Parameter* given = context.find(parameter);
  return given == nullptr ? "" : given->text;
}

// Of what says where a row stands; the order of a mapping's writes does not matter.
std::string name_of_write(const BindContext& context) {
  std::string text = context.mapping.name;
  for (const std::string& part : {context.write.kind, text_of(context, "key"), text_of(context, "member"),
                                  text_of(context, "field"), text_of(context, "bit"), text_of(context, "value")}) {
    text += '\0' + part;
  }
  return sha1(text).substr(0, 16);
}

}  // namespace

std::string track_key(const BindContext& context) {
  return context.state + "track:" + name_of_write(context) + ":" + context.relation.qualified();
}

std::string support_prefix(const BindContext& context) {
  return context.state + "support:" + name_of_write(context) + ":";
}

OwnedKeys exactly(const std::string& state_key) {
  OwnedKeys owned;
  owned.glob = glob_of(state_key);
  owned.owns = [state_key](std::string_view key) { return key == state_key; };
  owned.state = true;
  return owned;
}

}  // namespace walrelay::sinks
