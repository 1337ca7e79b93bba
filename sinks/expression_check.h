// Whether SQLite understands an expression over a scope, and what it reads there: asked of SQLite itself, with a table
// that has the scope's names as columns and stands there while the expression is prepared.
//
//   SELECT 1 FROM "the row" AS row WHERE (<expression>)      WHERE, because an aggregate of the row is refused there
//
// The row goes by the name `row`: in a subquery over json_each(), which has columns named id, key and value itself,
// row.id is the row's.
#pragma once

#include <string>
#include <vector>

#include "sinks/expression_scope.h"
#include "sinks/expression_text.h"

namespace walrelay::sinks {

// The names of the scope that the expression reads, folded, in order. Throws std::invalid_argument with a clause. Lets
// in `later` exist, but not yet.
std::vector<std::string> names_read(const ExpressionText& expression, const ExpressionScope& scope,
                                    const std::vector<std::string>& later);

}  // namespace walrelay::sinks
