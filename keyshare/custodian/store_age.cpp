#include "keyshare/custodian/store_age.hpp"

namespace pgveil::custodian {

StoreAge::StoreAge(const CustodianStore& store)
    : version_(store.version()), noted_(store.log_noted()) {}

void StoreAge::see(const LogEntry& entry) {
    if (entry.store > seen_) {
        seen_ = entry.store;
        seen_at_ = entry.link.sequence;
    }
    is_rewritten_ =
        is_rewritten_ || (entry.link.sequence == noted_.sequence && entry.link.hash != noted_.hash);
}

std::string StoreAge::older_store() const {
    if (seen_ <= version_) {
        return {};
    }
    return "the store is at version " + std::to_string(version_) + ", and line " +
           std::to_string(seen_at_) + " of the log was written at version " +
           std::to_string(seen_) +
           ": an older copy was put in its place. Put the newest store back; if it is lost, "
           "reshare "
           "the groups with this custodian as --lost, and begin with an empty folder";
}

std::string StoreAge::older_log(const share::ChainLink& last) const {
    if (is_rewritten_) {
        return "line " + std::to_string(noted_.sequence) +
               " of the log is another one than the store has noted: the log was rewritten";
    }
    if (last.sequence < noted_.sequence) {
        return "the log ends at line " + std::to_string(last.sequence) +
               ", and the store has noted line " + std::to_string(noted_.sequence) +
               ": the end of the log was cut off, or an older copy was put in its place";
    }
    return {};
}

}  // namespace pgveil::custodian
