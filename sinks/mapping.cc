#include "sinks/mapping.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "sinks/document.h"
#include "sinks/key_rules.h"
#include "sinks/nearest_name.h"
#include "sinks/relation_writer.h"
#include "sinks/shown_columns.h"
#include "sinks/table_pattern.h"
#include "sinks/template.h"
#include "sinks/write.h"

namespace walrelay::sinks {

using replication::Relation;

struct MappingSet::Compiled {
  const MappingSpec* spec = nullptr;
  std::optional<TablePattern> pattern;

  // The captures when the mapping is for the table.
  [[nodiscard]] std::optional<Captures> match(std::string_view schema, std::string_view table) const {
    if (pattern) return pattern->match(schema, table);
    const std::string& wanted = spec->table;
    const bool bare = schema == "public" && wanted == table;
    const bool qualified = wanted.size() == schema.size() + 1 + table.size() && wanted.starts_with(schema) &&
                           wanted[schema.size()] == '.' && wanted.ends_with(table);
    return bare || qualified ? std::optional(Captures{}) : std::nullopt;
  }
};

namespace {

constexpr const char* kDocument = "document";

// Collects what is wrong, one line each.
class Mistakes {
 public:
  void add(const std::string& where, const std::string& what) {
    text_ += (text_.empty() ? "" : "\n") + where + ": " + what;
  }
  void throw_any() const {
    if (!text_.empty()) throw MappingError(text_);
  }

