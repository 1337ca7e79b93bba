// One page of a sweep: the keys in doubt, what was asked about them, and the answers. Private to sweep.cc.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/sweep.h"

namespace walrelay::sidecar {

// A key of the page under way.
struct Sweep::Doubt {
  std::string key;
  std::uint32_t write = 0;  // that could have made it, for the batch
  bool ours = false;        // a write in scope could have made it
  bool supported = false;   // a row is there, or came meanwhile
  bool undecided = false;
  bool gone = false;  // Redis does not have it any more: its removal was on the way when SCAN saw it
  [[nodiscard]] bool suspect() const { return ours && !supported && !undecided && !gone; }
};

// One row that could have made it.
struct Sweep::Question {
  std::size_t doubt = 0, owner = 0, write = 0;
  sinks::KeyReading reading;
  std::string identity = {};  // set by the answer: the row is possible
};

// A table whose writes could have made a key, as the stream knows it.
struct Sweep::Owner {
  replication::Oid oid = 0;
  std::uint64_t version = 0;
  replication::Relation relation;
  std::unique_ptr<sinks::RelationWriter> writer;
  std::vector<bool> swept;                             // for each write: it is in scope
  std::vector<std::string> types;                      // of the relation's columns, as SQL; asked for when first needed
  std::map<std::size_t, replication::Relation> lines;  // for each write: what its answers look like
  bool partitioned = false;
  std::string row_filter;
};

// The answers to some questions about one write of one table.
class Sweep::Answers final : public ChunkReader::Chunk {
 public:
  Answers(Sweep& sweep, const Owner& owner, Page& page, const replication::Relation& line,
          std::vector<Question> questions)
      : Chunk(sweep.reader_, line, sweep.postgres_),
        sweep_(sweep),
        owner_(owner),
        page_(page),
        questions_(std::move(questions)) {}

  // The page's doubts about rows that the stream has touched since the snapshot are settled.
  void take_in_newer() {
    newer_now();
    for (const Question& question : questions_) {
      if (!question.identity.empty() && may_be_overtaken(question.identity)) page_[question.doubt].supported = true;
    }
  }

 protected:
  [[nodiscard]] bool takes() const override { return true; }

  void land(replication::Row line) override {
    Question& question = questions_.at(std::stoul(std::string(line[0].text)));
    Doubt& doubt = page_[question.doubt];
    const std::size_t columns = question.reading.columns.size();
    const replication::Row asked = row_of(question, line.subspan(1, columns));
    if (!makes(question, asked, doubt.key)) return;  // no value prints like that: not a key of ours
    question.identity.clear();
    owner_.writer->append_identity(asked, question.identity);
    if (owner_.swept[question.write] && in_slice(question, asked)) doubt.ours = true;
    const replication::Row found = row_of(question, line.subspan(1 + columns, columns));
    if (makes(question, found, doubt.key)) doubt.supported = true;
  }

 private:
  replication::Row row_of(const Question& question, replication::Row columns) {
    values_.assign(owner_.relation.columns.size(), replication::Value{replication::ValueState::absent, {}});
    for (std::size_t i = 0; i < columns.size(); ++i) values_[question.reading.columns[i].first] = columns[i];
    return values_;
  }
  bool makes(const Question& question, replication::Row row, const std::string& key) {
    made_.clear();
    return owner_.writer->append_place(question.write, row, made_) && made_ == key;
  }
  [[nodiscard]] bool in_slice(const Question& question, replication::Row row) const {
    return std::all_of(sweep_.scope_.where.begin(), sweep_.scope_.where.end(), [&](const auto& wanted) {
      return std::any_of(question.reading.columns.begin(), question.reading.columns.end(), [&](const auto& column) {
        return owner_.relation.columns[column.first].name == wanted.first && row[column.first].text == wanted.second;
      });
    });
  }

  Sweep& sweep_;
  const Owner& owner_;
  Page& page_;
  std::vector<Question> questions_;
  std::vector<replication::Value> values_;
  std::string made_;
};

}  // namespace walrelay::sidecar
