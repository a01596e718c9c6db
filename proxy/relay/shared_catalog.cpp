#include "proxy/relay/shared_catalog.hpp"

#include <algorithm>
#include <vector>

namespace pgveil::relay {

namespace {

/// What is printed of a view or a partition key depends on settings that kViewpoint does not have.
bool may_be_shared(const catalog::RelationName& name, const catalog::Entry& entry) {
    return name.kind == catalog::RelationName::Kind::kRelation && entry.relation &&
           entry.relation->view_text.empty() && entry.relation->partition_key.empty();
}

}  // namespace

bool SharedCatalog::has(const Scope& scope, Names names, std::int64_t since_ms) const {
    return std::all_of(names.begin(), names.end(), [&](const catalog::RelationName& name) {
        auto at = known_.lower_bound({scope.database, scope.policy_epoch, name, {}});
        for (; at != known_.end(); ++at) {
            const Key& key = at->first;
            if (key.database != scope.database || key.policy_epoch != scope.policy_epoch ||
                key.name != name) {
                return false;
            }
            if (is_good(at->second, scope, since_ms)) {
                return true;
            }
        }
        return false;
    });
}

std::optional<std::int64_t> SharedCatalog::take(
    const Scope& scope,
    const std::string& viewpoint,
    Names names,
    std::int64_t since_ms,
    const Told& told,
    catalog::Catalog& into
) const {
    std::optional<std::int64_t> oldest_ms;
    std::vector<const Known*> found;
    for (const catalog::RelationName& name : names) {
        const auto at = known_.find({scope.database, scope.policy_epoch, name, viewpoint});
        const auto before = told.find(name);
        if (at == known_.end() || !is_good(at->second, scope, since_ms) || before == told.end() ||
            *before->second != *at->second.entry) {
            return std::nullopt;
        }
        found.push_back(&at->second);
        oldest_ms = std::min(oldest_ms.value_or(at->second.asked_ms), at->second.asked_ms);
    }
    for (std::size_t index = 0; index < found.size(); ++index) {
        into.put(names[index], *found[index]->entry);
    }
    return oldest_ms;
}

void SharedCatalog::put(
    const Scope& scope,
    const std::string& viewpoint,
    const catalog::RelationName& name,
    std::shared_ptr<const catalog::Entry> entry,
    std::int64_t asked_ms
) {
    if (entry == nullptr || !may_be_shared(name, *entry)) {
        return;
    }
    Key key{scope.database, scope.policy_epoch, name, viewpoint};
    const std::size_t size = sizeof(Key) + sizeof(Known) + 2 * viewpoint.size() +
                             scope.database.size() + size_bytes_of(*entry);
    // What was there before is counted again: dropping all of it now and then costs a question
    // each.
    if (size_bytes_ + size > kBytesMax) {
        known_.clear();
        size_bytes_ = 0;
    }
    const bool is_new = known_.find(key) == known_.end();
    size_bytes_ += is_new ? size : 0;
    known_.insert_or_assign(std::move(key), Known{std::move(entry), asked_ms, scope.definitions});
}

void SharedCatalog::note_intricate(const std::string& database, const catalog::RelationName& name) {
    if (intricate_.size() >= kIntricateMax) {
        intricate_.clear();
    }
    intricate_.emplace(database, name);
}

bool SharedCatalog::is_intricate(const std::string& database, const catalog::RelationName& name)
    const {
    return intricate_.contains({database, name});
}

}  // namespace pgveil::relay