 private:
  std::string text_;
};

std::string site_of(const MappingSpec& spec) {
  return "mapping " + spec.name + (spec.where.empty() ? "" : " at " + spec.where);
}

std::string site_of(const MappingSpec& spec, const WriteSpec& write) {
  return "mapping " + spec.name + ", " + write.kind + (write.where.empty() ? "" : " at " + write.where);
}

void check_template(const std::string& site, const std::string& parameter, const std::string& text,
                    Mistakes& mistakes) {
  try {
    parse_template(text);
  } catch (const std::invalid_argument& error) {
    mistakes.add(site, parameter + ": " + error.what());
  }
}

void check_write(const MappingSpec& spec, const WriteSpec& write, Mistakes& mistakes) {
  const std::string site = site_of(spec, write);
  const Kind* kind = find_kind(write.kind);
  if (kind == nullptr) {
    std::vector<std::string> known;
    for (const KindDescription& description : kinds()) known.push_back(description.name);
    return mistakes.add(site, "there is no such kind of write" + did_you_mean(write.kind, known));
  }
  for (const ParameterDescription& parameter : kind->description.parameters) {
    const auto given = write.parameters.find(parameter.name);
    if (given == write.parameters.end()) {
      if (parameter.required) mistakes.add(site, "the parameter \"" + parameter.name + "\" is missing");
    } else if (parameter.shape == ParameterShape::template_) {
      check_template(site, parameter.name, given->second.text, mistakes);
    }
  }
  const std::string mistake = kind->mistake == nullptr ? "" : kind->mistake(write);
  if (!mistake.empty()) mistakes.add(site, mistake);
}

std::optional<TablePattern> compile_pattern(const MappingSpec& spec, Mistakes& mistakes) {
  if (spec.table.empty() == spec.tables.empty()) {
    mistakes.add(site_of(spec), "a mapping is for a table or for tables; give exactly one of the two");
    return std::nullopt;
  }
  if (spec.tables.empty()) return std::nullopt;
  try {
    return TablePattern(spec.tables);
  } catch (const std::invalid_argument& error) {
    mistakes.add(site_of(spec), "tables: \"" + spec.tables + "\" is not a regular expression: " + error.what());
    return std::nullopt;
  }
}

MappingSpec default_spec(const Relation& relation, OnPoison on_poison) {
  MappingSpec spec;
  spec.on_poison = on_poison;
  spec.name = relation.qualified();
  spec.table = spec.name;
  spec.writes.push_back({"hash", {}, ""});
  return spec;
}

std::unique_ptr<Expressions> bind_let(const MappingSpec& spec, const Relation& relation, const Captures& captures) {
  try {
    return std::make_unique<Expressions>(relation, captures, spec.let);
  } catch (const std::invalid_argument& error) {
    throw MappingError(site_of(spec) + ", table " + relation.qualified() + ": let: " + error.what());
  }
}

// A row's writes would wipe each other out.
void check_key_is_free(const BindContext& context, std::set<std::string>& keys) {
  const Parameter* key = context.find("key");
  if (key == nullptr || !find_kind(context.write.kind)->owns_key) return;
  if (!keys.insert(key->text).second) {
    context.fail("another write of this table has the same key \"" + key->text + "\"; give one of them another");
  }
}

bool is_source(const std::vector<DocumentSpec>& documents, std::string_view schema, std::string_view table) {
  const auto is_it = [&](const DocumentSource& source) { return source.schema == schema && source.table == table; };
  return std::any_of(documents.begin(), documents.end(), [&](const DocumentSpec& document) {
    return std::any_of(document.sources.begin(), document.sources.end(), is_it);
  });
}

DocumentSpec read_document(const MappingSpec& spec, std::size_t write, Mistakes& mistakes) {
  std::vector<std::string> clauses;
  DocumentSpec document = document_spec(spec, write, clauses);
  for (const std::string& clause : clauses) mistakes.add(document.site, clause);
  return document;
}

}  // namespace

MappingSet::MappingSet(std::vector<MappingSpec> specs, std::string state, OnPoison fallback)
    : specs_(std::move(specs)), state_(std::move(state)), fallback_(fallback) {
  Mistakes mistakes;
  std::set<std::string> names;
  for (const MappingSpec& spec : specs_) {
    if (!names.insert(spec.name).second) mistakes.add(site_of(spec), "two mappings have this name; rename one");
    if (spec.writes.empty()) mistakes.add(site_of(spec), "it writes nothing; give it a write");
    auto compiled = std::make_unique<Compiled>();
    compiled->spec = &spec;
    compiled->pattern = compile_pattern(spec, mistakes);
    for (std::size_t i = 0; i < spec.writes.size(); ++i) {
      check_write(spec, spec.writes[i], mistakes);
      if (spec.writes[i].kind == kDocument) documents_.push_back(read_document(spec, i, mistakes));
    }
    compiled_.push_back(std::move(compiled));
  }
  mistakes.throw_any();
}

MappingSet::~MappingSet() = default;

bool MappingSet::wants(std::string_view schema, std::string_view table) const {
  if (default_mapping()) return true;
  for (const auto& compiled : compiled_) {
    if (compiled->match(schema, table)) return true;
  }
  return is_source(documents_, schema, table);
}

bool MappingSet::names(std::string_view schema, std::string_view table) const {
  const auto is_it = [&](const auto& compiled) { return !compiled->pattern && compiled->match(schema, table); };
  return std::any_of(compiled_.begin(), compiled_.end(), is_it) || is_source(documents_, schema, table);
}

bool MappingSet::purges(std::string_view schema, std::string_view table) const {
  return std::any_of(compiled_.begin(), compiled_.end(), [&](const auto& compiled) {
    return compiled->spec->purge_gone && compiled->match(schema, table);
  });
}

std::size_t MappingSet::document_of(const MappingSpec& spec, std::size_t write) const {
  const auto is_it = [&](const DocumentSpec& document) {
    return document.mapping == spec.name && document.write == write;
  };
  return static_cast<std::size_t>(std::find_if(documents_.begin(), documents_.end(), is_it) - documents_.begin());
}

bool MappingSet::has_kind(std::string_view kind) const {
  const auto is_it = [kind](const WriteSpec& write) { return write.kind == kind; };
  return std::any_of(specs_.begin(), specs_.end(), [&is_it](const MappingSpec& spec) {
    return std::any_of(spec.writes.begin(), spec.writes.end(), is_it);
  });
}

// Mappings by pattern may all have the table that most mappings by name have.
std::uint32_t MappingSet::most_of_a_table(const std::string& kind) const {
  std::map<std::string_view, std::uint32_t> named;
  std::uint32_t by_pattern = 0, most = 0;
  for (const MappingSpec& spec : specs_) {
    const auto count = static_cast<std::uint32_t>(std::count_if(
        spec.writes.begin(), spec.writes.end(), [&kind](const auto& write) { return write.kind == kind; }));
    std::string_view table = spec.table;
    if (table.starts_with("public.")) table.remove_prefix(std::string_view("public.").size());
    std::uint32_t& sum = spec.tables.empty() ? named[table] : by_pattern;
    sum += count;
    if (spec.tables.empty()) most = std::max(most, sum);
  }
  return std::max(1U, most + by_pattern);
}

std::uint32_t MappingSet::number(const std::string& site, std::size_t write, OnPoison policy) {
  const auto [found, added] = numbers_.try_emplace({site, write}, static_cast<std::uint32_t>(sites_.size()));
  if (added) {
    sites_.push_back(site);
    policies_.push_back(policy);
  }
  return found->second;
}

std::string MappingSet::describe(std::uint32_t write) const {
  return write < sites_.size() ? sites_[write] : "an unknown write";
}

OnPoison MappingSet::policy(std::uint32_t write) const {
  return write < policies_.size() ? policies_[write] : OnPoison::stop;
}

std::vector<std::uint32_t> writes_of(const std::vector<OwnedKeys>& owned) {
  std::vector<std::uint32_t> writes;
  for (const OwnedKeys& keys : owned) {
    if (!keys.none_at_all() && std::find(writes.begin(), writes.end(), keys.write) == writes.end()) {
      writes.push_back(keys.write);
    }
  }
  return writes;
}

std::unique_ptr<RelationWriter> MappingSet::bind(const Relation& relation) {
  std::vector<BoundWriter::Group> groups;
  std::set<std::string> keys;
  std::map<std::string, std::uint32_t> of_kind;
  std::string names;
  ShownColumns shown(relation);
  const auto bind_spec = [&](const MappingSpec& spec, const Captures& captures) {
    BoundWriter::Group& group = groups.emplace_back();
    group.mapping = spec.name;
    group.on_poison = spec.on_poison;
    group.purge_gone = spec.purge_gone;
    check_identity(spec, relation);
    group.expressions = bind_let(spec, relation, captures);
    for (std::size_t i = 0; i < spec.writes.size(); ++i) {
      BindContext context{spec, spec.writes[i], relation, captures, *group.expressions, state_, 0, json_documents_};
      check_key_is_free(context, keys);
      context.number = number(context.site(), i, spec.on_poison);
      context.ordinal = of_kind[spec.writes[i].kind]++;
      context.ordinals = most_of_a_table(spec.writes[i].kind);
      group.writes.push_back({find_kind(spec.writes[i].kind)->bind(context), context.number, document_of(spec, i)});
      if (spec.writes[i].kind != kDocument) shown.add(context);  // its key identifies a row, its query is PostgreSQL's
    }
    names += (names.empty() ? "" : ",") + spec.name;
  };
  if (default_mapping()) {
    bind_spec(default_spec(relation, fallback_), {});
  }
  for (const auto& compiled : compiled_) {
    if (const auto captures = compiled->match(relation.schema, relation.name)) bind_spec(*compiled->spec, *captures);
  }
  std::vector<DocumentPath> paths;
  for (std::size_t i = 0; i < documents_.size(); ++i) {
    for (DocumentPath& path : document_paths(documents_[i], i, relation)) paths.push_back(std::move(path));
  }
  if (groups.empty() && paths.empty()) return nullptr;
  return std::make_unique<BoundWriter>(relation, names, std::move(groups), std::move(paths), shown.columns(),
                                       longest_argument_);
}

}  // namespace walrelay::sinks
