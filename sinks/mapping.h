// From rows to Redis commands: what the user wrote (MappingSpec), bound to a version of a relation (RelationWriter).
//
//   MappingSpec ──compile()──> Mapping ──bind(Relation)──> RelationWriter ──upsert/remove──> Batch
//   (plain strings)            (parsed)                    (column numbers)
//
// A kind of write (hash, string, ...) is one file that implements Write and one line in kinds.cc. Pure: no I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/change.h"
#include "replication/relation.h"
#include "sinks/batch.h"
#include "sinks/expectation.h"
#include "sinks/key_reading.h"
#include "sinks/row_error.h"

namespace walrelay::sinks {

// A mistake in a mapping that only shows against the database (a column that does not exist, a key without the
// identity's columns). The message names mapping, table and write, and says what to do.
class MappingError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// How long a key lives.
struct Lifetime {
  std::chrono::milliseconds constant{0};  // after its last write; 0: for ever
  std::string at;                         // or until then: an expression; empty: none
  std::string unit;                  // of `at` where it gives numbers since the epoch: s, ms, us; empty: a timestamp
  std::chrono::milliseconds add{0};  // later than `at`
  unsigned jitter = 0;               // the constant is shortened by up to so many of a hundred, by the key
  bool on_change = false;            // a write that changes nothing leaves the life as it is
};

// The elements of a JSON object or array, each an entry of its own. Expressions over json_each's columns and the row's.
struct Explode {
  std::string column, field, value, where;  // where: only elements for which it is true; empty: all
};

// A write's parameter, already checked for its shape by the configuration against kinds().
struct Parameter {
  std::string text;                           // template, column, choice, expression
  std::chrono::milliseconds duration{0};      // duration
  std::uint64_t number = 0;                   // number
  bool flag = false;                          // flag
  std::vector<std::string> include, exclude;  // columns; choices: include
  std::map<std::string, std::string> rename;  // columns: column -> field; tables: table -> column or query
  Lifetime lifetime;                          // lifetime
  Explode explode;                            // explode
};

// Which commands of RedisJSON a server has: JSON.SET, and of later ones JSON.MERGE as well.
enum class JsonDocuments : std::uint8_t { none, set, set_and_merge };

enum class ParameterShape : std::uint8_t {
  template_,
  column,
  choice,
  choices,  // one of them or a list
  duration,
  number,
  flag,
  columns,
  expression,
  lifetime,
  explode,
  tables,
};

struct ParameterDescription {
  std::string name;
  ParameterShape shape;
  bool required = false;
  std::vector<std::string> choices;  // choice, choices
  std::string help;                  // one sentence, also in the JSON Schema
};
struct KindDescription {
  std::string name;
  std::string help;
  std::vector<ParameterDescription> parameters;
};
// Every kind of write that is registered, for the configuration's validation and schema.
const std::vector<KindDescription>& kinds();
// Whether rows share keys under this kind: one that was evicted and begun again would hold only a part.
bool shares_keys(const std::string& kind);

struct WriteSpec {
  std::string kind;
  std::map<std::string, Parameter> parameters;
  std::string where;  // "walrelay.yaml:12:9", for error messages
};

// What the table's replica identity is said to be.
struct IdentitySpec {
  enum class Form : std::uint8_t { any, primary_key, full, columns };
  Form form = Form::any;
  std::vector<std::string> columns;
};

struct MappingSpec {
  std::string name;   // unique; labels metrics
  std::string table;  // "schema.table" or "table" (schema public); or
  // A regular expression (ECMAScript) on schema.table, anchored by its author, with (?<name>...) captures.
  std::string tables;
  std::vector<std::pair<std::string, std::string>> let;  // name, expression; later ones may use earlier ones
  IdentitySpec identity;
  OnPoison on_poison = OnPoison::stop;
  bool allow_eviction = false;  // Redis may forget keys that rows share
  bool purge_gone = false;      // when a table is gone its keys go
  std::vector<WriteSpec> writes;
  std::string where;
};

// How the members are removed that a write owns in keys which others use too. `home` is where it keeps them: the key
// itself, or one of walrelay's own that names them.
struct MemberRemoval {
  const char* scan = "";  // HSCAN, SSCAN or ZSCAN: lists the members of a home
  std::function<bool(std::string_view home, std::string_view member)> owns;
  std::function<void(Batch& batch, std::string_view home, std::string_view member)> append;  // the commands
};

// Which keys of Redis a bound write owns: for TRUNCATE and for sweeps.
struct OwnedKeys {
  std::string glob;                                // for SCAN MATCH; user data in it is escaped
  std::function<bool(std::string_view key)> owns;  // exact: could this write have made this key?
  // For a sweep, which looks at the keys that readers read. Null: each key is one row's. Otherwise how the members of
  // such a key are listed.
  enum class Members : std::uint8_t { none, fields, set, zset, bits, roaring } members = Members::none;
  // Of members that several rows may support, only those are the write's that one of walrelay's own keys names: gives
  // the place that such a key speaks of. Null: every member of the right form is the write's.
  std::function<std::optional<std::string>(std::string_view state_key)> supported = nullptr;
  // For a TRUNCATE. Nothing: the key goes as a whole.
  std::optional<MemberRemoval> removal = std::nullopt;
  std::uint32_t write = 0;  // its number in Batch entries
  bool state = false;       // keys of walrelay's own, that no template makes

