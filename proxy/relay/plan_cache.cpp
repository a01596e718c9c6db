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

std::vector<parse::Slot> slots_of(const PlanKey& key) {
    const bool has_slots = key.text.size() <= kPatternBytesMax && key.client_encoding == "UTF8";
    return has_slots ? parse::slots_of(key.text, key.standard_conforming_strings)
                     : std::vector<parse::Slot>();
}

/// What the key of an item is, so that no two kinds have one in common.
enum class KeyKind : char { kText = 't', kPattern = 'p', kKinds = 'k', kTemplate = 's' };

/// `text` is the key's, or what is left of it.
std::string spelled(const PlanKey& key, KeyKind kind, std::string_view text) {
    std::string out;
    out.reserve(
        text.size() + key.database.size() + key.client_encoding.size() +
        key.server_encoding.size() + 32 + key.parameter_oids.size() * 5
    );
    out.push_back(static_cast<char>(kind));
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
    // What a name stands for is the session's own; under which key a column begins, the keyring's.
    return plan.call.has_value() || !plan.used_name.empty() || plan.needs_ciphertext_type ||
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
    const std::vector<parse::Slot> slots = slots_of(key);
    if (const auto pattern = parse::pattern_of(key.text, slots)) {
        if (const Item* const known =
                find_named(spelled(key, KeyKind::kPattern, *pattern), catalog)) {
            return known->analysis;
        }
    }
    if (AnalysisPtr filled = find_pattern(key, slots, catalog)) {
        return filled;
    }
    const Item* const known = find_named(spelled(key, KeyKind::kText, key.text), catalog);
    return known == nullptr ? nullptr : known->analysis;
}

AnalysisPtr PlanCache::find_pattern(
    const PlanKey& key, std::span<const parse::Slot> slots, const catalog::Catalog& catalog
) {
    if (slots.empty() || key.style == nullptr) {
        return nullptr;
    }
    const std::string kinds = parse::without_slots(key.text, slots);
    const Item* const known = find_named(spelled(key, KeyKind::kKinds, kinds), catalog);
    const auto sealed = known == nullptr ? std::nullopt : chosen(slots, known->sealed);
    if (!sealed) {
        return nullptr;
    }
    const std::string rest = parse::without_slots(key.text, *sealed);
    const Item* const item = find_named(spelled(key, KeyKind::kTemplate, rest), catalog);
    return item == nullptr ? nullptr : item->pattern->filled(key.text, *sealed, *key.style);
}

const PlanCache::Item* PlanCache::find_named(
    const std::string& name, const catalog::Catalog& catalog
) {
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
    return &*item;
}

void PlanCache::put(
    const PlanKey& key, const AnalysisPtr& analysis, const catalog::Catalog& catalog
) {
    if (key.text.size() > bytes_max_) {
        return;
    }
    if (!may_be_kept(*analysis)) {
        put_pattern(key, *analysis, catalog);
        return;
    }
    Item item;
    const auto pattern =
        serves_pattern(*analysis) ? parse::pattern_of(key.text, slots_of(key)) : std::nullopt;
    item.key = pattern ? spelled(key, KeyKind::kPattern, *pattern)
                       : spelled(key, KeyKind::kText, key.text);
    item.analysis = analysis;
    item.size_bytes = analysis::size_bytes_of(*analysis);
    if (note_dependencies(item, *analysis, catalog)) {
        keep(std::move(item));
    }
}

void PlanCache::put_pattern(
    const PlanKey& key, const analysis::Analysis& analysis, const catalog::Catalog& catalog
) {
    const std::vector<parse::Slot> slots = slots_of(key);
    auto pattern = PlanTemplate::of(analysis, key.text, slots);
    if (!pattern) {
        return;
    }
    Item item;
    if (!note_dependencies(item, analysis, catalog)) {
        return;
    }
    Item kinds;
    kinds.key = spelled(key, KeyKind::kKinds, parse::without_slots(key.text, slots));
    kinds.sealed = pattern->sealed();
    kinds.size_bytes = kinds.sealed.size() * sizeof(std::size_t);
    const std::string rest = parse::without_slots(key.text, *chosen(slots, kinds.sealed));
    item.key = spelled(key, KeyKind::kTemplate, rest);
    item.size_bytes += pattern->size_bytes();
    item.pattern = std::move(pattern);
    keep(std::move(item));
    keep(std::move(kinds));
}

bool PlanCache::note_dependencies(
    Item& item, const analysis::Analysis& analysis, const catalog::Catalog& catalog
) {
    for (const catalog::RelationName& name : analysis.relations) {
        const catalog::Entry* const entry = catalog.find(name);
        if (entry == nullptr) {
            return false;
        }
        item.dependencies.push_back({name, *entry});
        item.size_bytes += sizeof(Dependency) + size_bytes_of(*entry);
    }
    return true;
}

void PlanCache::keep(Item item) {
    item.size_bytes += item.key.size() + sizeof(Item);
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
