#include "sql/analysis/relations.hpp"

#include "sql/analysis/rejection.hpp"
#include "sql/analysis/view.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pgveil::analysis {

namespace {

std::string display(const catalog::RelationName& name) {
    return name.schema.empty() ? name.name : name.schema + "." + name.name;
}

Judgement rejected(Rejection rejection) {
    return Judgement{Standing::kRejected, nullptr, std::move(rejection)};
}

bool has_ciphertext(const catalog::Relation& relation) {
    return std::any_of(relation.columns.begin(), relation.columns.end(), [](const auto& column) {
        return column.is_ciphertext;
    });
}

/// A command may name it; no statement reads or writes it.
bool is_index(const catalog::Entry& entry) {
    return entry.relation && (entry.relation->relkind == 'i' || entry.relation->relkind == 'I');
}

/// What is wrong with a column of bind_to; empty: nothing.
std::string_view problem_of_key(const catalog::Column* key) {
    if (key == nullptr) {
        return ", which does not exist";
    }
    if (key->generated_or_identity) {
        return ", whose values the database makes (GENERATED)";
    }
    const auto kind = types::kind_of_oid(key->type_oid);
    return kind && field::can_bind(*kind) ? "" : ", which is not of type int2, int4, int8 or uuid";
}

/// The columns that bind_to names must be there, with values that the client chooses.
std::optional<Rejection> check_keys(
    const catalog::Relation& relation, const field::ProtectedColumn& column, std::uint32_t begin
) {
    for (const std::string& name : column.bind_to) {
        const std::string_view problem = problem_of_key(relation.column(name));
        if (!problem.empty()) {
            return disagreement(
                column.qualified_name(),
                "is bound (bind_to) to " + name + std::string(problem),
                begin
            );
        }
    }
    return std::nullopt;
}

}  // namespace

bool is_catalog_name(const catalog::RelationName& name) {
    return name.schema == "pg_catalog" || name.schema == "information_schema";
}

Judgement Relations::judge(const parse::Inventory::Table& table) {
    const catalog::RelationName name{table.schema, table.name};
    if (!table.database.empty() && context_.policy.is_protected_name(table.name)) {
        return rejected(refusal_of(
            table.name, "a name with a database in front", "write schema.table", table.begin
        ));
    }
    Judgement judgement = judge(name, table.begin);
    const bool is_view = judgement.known != nullptr && judgement.standing == Standing::kProtected &&
                         !judgement.known->relation->view_text.empty();
    if (is_view && !table.is_source && !table.is_target) {
        return rejected(refusal_of(
            display(name),
            "a view over a protected table in this place",
            "SELECT from it, and change the table itself",
            table.begin
        ));
    }
    return judgement;
}

Judgement Relations::judge(const catalog::RelationName& name, std::uint32_t begin) {
    if (name.schema == "pgveil") {
        return rejected(refusal_of(
            display(name),
            "a direct reference to schema pgveil",
            "its functions are called as SELECT pgveil.<function>(...); nothing else in it is for "
            "clients",
            begin
        ));
    }
    if (unsettled_.contains(name.name)) {
        return rejected(refusal_of(
            display(name),
            "a view that a statement before it in the same text defines",
            "send the two in texts of their own",
            begin
        ));
    }
    const bool has_protected_name = context_.policy.is_protected_name(name.name);
    if (is_catalog_name(name) && !has_protected_name) {
        return {};
    }
    const catalog::Entry* const entry = entry_of(name);
    if (entry == nullptr) {
        missing_.insert(name);
        return Judgement{Standing::kMissing, nullptr, {}};
    }
    if (entry->relation) {
        return judge_known(*entry->relation, begin);
    }
    const bool is_listed = context_.policy.is_listed_plain(name.schema, name.name);
    if ((has_protected_name || context_.policy.is_pinned_view_name(name.name)) && !is_listed) {
        // The database says there is no such table. It must not get the values to prove it.
        return rejected(
            postgres_error("42P01", "relation \"" + display(name) + "\" does not exist", begin)
        );
    }
    return {};
}

