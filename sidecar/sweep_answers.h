// One page of a sweep: the places in doubt, what was asked about them, and the answers. Private to sweep.cc.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/sweep.h"

namespace walrelay::sidecar {

// A place of the page under way.
struct Sweep::Doubt {
  std::string place;
  std::size_t owner = 0, write = 0;  // in scope, that could have made it
  bool ours = false;                 // a write in scope could have made it
  bool supported = false;            // a row is there, or came meanwhile
  bool undecided = false;
  bool gone = false;  // Redis does not have it any more: its removal was on the way when SCAN saw it
  [[nodiscard]] bool suspect() const { return ours && !supported && !undecided && !gone; }
};

// Rows that could have made some of the places: one reading of them all.
struct Sweep::Question {
  std::vector<std::size_t> doubts;
  std::size_t owner = 0, write = 0;
  sinks::KeyReading reading;
  std::string identity = {};  // set by the answer: such a row is possible
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
      if (question.identity.empty() || !may_be_overtaken(question.identity)) continue;
      for (const std::size_t doubt : question.doubts) page_[doubt].supported = true;
    }
  }

 protected:
  [[nodiscard]] bool takes() override { return true; }
  [[nodiscard]] replication::Purpose purpose() const override { return replication::Purpose::sweep; }

  void land(replication::Row line) override {
    Question& question = questions_.at(std::stoul(std::string(line[0].text)));
    const sinks::RelationWriter& writer = *owner_.writer;
    const auto& reading = writer.reading_columns(question.write);
    const auto& place = writer.place_columns(question.write);
    const replication::Row asked = row_of(reading, line.subspan(1, reading.size()));
    if (question.identity.empty()) {
      writer.append_identity(asked, question.identity);
      if (owner_.swept[question.write] && in_slice(question, asked)) claim(question, asked);
    }
    support(question, row_of(place, line.subspan(1 + reading.size(), place.size())));
  }

 private:
  replication::Row row_of(const std::vector<std::size_t>& columns, replication::Row values) {
    values_.assign(owner_.relation.columns.size(), replication::Value{replication::ValueState::absent, {}});
    for (std::size_t i = 0; i < columns.size(); ++i) values_[columns[i]] = values[i];
    return values_;
  }
  // The places are ours, but for those that no row with these values prints like: where the reading says all.
  void claim(const Question& question, replication::Row asked) {
    made_.clear();
    const bool known = owner_.writer->append_read_place(question.write, asked, made_);
    for (const std::size_t doubt : question.doubts) {
      if (!known || page_[doubt].place == made_) page_[doubt].ours = true;
    }
  }
  // The row has made one of the places, or none.
  void support(const Question& question, replication::Row row) {
    made_.clear();
    if (!owner_.writer->append_place(question.write, row, made_)) return;
    for (const std::size_t doubt : question.doubts) {
      if (page_[doubt].place == made_) page_[doubt].supported = true;
    }
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
