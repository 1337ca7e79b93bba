// What is compared: the rows of the table, and then each document that has them for its roots (verify.h).
#include <algorithm>

#include "sidecar/document_sql.h"
#include "sidecar/verify.h"

namespace walrelay::sidecar {

using replication::Row;

// Documents say nothing when rows are asked, so a table of which nothing else is made is not read for its rows.
void Verify::choose_subjects() {
  subjects_.clear();
  std::vector<std::optional<std::size_t>> documents;
  for (const auto& path : writer_->paths()) {
    if (!path.source && documents_.spec(path.document).mapping == scope_.mapping) documents.emplace_back(path.document);
  }
  const auto chosen = static_cast<std::size_t>(std::count(chosen_.begin(), chosen_.end(), true));
  if (chosen > documents.size()) subjects_.emplace_back(std::nullopt);
  subjects_.insert(subjects_.end(), documents.begin(), documents.end());
}

const replication::Relation& Verify::subject_relation() const { return document_ ? document_relation_ : relation_; }

void Verify::ask_for_documents(replication::ChunkRequest& request) {
  const sinks::DocumentSpec& spec = documents_.spec(*document_);
  document_relation_ = document_relation(spec, Documents::oid_of(*document_));
  const std::string table = (request.only ? "ONLY " : "") + replication::quote_identifier(request.schema) + "." +
                            replication::quote_identifier(request.table);
  request.select = range_sql(spec, table, request.where);
  request.binary = false;
  request.path = search_path(spec);
  for (const auto& source : spec.sources) request.also.emplace_back(source.schema, source.table);
}

std::string Verify::identity_of(Row row) const {
  std::string identity;
  if (!document_) {
    writer_->append_identity(row, identity);
    return identity;
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i + 1 < row.size(); ++i) texts.emplace_back(row[i].text);
  return Documents::to_id(texts);
}

RowKey Verify::row_named(const std::string& identity) const {
  if (!document_) return row_of_identity(relation_, writer_->identity_columns(), identity);
  const auto& names = documents_.spec(*document_).id;
  const auto texts = Documents::to_texts(identity);
  RowKey key;
  for (std::size_t i = 0; i < texts.size(); ++i) key.emplace_back(names[i], texts[i]);
  return key;
}

bool Verify::is_moving(const std::string& identity) const {
  if (document_) return documents_.unsettled(*document_, identity);
  return rereads_.find(relation_.oid, identity) != nullptr;
}

void Verify::expect(Row row, std::vector<sinks::Expectation>& out) {
  if (document_) {
    const replication::Value& value = row.back();
    sinks::DocumentValue* written = writer_->document(*document_);
    if (written == nullptr) return;
    written->expect(Documents::to_texts(identity_of(row)), value.has_text() ? std::optional(value.text) : std::nullopt,
                    out);
    return;
  }
  std::vector<sinks::Expectation> all;
  writer_->expect(row, all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (chosen_[i] && !all[i].skip) out.push_back(std::move(all[i]));
  }
}

void Verify::count_row() {
  if (document_ == subjects_.front()) ++rows_;
}

}  // namespace walrelay::sidecar