Judgement Relations::judge_candidate(const catalog::RelationName& name, std::uint32_t begin) {
    if (name.schema != "pgveil" && !context_.policy.is_protected_name(name.name)) {
        const catalog::Entry* const entry = entry_of(name);
        return entry != nullptr && is_index(*entry) ? Judgement() : judge(name, begin);
    }
    if (name.schema != "pgveil" && context_.policy.is_listed_plain(name.schema, name.name)) {
        return {};
    }
    return Judgement{Standing::kProtected, nullptr, {}};
}

Judgement Relations::judge_known(const catalog::Relation& relation, std::uint32_t begin) {
    const catalog::RelationName real{relation.schema, relation.name};
    const Claims claims(relation, context_.policy);
    if (analysis::entry_of(relation, context_.policy) != nullptr) {
        return judge_protected(relation, claims, begin);
    }
    const bool is_listed = context_.policy.is_listed_plain(relation.schema, relation.name);
    if (context_.policy.is_protected_name(relation.name) && !is_listed &&
        !is_not_yet_veiled(relation, context_.policy)) {
        return rejected(refusal_of(
            display(real),
            "a relation with the name of a protected table",
            "if it is meant to be unprotected, list it under \"plain\" in the policy",
            begin
        ));
    }
    const bool has_pinned_name = context_.policy.is_pinned_view_name(relation.name);
    if (has_pinned_name && !is_listed && !is_pinned(relation)) {
        return rejected(disagreement(
            display(real),
            "has another shape than the pinned view, or the name of one in another schema",
            begin
        ));
    }
    if (!claims.empty()) {
        return judge_protected(relation, claims, begin);
    }
    if (auto problem = check_pins(relation, begin)) {
        return rejected(std::move(*problem));
    }
    if (relation.over_protected && !relation.view_text.empty()) {
        return judge_view(relation, begin);
    }
    if (has_ciphertext(relation)) {
        return rejected(disagreement(
            display(real),
            "has an encrypted column, but the policy does not know the relation",
            begin
        ));
    }
    if (relation.over_protected) {
        return rejected(refusal_of(
            display(real),
            "a view, rule or inheritance over a protected table",
            "not available yet: use the protected table itself",
            begin
        ));
    }
    KnownRelation known{&relation, std::vector<ColumnPtr>(relation.columns.size())};
    return Judgement{Standing::kPlain, remember(std::move(known)), {}};
}

Judgement Relations::judge_view(const catalog::Relation& relation, std::uint32_t begin) {
    constexpr std::size_t kDepthMax = 16;
    if (const auto known = known_.find(&relation); known != known_.end()) {
        return Judgement{Standing::kProtected, &known->second, {}};
    }
    const std::size_t missing_before = missing_.size();
    ViewColumns columns;
    if (view_depth_ < kDepthMax) {
        ++view_depth_;
        columns = columns_of_view(relation, context_, *this);
        --view_depth_;
    } else {
        columns.problem = "over too many other views";
    }
    if (missing_.size() != missing_before) {
        return Judgement{Standing::kMissing, nullptr, {}};
    }
    if (!columns.problem.empty()) {
        return rejected(refusal_of(
            display({relation.schema, relation.name}),
            "a view over a protected table " + columns.problem,
            "write its query in the statement itself",
            begin
        ));
    }
    KnownRelation known{&relation, std::move(columns.veils), std::move(columns.bound_below)};
    return Judgement{Standing::kProtected, remember(std::move(known)), {}};
}

