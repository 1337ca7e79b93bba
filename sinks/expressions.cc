#include "sinks/expressions.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "sinks/expression_check.h"
#include "sinks/expression_program.h"
#include "sinks/expression_scope.h"
#include "sinks/expression_text.h"

namespace walrelay::sinks {
namespace {

using replication::Row;
using replication::Value;
using replication::ValueState;
using Kind = ExpressionScope::Kind;
using Let = std::vector<std::pair<std::string, std::string>>;

// SQLite computes a let wherever it stands: lets that double each other grow beyond all bounds.
constexpr std::size_t kMostComputations = 10'000;

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\n\f\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Puts in front of the clause whose it is.
template <typename Do>
auto explained(const std::string& whose, const Do& action) {
  try {
    return action();
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(whose + ": " + error.what());
  }
}

}  // namespace

class Expressions::State {
 public:
  State(const replication::Relation& relation, const Captures& captures, const Let& let)
      : sources_{relation, {captures.begin(), captures.end()}, {}} {
    const auto& columns = relation.columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      scope_.add(Kind::column, i, columns[i].name);
      own_place_.push_back({i});
    }
    for (std::size_t i = 0; i < sources_.captures.size(); ++i) {
      scope_.add(Kind::capture, i, sources_.captures[i].first);
    }
    for (std::size_t i = 0; i < let.size(); ++i) {
      explained("let \"" + let[i].first + "\"", [&] { add_let(let, i); });
    }
  }

  std::size_t add(const std::string& text) {
    if (compiled_) throw std::logic_error("an expression was added after compile()");
    const std::string wanted = trimmed(text);
    if (const auto found = places_.find(wanted); found != places_.end()) return found->second;
    const std::size_t place = explained("\"" + wanted + "\"", [&] {
      const ExpressionText parsed = parse_expression(wanted);
      const auto column = bare_column(parsed.bare);
      return column ? *column : append(checked(parsed, {}), wanted);
    });
    places_[wanted] = place;
    return place;
  }

  [[nodiscard]] std::optional<std::size_t> find_let(const std::string& name) const {
    for (std::size_t i = 0; i < sources_.columns.size(); ++i) {
      if (!name.empty() && sources_.columns[i].name == name) return width() + i;
    }
    return std::nullopt;
  }
  [[nodiscard]] const std::vector<std::size_t>& reads(std::size_t column) const {
    return column < width() ? own_place_[column] : sources_.columns[column - width()].reads;
  }
  [[nodiscard]] const std::string& text_of(std::size_t column) const {
    return column < width() ? sources_.relation.columns[column].name : sources_.columns[column - width()].text;
  }
  [[nodiscard]] bool empty() const { return sources_.columns.empty(); }

