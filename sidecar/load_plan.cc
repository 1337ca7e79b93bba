#include "sidecar/load_plan.h"

#include <algorithm>
#include <sstream>

namespace walrelay::sidecar {

namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ';');) words.push_back(word);
  return words;
}

std::string head(const char* state, const replication::TableInfo& info) {
  return std::string(state) + ';' + signature(info) + ';' + std::to_string(info.oid);
}

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

}  // namespace

std::string LoadRange::where() const {
  std::string sql = "ctid >= '(" + std::to_string(from) + ",0)'";
  if (!last) sql += " AND ctid < '(" + std::to_string(to) + ",0)'";
  return sql;
}

void TableLoad::plan(std::vector<LoadLeaf> leaves) {
  leaves_ = std::move(leaves);
  planned_ = true;
  planning = false;
  leaf_ = 0;
  page_ = 0;
  const auto words = split(resume_at);
  if (words.size() != 6 || !starts_with(resume_at, head("at", info) + ';')) return;
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    if (leaves_[i].oid != words[3] || leaves_[i].file != words[4]) continue;
    leaf_ = i;
    page_ = std::stoull("0" + words[5]);
    return;
  }
}

std::optional<LoadRange> TableLoad::take() {
  LoadRange range;
  if (!returned_.empty()) {
    range = returned_.back();
    returned_.pop_back();
  } else {
    if (!planned_ || leaf_ >= leaves_.size()) return std::nullopt;
    range.sequence = sequence_++;
    range.leaf = leaf_;
    range.from = page_;
    range.to = page_ + step_;
    range.last = range.to >= leaves_[leaf_].pages;
    page_ = range.to;
    if (range.last) {
      ++leaf_;
      page_ = 0;
    }
  }
  outstanding_[range.sequence] = range;
  return range;
}

void TableLoad::give_back(const LoadRange& range) {
  if (outstanding_.erase(range.sequence) > 0) returned_.push_back(range);
}

void TableLoad::finished(const LoadRange& range) { outstanding_.erase(range.sequence); }

bool TableLoad::has_work() const {
  if (abandoned) return false;
  if (!planned_) return !planning;
  return !returned_.empty() || leaf_ < leaves_.size();
}

bool TableLoad::done() const {
  return planned_ && outstanding_.empty() && returned_.empty() && leaf_ >= leaves_.size();
}

std::string TableLoad::cursor() const {
  std::size_t leaf = leaf_;
  std::uint64_t page = page_;
  const LoadRange* first = nullptr;
  for (const auto& range : returned_) {
    if (first == nullptr || range.sequence < first->sequence) first = &range;
  }
  if (!outstanding_.empty() && (first == nullptr || outstanding_.begin()->first < first->sequence)) {
    first = &outstanding_.begin()->second;
  }
  if (first != nullptr) {
    leaf = first->leaf;
    page = first->from;
  }
  if (leaf >= leaves_.size()) return done_cursor();
  return head("at", info) + ';' + leaves_[leaf].oid + ';' + leaves_[leaf].file + ';' + std::to_string(page);
}

std::string TableLoad::done_cursor() const { return head("done", info) + ';' + rewriting(info); }

void TableLoad::restart() {
  planned_ = false;
  planning = false;
  resume_at.clear();
  returned_.clear();
  outstanding_.clear();
}

bool is_loaded(const std::string& cursor, const replication::TableInfo& info) {
  const auto words = split(cursor);
  return words.size() == 4 && starts_with(cursor, head("done", info) + ';') && !is_rewritten(words[3], rewriting(info));
}

std::string unread_cursor(const replication::TableInfo& info) { return head("at", info); }

std::string unread_again(const std::string& cursor) {
  const auto words = split(cursor);
  return words.size() < 3 ? cursor : "at;" + words[1] + ";" + words[2];
}

replication::Oid owner_of_cursor(const std::string& cursor) {
  const auto words = split(cursor);
  return words.size() < 3 ? 0 : static_cast<replication::Oid>(std::stoul("0" + words[2]));
}

std::string leaves_sql(const replication::TableInfo& info) {
  const std::string columns =
      "SELECT n.nspname, c.relname, c.oid, pg_catalog.pg_relation_filenode(c.oid), "
      "pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint FROM ";
  const std::string joins = " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'";
  const std::string oid = std::to_string(info.oid);
  if (info.partitioned) {
    return columns + "pg_catalog.pg_partition_tree(" + oid + ") p JOIN pg_catalog.pg_class c ON c.oid = p.relid" +
           joins + " AND p.isleaf ORDER BY c.oid";
  }
  return columns + "pg_catalog.pg_class c" + joins + " AND c.oid = " + oid;
}

std::vector<LoadLeaf> leaves_in(const replication::Result& found) {
  std::vector<LoadLeaf> leaves;
  for (std::size_t i = 0; i < found.rows(); ++i) {
    leaves.push_back(
        {found.text(i, 0), found.text(i, 1), found.text(i, 2), found.text(i, 3), std::stoull("0" + found.text(i, 4))});
  }
  return leaves;
}

}  // namespace walrelay::sidecar
