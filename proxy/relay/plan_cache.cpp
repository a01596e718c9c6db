#include "proxy/relay/plan_cache.hpp"

#include "sql/parse/pattern.hpp"

#include <algorithm>

namespace pgveil::relay {

namespace {

template <class Integer>
void append_integer(std::string& out, Integer value) {
    out.append(std::to_string(value)).push_back('/');
}

/// Longer texts seldom come again with other numbers.
constexpr std::size_t kPatternBytesMax = 16384;

std::optional<std::string> pattern_of(const PlanKey& key) {
    const bool has_pattern = key.text.size() <= kPatternBytesMax && key.client_encoding == "UTF8";
    return has_pattern ? parse::pattern_of(key.text, key.standard_conforming_strings)
                       : std::nullopt;
}

/// `text` is the key's, or its pattern.
std::string spelled(const PlanKey& key, std::string_view text) {
    std::string out;
    out.reserve(
        text.size() + key.database.size() + key.client_encoding.size() +
        key.server_encoding.size() + 32 + key.parameter_oids.size() * 5
    );
    append_integer(out, key.policy_epoch);
    append_integer(out, key.database.size());
    out.append(key.database);
    append_integer(out, key.standard_conforming_strings ? 1 : 0);
    out.append(key.client_encoding).push_back('/');
    out.append(key.server_encoding).push_back('/');
    for (const std::uint32_t oid : key.parameter_oids) {
        append_integer(out, oid);
    }
    out.push_back('\n');
    return out.append(text);
}

bool is_for_once(const analysis::StatementPlan& plan) {
    const auto is_secret = [](const analysis::Splice& splice) {
        return !std::holds_alternative<analysis::FixedText>(splice.replacement);
    };
    // What a name stands for is the session's own.
    return plan.call.has_value() || !plan.used_name.empty() ||
           std::any_of(plan.splices.begin(), plan.splices.end(), is_secret);
}

/// Integers decide nothing of it: not which relations it names, nor where anything stands that
/// would be replaced.
bool serves_pattern(const analysis::Analysis& analysis) {
    if (!analysis.passthrough || analysis.parse_failed || analysis.statements.size() != 1) {
        return false;
    }
    using Kind = analysis::StatementKind;
    const Kind kind = std::get<analysis::StatementPlan>(analysis.statements.front()).kind;
    return kind == Kind::kSelect || kind == Kind::kInsert || kind == Kind::kUpdate ||
           kind == Kind::kDelete;
}

bool may_be_kept(const analysis::Analysis& analysis) {
    return std::all_of(
        analysis.statements.begin(),
        analysis.statements.end(),
        [](const analysis::Decision& decision) {
            // A rejection may quote a literal.
            const auto* const plan = std::get_if<analysis::StatementPlan>(&decision);
            return plan != nullptr && !is_for_once(*plan);
        }
    );
}

}  // namespace

void PlanCache::set_limit(std::size_t bytes_max) {
    bytes_max_ = bytes_max;
}

AnalysisPtr PlanCache::find(const PlanKey& key, const catalog::Catalog& catalog) {
    if (key.text.size() > bytes_max_) {
        return nullptr;  // and not copied for looking
    }
    if (const auto pattern = pattern_of(key)) {
        if (AnalysisPtr known = find_named(spelled(key, *pattern), catalog)) {
            return known;
        }
    }
    return find_named(spelled(key, key.text), catalog);
}

AnalysisPtr PlanCache::find_named(const std::string& name, const catalog::Catalog& catalog) {
    const auto found = by_key_.find(name);
    if (found == by_key_.end()) {
        return nullptr;
    }
    const auto item = found->second;
    const auto still_holds = [&catalog](const Dependency& dependency) {
        const catalog::Entry* const now = catalog.find(dependency.name);
        return now != nullptr && *now == dependency.entry;
    };
    if (!std::all_of(item->dependencies.begin(), item->dependencies.end(), still_holds)) {
        return nullptr;
    }
    items_.splice(items_.begin(), items_, item);
    return item->analysis;
}

void PlanCache::put(
    const PlanKey& key, const AnalysisPtr& analysis, const catalog::Catalog& catalog
) {
    if (key.text.size() > bytes_max_ || !may_be_kept(*analysis)) {
        return;
    }
    Item item;
    const auto pattern = serves_pattern(*analysis) ? pattern_of(key) : std::nullopt;
    item.key = spelled(key, pattern ? std::string_view(*pattern) : key.text);
    item.analysis = analysis;
    item.size_bytes = item.key.size() + analysis::size_bytes_of(*analysis) + sizeof(Item);
    for (const catalog::RelationName& name : analysis->relations) {
        const catalog::Entry* const entry = catalog.find(name);
        if (entry == nullptr) {
            return;
        }
        item.dependencies.push_back({name, *entry});
        item.size_bytes += sizeof(Dependency) + size_bytes_of(*entry);
    }
    if (item.size_bytes > bytes_max_) {
        return;
    }
    if (const auto old = by_key_.find(item.key); old != by_key_.end()) {
        erase(old->second);
    }
    while (size_bytes_ + item.size_bytes > bytes_max_) {
        erase(std::prev(items_.end()));
    }
    size_bytes_ += item.size_bytes;
    items_.push_front(std::move(item));
    by_key_.emplace(items_.front().key, items_.begin());
}

void PlanCache::erase(Items::iterator item) {
    size_bytes_ -= item->size_bytes;
    by_key_.erase(item->key);
    items_.erase(item);
}

}  // namespace pgveil::relay