Judgement Relations::judge_protected(
    const catalog::Relation& relation, const Claims& claims, std::uint32_t begin
) {
    if (relation.relkind != 'r' && relation.relkind != 'p') {
        return rejected(disagreement(
            display({relation.schema, relation.name}),
            "is not a table, but the policy protects a table",
            begin
        ));
    }
    auto problem = check_pins(relation, begin);
    problem = problem ? std::move(problem) : claims.conflict(begin);
    if (problem) {
        return rejected(std::move(*problem));
    }
    KnownRelation known{&relation, {}};
    for (const catalog::Column& column : relation.columns) {
        const ColumnPtr veil = claims.column(column.name);
        const std::string subject = relation.schema + "." + relation.name + "." + column.name;
        if (veil == nullptr && column.is_ciphertext) {
            return rejected(disagreement(subject, "is encrypted, but not in the policy", begin));
        }
        if (veil != nullptr && !column.is_ciphertext) {
            return rejected(
                disagreement(subject, "is protected by the policy, but a plain column", begin)
            );
        }
        const ColumnPtr known_veil = veil == nullptr ? nullptr : enums_.known(veil);
        if (veil != nullptr && known_veil == nullptr) {
            return without_type(*veil, begin);
        }
        known.veils.push_back(known_veil);
        if (known.veils.back() != nullptr) {
            if (auto missing_key = check_keys(relation, *known.veils.back(), begin)) {
                return rejected(std::move(*missing_key));
            }
        }
    }
    return Judgement{Standing::kProtected, remember(std::move(known)), {}};
}

/// It has a shape that was pinned for it.
bool Relations::is_pinned(const catalog::Relation& relation) const {
    const auto* const shapes = context_.policy.pinned_shapes(relation.schema, relation.name);
    return shapes != nullptr && shapes->contains(catalog::shape_of(relation));
}

Judgement Relations::without_type(const field::ProtectedColumn& column, std::uint32_t begin) const {
    if (!missing_.empty()) {
        return Judgement{Standing::kMissing, nullptr, {}};
    }
    return rejected(disagreement(
        column.qualified_name(),
        "is of type " + types::name_of(column.type) +
            " in the policy, which this database does not have",
        begin
    ));
}

/// A pinned table that the database calls plain is of another shape, too.
std::optional<Rejection> Relations::check_pins(
    const catalog::Relation& relation, std::uint32_t begin
) const {
    const bool has_pin = context_.policy.pinned_shapes(relation.schema, relation.name) != nullptr;
    const bool is_stored = relation.oid != 0;  // else this text creates it
    if (!has_pin || !is_stored || is_pinned(relation)) {
        return std::nullopt;
    }
    return disagreement(
        display({relation.schema, relation.name}), "has another shape than the pinned one", begin
    );
}

const KnownRelation* Relations::remember(KnownRelation known) {
    return &known_.try_emplace(known.relation, std::move(known)).first->second;
}

const catalog::Entry* Relations::entry_of(const catalog::RelationName& name) {
    const catalog::Entry* const staged = staged_.find(name);
    used_.insert(name);
    return staged != nullptr ? staged : context_.catalog.find(name);
}

const catalog::Entry* Relations::asked_for(const catalog::RelationName& name) {
    const catalog::Entry* const entry = entry_of(name);
    if (entry == nullptr) {
        missing_.insert(name);
    }
    return entry;
}

const catalog::Relation* Relations::described(const catalog::RelationName& name) {
    const catalog::Entry* const entry = asked_for(name);
    return entry != nullptr && entry->relation ? &*entry->relation : nullptr;
}

std::optional<std::string> Relations::creation_schema(const catalog::RelationName& name) {
    if (!name.schema.empty()) {
        return name.schema;
    }
    used_.insert(name);
    const catalog::Entry* const entry = context_.catalog.find(name);
    if (entry == nullptr) {
        missing_.insert(name);
        return std::nullopt;
    }
    return entry->creation_schema;
}

void Relations::stage(catalog::Relation relation) {
    put_staged(std::move(relation), true);
}

void Relations::stage_altered(catalog::Relation relation) {
    const catalog::Entry* const found = entry_of({std::string(), relation.name});
    const bool is_in_path =
        found != nullptr && found->relation && found->relation->schema == relation.schema;
    put_staged(std::move(relation), is_in_path);
}

void Relations::put_staged(catalog::Relation relation, bool is_in_path) {
    known_.clear();  // it points into what is replaced here
    const std::string schema = relation.schema;
    const catalog::RelationName qualified{schema, relation.name};
    const catalog::RelationName unqualified{std::string(), relation.name};
    catalog::Entry entry{std::move(relation), schema};
    if (is_in_path) {
        staged_.put(unqualified, entry);
    }
    staged_.put(qualified, std::move(entry));
}

}  // namespace pgveil::analysis
