// What must be read again, each once however often it was marked. Pure.
//
//   mark ─> waiting ──take()──> reading ──landed(batch)──> landed ──retire(): Redis has it──> gone
//             ^                    │ marked meanwhile          │ marked
//             └────────────────────┴───────────────────────────┘
//
// One that is being read is given to nobody else, so its readings follow one another. What has landed, or was given
// back, is no longer the reader's, who may have taken others with it: the reading says whose it is. Each mark has a
// number, and settled_up_to() tells when everything that was marked until then stands in Redis. Marks are noted in
// Redis: the set knows whose note stands there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace walrelay::sidecar {

class DirtySet {
 public:
  // True: it must be noted now.
  bool mark(const std::string& id, std::uint64_t number);
  // Redis does not have it any more. Only where it is being read that must be done once more. True as for mark().
  bool removed(const std::string& id, std::uint64_t number);
  using Reading = std::uint64_t;
  std::vector<std::string> take(std::size_t most);                  // the oldest ones
  [[nodiscard]] Reading last_reading() const { return readings_; }  // of what was taken last
  // These do nothing to what the reading does not have any more.
  void give_back(const std::string& id, Reading reading);  // it was not read after all
  // The same, and nothing is lost by that. But what has been marked meanwhile waits: true: it must be noted now.
  bool drop(const std::string& id, Reading reading);
  // What is being read may be written: it was not removed meanwhile.
  [[nodiscard]] bool may_land(const std::string& id, Reading reading) const;
  // What was read is in the sink's batch with this number. True: its note goes, as nothing has marked it meanwhile.
  bool landed(const std::string& id, Reading reading, std::uint64_t batch);
  void retire(std::uint64_t batches_in_redis);  // those of all batches before this number
  void forget_waiting();                        // something else will see to them, and no note stands any more

  [[nodiscard]] bool contains(const std::string& id) const { return entries_.count(id) != 0; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] bool settled_up_to(std::uint64_t number) const;

 private:
  enum class State : std::uint8_t { waiting, reading, landed };
  struct Entry {
    State state = State::waiting;
    bool noted = false;
    bool removed = false;  // since it is being read
    std::uint64_t number = 0;
    std::uint64_t again = 0;  // the number of the first mark since it is being read; 0: none
    std::uint64_t batch = 0;  // landed: in which one
    Reading reading = 0;      // being read: whose it is
  };
  using Entries = std::unordered_map<std::string, Entry>;
  void wait(Entries::iterator entry, std::uint64_t number);
  Entries::iterator find(const std::string& id, State state);            // end(): it is in another one
  Entries::iterator being_read(const std::string& id, Reading reading);  // end(): not by this one

  Entries entries_;
  Reading readings_ = 0;
  std::map<std::uint64_t, const std::string*> waiting_;       // by number; names are those of entries_
  std::set<std::uint64_t> busy_;                              // numbers of those that are being read or have landed
  std::deque<std::pair<std::uint64_t, std::string>> landed_;  // batch, id; in order
};

}  // namespace walrelay::sidecar