  void compile() {
    compiled_ = true;
    scope_ = {};
    if (empty() || together_) return;
    std::vector<std::size_t> all(sources_.columns.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    explained("the expressions together", [&] { together_.emplace(sources_, all); });
    alone_.resize(all.size());
  }

  Row evaluate(Row row, Side side) {
    if (empty() || row.empty()) return row;
    SideMemory& memory = sides_[static_cast<std::size_t>(side)];
    memory.computed.values.clear();
    memory.computed.bytes.clear();
    memory.row.assign(row.begin(), row.end());
    memory.row.resize(width() + sources_.columns.size());
    const bool done = !unknown(together_->reads(), row) && together_->run(row, rewritten_, memory.computed).empty();
    if (!done) compute_alone(row, memory);
    for (const ComputedValues::Text& value : memory.computed.values) {
      if (value.null) continue;
      const std::string_view text(memory.computed.bytes.data() + value.begin, value.size);
      memory.row[width() + value.column] = {ValueState::text, text};
    }
    return memory.row;
  }

  [[nodiscard]] bool is_number(std::size_t column, Side side) const {
    const auto& values = sides_[static_cast<std::size_t>(side)].computed.values;
    const auto is_it = [wanted = column - width()](const auto& value) { return value.column == wanted; };
    const auto found = std::find_if(values.begin(), values.end(), is_it);
    return found != values.end() && found->number;
  }

 private:
  struct SideMemory {
    ComputedValues computed;
    std::vector<Value> row;
  };

  [[nodiscard]] std::size_t width() const { return sources_.relation.columns.size(); }

  void add_let(const Let& let, std::size_t i) {
    const std::string& name = let[i].first;
    const ExpressionScope::Name* const known = scope_.find(folded(name));
    if (known != nullptr && known->kind != Kind::column) {
      throw std::invalid_argument(std::string("there is a ") + (known->kind == Kind::let ? "let" : "capture") + " \"" +
                                  known->written[0] + "\" already; choose another name");
    }
    std::vector<std::string> later;
    for (std::size_t j = i; j < let.size(); ++j) later.push_back(let[j].first);
    VirtualColumn column = checked(parse_expression(trimmed(let[i].second)), later);
    column.name = name;
    append(std::move(column), name);
    scope_.add(Kind::let, i, name);
  }

  // The column that a bare name is; nothing where it is none, or a capture. Where names differ in their case only, it
  // must be written as the column is.
  [[nodiscard]] std::optional<std::size_t> bare_column(const std::string& name) const {
    const ExpressionScope::Name* const known = name.empty() ? nullptr : scope_.find(folded(name));
    if (known == nullptr || known->kind == Kind::capture) return std::nullopt;
    const auto exact = std::find(known->written.begin(), known->written.end(), name);
    if (exact == known->written.end() && known->places.size() > 1) return std::nullopt;  // and is refused
    const auto index = exact == known->written.end() ? 0 : exact - known->written.begin();
    const std::size_t place = known->places[static_cast<std::size_t>(index)];
    return known->kind == Kind::let ? width() + place : place;
  }

  VirtualColumn checked(const ExpressionText& parsed, const std::vector<std::string>& later) {
    VirtualColumn column;
    column.sql = parsed.sql;
    std::size_t computations = 1;
    for (const std::string& name : names_read(parsed, scope_, later)) {
      const ExpressionScope::Name& known = *scope_.find(name);
      const std::size_t place = known.places[0];
      if (known.kind == Kind::column) column.columns.push_back(place);
      if (known.kind == Kind::capture) column.captures.push_back(place);
      if (known.kind != Kind::let) continue;
      column.lets.push_back(place);
      computations += parsed.names.at(name) * computations_[place];
      column.reads.insert(column.reads.end(), sources_.columns[place].reads.begin(),
                          sources_.columns[place].reads.end());
    }
    if (computations > kMostComputations) {
      throw std::invalid_argument("the lets that it uses use others so often that " + std::to_string(computations) +
                                  " expressions would be computed for a row; " + std::to_string(kMostComputations) +
                                  " are the most");
    }
    computations_.push_back(computations);
    column.reads.insert(column.reads.end(), column.columns.begin(), column.columns.end());
    std::sort(column.reads.begin(), column.reads.end());
    column.reads.erase(std::unique(column.reads.begin(), column.reads.end()), column.reads.end());
    return column;
  }

  // Gives its place in the row. That SQLite takes it as it will run it is tried at once, where the mistake has a name.
  std::size_t append(VirtualColumn column, const std::string& text) {
    column.text = text;
    sources_.columns.push_back(std::move(column));
    const std::size_t place = sources_.columns.size() - 1;
    try {
      const ExpressionProgram tried(sources_, {place});
    } catch (const std::invalid_argument&) {
      sources_.columns.pop_back();
      computations_.pop_back();
      throw;
    }
    return width() + place;
  }

  // The first of the columns that the row does not say.
  static std::optional<ValueState> unknown(const std::vector<std::size_t>& columns, Row row) {
    for (const std::size_t column : columns) {
      const ValueState state = row[column].state;
      if (state == ValueState::unchanged || state == ValueState::absent) return state;
    }
    return std::nullopt;
  }

  // The slow way, where not all can be computed.
  void compute_alone(Row row, SideMemory& memory) {
    for (std::size_t i = 0; i < sources_.columns.size(); ++i) {
      if (const auto state = unknown(sources_.columns[i].reads, row)) {
        memory.row[width() + i].state = *state;
        continue;
      }
      if (!alone_[i]) alone_[i].emplace(sources_, std::vector<std::size_t>{i});
      const std::string failure = alone_[i]->run(row, rewritten_, memory.computed);
      if (failure.empty()) continue;
      throw EvaluationError("the expression \"" + sources_.columns[i].text + "\" cannot be computed: " + failure);
    }
  }

  ExpressionSources sources_;
  std::vector<std::size_t> computations_;            // of each virtual column
  std::vector<std::vector<std::size_t>> own_place_;  // reads() of the real columns
  std::map<std::string, std::size_t> places_;        // of what add() was given
  ExpressionScope scope_;                            // until compile()
  bool compiled_ = false;
  std::optional<ExpressionProgram> together_;
  std::vector<std::optional<ExpressionProgram>> alone_;  // made when they are needed
  RewrittenTexts rewritten_;
  std::array<SideMemory, 2> sides_;
};

Expressions::Expressions(const replication::Relation& relation, const Captures& captures, const Let& let)
    : state_(std::make_unique<State>(relation, captures, let)) {}
Expressions::~Expressions() = default;

std::size_t Expressions::add(const std::string& text) { return state_->add(text); }
std::optional<std::size_t> Expressions::find_let(const std::string& name) const { return state_->find_let(name); }
const std::vector<std::size_t>& Expressions::reads(std::size_t column) const { return state_->reads(column); }
const std::string& Expressions::text_of(std::size_t column) const { return state_->text_of(column); }
void Expressions::compile() { state_->compile(); }
bool Expressions::empty() const { return state_->empty(); }
bool Expressions::is_number(std::size_t column, Side side) const { return state_->is_number(column, side); }
Row Expressions::evaluate(Row row, Side side) { return state_->evaluate(row, side); }

}  // namespace walrelay::sinks
