#include "sinks/expressions.h"

#include <map>
namespace walrelay::sinks {
class Expressions::State {
 public:
  const replication::Relation* r;
  std::vector<std::vector<std::size_t>> reads;
  std::string none;
};
Expressions::Expressions(const replication::Relation& relation, const Captures&,
                         const std::vector<std::pair<std::string, std::string>>& let)
    : state_(std::make_unique<State>()) {
  state_->r = &relation;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) state_->reads.push_back({i});
  if (!let.empty()) throw std::invalid_argument("stub");
}
Expressions::~Expressions() = default;
std::size_t Expressions::add(const std::string& t) {
  for (std::size_t i = 0; i < state_->r->columns.size(); ++i)
    if (state_->r->columns[i].name == t) return i;
  throw std::invalid_argument("stub");
}
std::optional<std::size_t> Expressions::find_let(const std::string&) const { return std::nullopt; }
const std::vector<std::size_t>& Expressions::reads(std::size_t c) const { return state_->reads[c]; }
const std::string& Expressions::text_of(std::size_t) const { return state_->none; }
void Expressions::compile() {}
bool Expressions::empty() const { return true; }
replication::Row Expressions::evaluate(replication::Row row, Side) { return row; }
}  // namespace walrelay::sinks