  [[nodiscard]] bool none_at_all() const { return glob.empty(); }  // an event's
};
// The numbers of writes that own anything, each once.
std::vector<std::uint32_t> writes_of(const std::vector<OwnedKeys>& owned);

// What Redis takes by default (proto-max-bulk-len).
constexpr std::size_t kLongestArgument = 512U * 1024 * 1024;

struct DocumentPath;  // document.h
struct DocumentSpec;
class DocumentValue;

class RelationWriter {
 public:
  virtual ~RelationWriter() = default;

  // How one row's change is carried out.
  //   done    commands were appended, if the change asks for any
  //   reread  nothing (or only a removal, and events) was appended: an unchanged TOASTed column is needed; the row
  //           must be read again by its key and given to replace()
  enum class Outcome : std::uint8_t { done, reread };

  // Appends the commands of an insert, update or delete, a key change included. Where a mapping cannot write the row:
  // refusals() has it, or, if that mapping is to stop, throws RowError before it has appended anything; as all that
  // take a row do. With `keep_unchanged` false (the table is still being loaded, so anything or nothing may stand
  // in Redis yet) a row with an unchanged column that a write needs is reread; others are written as by replace().
  virtual Outcome apply(const replication::Change& change, bool keep_unchanged, Batch& batch) = 0;

  // Says the events of a change whose entries are dealt with otherwise: apply() says them itself.
  virtual void tell(const replication::Change& change, Batch& batch) = 0;
  // Says that the table was truncated: only what is an event; truncated() has the rest.
  virtual void tell_truncate(const replication::Change& change, Batch& batch) = 0;
  // Removes what an old row supported, and says no event.
  virtual void remove(replication::Row old_row, Batch& batch) = 0;
  // False: every write is an event, and reading the table would write nothing.
  [[nodiscard]] virtual bool keeps_rows() const = 0;

  // Writes a complete row read from the table, whatever stood there before. With `fresh` nothing can stand there
  // (an initial load into an empty database), which saves a command.
  virtual void replace(replication::Row row, bool fresh, Batch& batch) = 0;

  // What replace() would leave in Redis for a complete row: appends one for each write that can be made.
  virtual void expect(replication::Row row, std::vector<Expectation>& out) = 0;
  // Where all of that stands in Redis replace() changes nothing: no lifetime begins anew, nothing is kept elsewhere.
  [[nodiscard]] virtual bool comparable() const = 0;

  // Of the last call of apply(), tell(), remove(), replace() or expect().
  [[nodiscard]] virtual const std::vector<Refusal>& refusals() const = 0;
  // The columns that a note of a row may show, ascending: those that the writes read, and those that identify it; never
  // one that a write excludes.
  [[nodiscard]] virtual const std::vector<std::size_t>& shown_columns() const = 0;

  // The row's identity as bytes, injective, equal for old and new rows that are the same row: what the visibility
  // rule compares. Values of identity columns (primary key columns under FULL, all columns without one).
  virtual void append_identity(replication::Row row, std::string& out) const = 0;
  [[nodiscard]] virtual const std::vector<std::size_t>& identity_columns() const = 0;

  // One per write: the keys that readers see.
  [[nodiscard]] virtual const std::vector<OwnedKeys>& owned() const = 0;
  // What a TRUNCATE of the table has to go through, of all writes.
  [[nodiscard]] virtual const std::vector<OwnedKeys>& truncated() const = 0;
  // Of that, what is to go when there is no such table any more.
  [[nodiscard]] virtual const std::vector<OwnedKeys>& purged() const = 0;
  [[nodiscard]] virtual const std::vector<std::uint32_t>& writes() const = 0;  // their numbers in Batch entries
  [[nodiscard]] virtual const std::vector<std::string>& mappings() const = 0;  // the name of each one's mapping
  [[nodiscard]] virtual const std::string& mapping() const = 0;                // the names of all, for messages

