// invalidate: a change removes keys that others keep in Redis, of a cache that is filled when it is read.
//
//   key       UNLINK of the old row's key and the new one's, inside the transaction
//   pattern   every key that matches, once the transaction is in Redis; one pass over the keys for all patterns by then
//   again_after: 500ms   both once more: a reader may have read the old row before, and have written it after
//
// In a pattern `*`, `?` and sets of the template itself are the pattern's, and a column stands for its very text. What
// a let gives stays as it is: it may be a pattern; glob_escape() makes it a text.
#include <algorithm>

#include "sinks/event_write.h"
#include "sinks/glob.h"
#include "sinks/invalidation.h"

namespace walrelay::sinks {

Kind invalidate_kind();

namespace {

using replication::Change;
using replication::Row;
using replication::ValueState;

class InvalidateWrite : public EventWrite {
 public:
  InvalidateWrite(const BindContext& context, const char* what, BoundTemplate text)
      : EventWrite(context),
        text_(std::move(text)),
        asked_(context.number, context.state + "again", context.duration("again_after"), context.mapping.name),
        site_(context.site()) {
    check_told_columns(context, told(), what, context.reads(text_), true);
    for (const auto& part : text_.parts()) names_.push_back(context.name_of(part.column));
  }

 protected:
  bool make(const Change&, Row before, Row now) final {
    count_ = 0;
    for (const Row row : {before, now}) {
      if (row.empty() || !wanted(row)) continue;
      std::string& text = texts_[count_];
      text.clear();
      if (!render(row, text)) continue;
      if (count_ == 0 || text != texts_[0]) ++count_;
    }
    return count_ != 0;
  }

  void say(Batch& batch) final {
    for (std::size_t i = 0; i < count_; ++i) invalidate(texts_[i], batch);
  }

  virtual void append_value(const BoundTemplate::Part& part, std::string_view value, std::string& out) const = 0;
  virtual void invalidate(std::string_view text, Batch& batch) const = 0;
  [[nodiscard]] const BoundTemplate& text() const { return text_; }
  [[nodiscard]] const Invalidation& asked() const { return asked_; }

 private:
  // False: a column of it is NULL. Nothing is cached under the name of nothing.
  bool render(Row row, std::string& out) const {
    for (std::size_t i = 0; i < text_.parts().size(); ++i) {
      const auto& part = text_.parts()[i];
      const replication::Value& value = row[part.column];
      if (value.state == ValueState::null) return false;
      if (!value.has_text()) {
        throw RowError(site_ + ": PostgreSQL did not send " + names_[i] + "; set the table's REPLICA IDENTITY to FULL");
      }
      out.append(part.literal);
      append_value(part, value.text, out);
    }
    out.append(text_.tail());
    return true;
  }

  const BoundTemplate text_;
  const Invalidation asked_;
  const std::string site_;
  std::vector<std::string> names_;
  std::string texts_[2];  // of the old row and the new one
  std::size_t count_ = 0;
};

class InvalidateKey final : public InvalidateWrite {
 public:
  explicit InvalidateKey(const BindContext& context) : InvalidateWrite(context, "the key uses", context.bind("key")) {}

 protected:
  void append_value(const BoundTemplate::Part& part, std::string_view value, std::string& out) const override {
    if (part.encoded) return append_encoded(out, value);
    out.append(value);
  }
  void invalidate(std::string_view text, Batch& batch) const override { asked().key(text, batch); }
  void say_truncate(const Change&, Batch& batch) override { asked().pattern(key_glob(text()), batch); }
};

class InvalidatePattern final : public InvalidateWrite {
 public:
  explicit InvalidatePattern(const BindContext& context)
      : InvalidateWrite(context, "the pattern uses", bind_pattern(context)),
        first_virtual_(context.relation.columns.size()) {}

 protected:
  void append_value(const BoundTemplate::Part& part, std::string_view value, std::string& out) const override {
    if (part.column >= first_virtual_ && !part.encoded) return void(out.append(value));
    std::string encoded;
    if (part.encoded) append_encoded(encoded, value);
    out.append(glob_of(part.encoded ? std::string_view(encoded) : value));
  }
  void invalidate(std::string_view text, Batch& batch) const override { asked().pattern(text, batch); }
  void say_truncate(const Change&, Batch& batch) override {
    std::string all;
    for (const auto& part : text().parts()) all += part.literal + "*";
    asked().pattern(all + text().tail(), batch);
  }

 private:
  // What stands in a table's name is no pattern either.
  static BoundTemplate bind_pattern(const BindContext& context) {
    Captures captures = context.captures;
    for (auto& [name, text] : captures) text = glob_of(text);
    const auto& columns = context.relation.columns;
    for (const auto& [name, text] :
         {std::pair("table", &context.relation.name), {"schema", &context.relation.schema}}) {
      const bool column = std::any_of(columns.begin(), columns.end(), [name](const auto& c) { return c.name == name; });
      if (!column && !context.expressions.find_let(name)) captures.try_emplace(name, glob_of(*text));
    }
    const BindContext escaped{context.mapping, context.write,       context.relation,
                              captures,        context.expressions, context.state};
    return escaped.bind("pattern");
  }

  const std::size_t first_virtual_;
};

std::string mistake(const WriteSpec& write) {
  if (write.parameters.contains("key") != write.parameters.contains("pattern")) return "";
  return "give either \"key\" (the key of a row) or \"pattern\" (every key that matches)";
}

std::unique_ptr<Write> bind(const BindContext& context) {
  if (context.find("key") != nullptr) return std::make_unique<InvalidateKey>(context);
  return std::make_unique<InvalidatePattern>(context);
}

}  // namespace

Kind invalidate_kind() {
  using Shape = ParameterShape;
  invalidation_scripts();
  return {{"invalidate",
           "Each change removes keys that others have put into Redis: a cache that is filled when it is read.",
           {{"key", Shape::template_, false, {}, "The key to remove, of the old row and of the new one."},
            {"pattern",
             Shape::template_,
             false,
             {},
             "Or a glob: every key that matches is removed. A column in it stands for its text, a let as it is."},
            {"again_after", Shape::duration, false, {}, "Remove once more so much later; never by default."},
            {"when", Shape::expression, false, {}, "Only for rows for which it is true, the old or the new one."},
            told_changes_parameter(true)}},
          false,
          mistake,
          bind};
}

}  // namespace walrelay::sinks
