// Key templates: what the user writes, parsed, and then bound to the columns of one relation.
//
//   "q:item:{queue}:{id|enc}"   {name}      the value's text as it is
//                               {name|enc}  with % : { } white space and control bytes as %XX: injective
//                               {{  }}      a brace
//
//   name: a capture of the mapping's table pattern, else a let of the mapping, else a column, else the built-in
//   {schema} or {table}. Captures and lets come first because a column that is added later must not change the meaning
//   of a key.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/change.h"
#include "replication/relation.h"

namespace walrelay::sinks {

using Captures = std::map<std::string, std::string>;  // name -> what it matched

// One placeholder and the literal text before it.
struct TemplatePart {
  std::string literal;
  std::string name;
  bool encoded = false;
};

struct Template {
  std::vector<TemplatePart> parts;
  std::string tail;  // literal text after the last placeholder
};

// Throws std::invalid_argument with a clause that says what is wrong where ("'{' at 5 is never closed ...").
Template parse_template(std::string_view text);

// Whether the byte is written as %XX by {column|enc}.
bool must_encode(unsigned char byte);
void append_encoded(std::string& out, std::string_view text);

// A template whose placeholders are columns of one relation; everything else has become literal text.
class BoundTemplate {
 public:
  struct Part {
    std::string literal;
    std::size_t column = 0;
    bool encoded = false;
    const replication::ColumnType* type = nullptr;  // may be null: not known
  };

  BoundTemplate() = default;
  BoundTemplate(std::vector<Part> parts, std::string tail) : parts_(std::move(parts)), tail_(std::move(tail)) {}

  // Appends the text for the row; gives the first column that has no text and so cannot stand in a key.
  std::optional<std::size_t> render(replication::Row row, std::string& out) const;
  // The same for a text that is no key: a column without text is empty there.
  void render_known(replication::Row row, std::string& out) const;

  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  [[nodiscard]] const std::string& tail() const { return tail_; }
  [[nodiscard]] bool uses(std::size_t column) const;

 private:
  std::vector<Part> parts_;
  std::string tail_;
};

// The virtual column of a let (expressions.h); nothing: there is no such let.
using FindLet = std::function<std::optional<std::size_t>(const std::string& name)>;

// Throws std::invalid_argument with a clause that names what cannot be found, and what may have been meant.
BoundTemplate bind_template(const Template& text, const replication::Relation& relation, const Captures& captures,
                            const FindLet& find_let = nullptr);

}  // namespace walrelay::sinks