  // A place is where a row's entry stands: a key, or a key and a member with a NUL byte between them.
  //
  // The inverse of places, to find the rows that support one. `write` is an index into writes() and owned().
  //
  // Gives every way in which the write could have made the place: one that it does not own has none. Only columns that
  // stand in the templates themselves have a text, not those that expressions read: a reading may leave columns open.
  // What `out` held goes. False, with nothing in `out`: there are more than `most` ways, and nothing may be concluded.
  // A reading need not be a value of the columns' types (month 13, no UTF-8), and a row that is found by one, through
  // an equality coarser than that of texts (1.0 = 1.00), supports the place only if append_place() gives the same one.
  [[nodiscard]] virtual bool readings(std::size_t write, std::string_view place, std::size_t most,
                                      std::vector<KeyReading>& out) const = 0;
  // Appends the place that the write makes of the row, in which only place_columns() need be present. False, with
  // nothing appended: it makes none (a NULL in it, `when` is false, an expression fails).
  [[nodiscard]] virtual bool append_place(std::size_t write, replication::Row row, std::string& out) = 0;
  // The same of a row of which only reading_columns() are known, whatever `when` says. False: it cannot be told.
  [[nodiscard]] virtual bool append_read_place(std::size_t write, replication::Row row, std::string& out) = 0;
  [[nodiscard]] virtual const std::vector<std::size_t>& place_columns(std::size_t write) const = 0;  // ascending
  // Those that readings speak of, which stand in the templates themselves.
  [[nodiscard]] virtual const std::vector<std::size_t>& reading_columns(std::size_t write) const = 0;
  // Appends the commands that remove what stands at a place which no row supports.
  virtual void remove_ghost(std::size_t write, std::string_view place, Batch& batch) const = 0;

  // How changes of a row name documents, of this table and of others. A table that is only named by documents of others
  // has a writer without a write.
  [[nodiscard]] virtual const std::vector<DocumentPath>& paths() const = 0;
  // The write that is a document (its number in MappingSet::documents()) of this table; null: it has none of that.
  [[nodiscard]] virtual DocumentValue* document(std::size_t number) = 0;
};

class MappingSet {
 public:
  // Throws MappingError listing every mistake that shows without the database (template syntax, regular expression).
  // An empty list means the no-mappings default: every table becomes a hash at "{table}:{key}".
  // `state` begins the names of the keys in which writes keep what they need to know of rows (track, shared members):
  // "walrelay:{slot}:". `fallback` is what the default's tables do with a row that cannot be written.
  explicit MappingSet(std::vector<MappingSpec> specs,
                      std::string state = "walrelay:{walrelay}:", OnPoison fallback = OnPoison::stop);
  ~MappingSet();

  [[nodiscard]] bool wants(std::string_view schema, std::string_view table) const;
  // A mapping names the table itself, and not by a pattern; or a document of another table does.
  [[nodiscard]] bool names(std::string_view schema, std::string_view table) const;
  // A mapping of the table asks for its keys to go when it is gone.
  [[nodiscard]] bool purges(std::string_view schema, std::string_view table) const;
  [[nodiscard]] bool default_mapping() const { return specs_.empty(); }

  // Whether a write of this kind is among them.
  [[nodiscard]] bool has_kind(std::string_view kind) const;
  // Where it has them, the kind `json` makes documents and not strings. Before what is bound for the server.
  void set_json_documents(JsonDocuments of_server) { json_documents_ = of_server; }

  // The longest argument that the server takes, in bytes: a row that needs a longer one cannot be written. Likewise.
  void set_longest_argument(std::size_t bytes) { longest_argument_ = bytes; }

  // Binds every mapping that matches the relation, and every document that names it; null when none does. Throws
  // MappingError.
  std::unique_ptr<RelationWriter> bind(const replication::Relation& relation);

  [[nodiscard]] const std::vector<MappingSpec>& specs() const { return specs_; }
  [[nodiscard]] const std::vector<DocumentSpec>& documents() const { return documents_; }

  // What a number in Batch entries means: "mapping users, table public.users, hash at walrelay.yaml:12:9".
  [[nodiscard]] std::string describe(std::uint32_t write) const;
  // And what its mapping does with a command that Redis refuses; `stop` for a number that is nobody's.
  [[nodiscard]] OnPoison policy(std::uint32_t write) const;

 private:
  struct Compiled;
  std::uint32_t number(const std::string& site, std::size_t write, OnPoison policy);
  [[nodiscard]] std::size_t document_of(const MappingSpec& spec, std::size_t write) const;

  [[nodiscard]] std::uint32_t most_of_a_table(const std::string& kind) const;

  std::vector<MappingSpec> specs_;
  const std::string state_;
  std::vector<DocumentSpec> documents_;
  JsonDocuments json_documents_ = JsonDocuments::none;
  std::size_t longest_argument_ = kLongestArgument;
  const OnPoison fallback_;
  std::vector<std::unique_ptr<Compiled>> compiled_;
  // By site and write: a new version of a relation keeps its writes' numbers.
  std::map<std::pair<std::string, std::size_t>, std::uint32_t> numbers_;
  std::vector<std::string> sites_;  // by number
  std::vector<OnPoison> policies_;  // likewise
};

}  // namespace walrelay::sinks
