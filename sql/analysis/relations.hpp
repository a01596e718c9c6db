#pragma once

#include "sql/analysis/analyzer.hpp"
#include "sql/analysis/claims.hpp"
#include "sql/analysis/enum_types.hpp"
#include "sql/parse/ast.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

// What a relation name means for us: policy first, then what the database said.
namespace pgveil::analysis {

/// A relation as analysis sees it: its columns, and which of them are protected.
struct KnownRelation {
    const catalog::Relation* relation = nullptr;
    /// One per column of the relation; null where plain.
    std::vector<ColumnPtr> veils;
    /// Of a view: a column with bind_to of a table below it; null if there is none. A column of the
    /// view may be its key under another name.
    ColumnPtr bound_below = {};
};

enum class Standing {
    /// Nothing of it is protected, or the database does not know it.
    kPlain,
    kProtected,
    /// Not in the catalog yet.
    kMissing,
    /// May not be touched.
    kRejected,
};

struct Judgement {
    Standing standing = Standing::kPlain;
    /// Set if the relation exists, except for catalog relations that pass without lookup.
    const KnownRelation* known = nullptr;
    std::optional<Rejection> rejection;
    /// judge_function(): somebody made a function of that name in the database.
    bool is_own_function = false;
    /// judge_function(): what the policy says that it returns; null: nothing protected.
    const config::FunctionPolicy* returns = nullptr;
};

/// Judges names for one text, remembering relations that this text itself creates.
/// One object per analyze() call; results live as long as it.
class Relations {
public:
    explicit Relations(const Context& context)
        : context_(context),
          enums_(context.policy, [this](const auto& name) { return asked_for(name); }) {}

    ~Relations() = default;
    Relations(const Relations&) = delete;
    Relations& operator=(const Relations&) = delete;

    /// A relation that is read or written.
    Judgement judge(const parse::Inventory::Table& table);
    Judgement judge(const catalog::RelationName& name, std::uint32_t begin);

    /// An identifier that may or may not name a relation: kPlain unless it certainly does.
    Judgement judge_candidate(const catalog::RelationName& name, std::uint32_t begin);

    /// Functions that are called by this name. kPlain: none of them sees protected values, as far
    /// as their signature and source tell, but for what the policy says that they return.
    Judgement judge_function(const catalog::RelationName& name, std::uint32_t begin);

    /// The relation whose row type is meant, if there is one: protected ones are rejected.
    Judgement judge_row_type(const catalog::RelationName& name, std::uint32_t begin);

    /// A type, by name (kType) or OID (kTypeOid). kPlain: it has no rows of protected relations in
    /// it, or the database does not know it.
    Judgement judge_type(const catalog::RelationName& name, std::uint32_t begin);

    /// The database has this type, or it is not looked up yet.
    bool may_have_type(const catalog::RelationName& name);

    /// What the database says about a name, whatever we think of it. Null: there is no such
    /// relation, or it is not looked up yet (reported through missing()).
    const catalog::Relation* described(const catalog::RelationName& name);

    /// Where `CREATE TABLE name` goes. kMissing is reported through missing().
    std::optional<std::string> creation_schema(const catalog::RelationName& name);

    /// A protected table that the text creates: later statements of the text see it.
    void stage(catalog::Relation relation);
    /// A relation that the text alters: the same, under the names that mean it now.
    void stage_altered(catalog::Relation relation);

    /// The text defines a view of this last name: what it shows is not known before it has run, so
    /// later statements of the text may not use it.
    void unsettle(const std::string& name) { unsettled_.insert(name); }

    /// A statement of the text may change which keys a table has.
    void forget_keys() { knows_keys_ = false; }

    /// Relation::keys are what they were when they were read.
    bool knows_keys() const { return knows_keys_; }

    EnumTypes& enums() { return enums_; }

    const std::set<catalog::RelationName>& missing() const { return missing_; }

    /// Every name whose catalog entry was asked for.
    const std::set<catalog::RelationName>& used() const { return used_; }

private:
    const catalog::Entry* entry_of(const catalog::RelationName& name);
    Judgement judge_view(const catalog::Relation& relation, std::uint32_t begin);
    /// entry_of(), reported through missing() if there is none.
    const catalog::Entry* asked_for(const catalog::RelationName& name);
    Judgement judge_known(const catalog::Relation& relation, std::uint32_t begin);
    Judgement judge_protected(
        const catalog::Relation& relation, const Claims& claims, std::uint32_t begin
    );
    bool is_pinned(const catalog::Relation& relation) const;
    Judgement without_type(const field::ProtectedColumn& column, std::uint32_t begin) const;
    std::optional<Rejection> check_pins(const catalog::Relation& relation, std::uint32_t begin)
        const;
    const KnownRelation* remember(KnownRelation known);
    void put_staged(catalog::Relation relation, bool is_in_path);

    const Context& context_;
    EnumTypes enums_;
    catalog::Catalog staged_;
    std::map<const catalog::Relation*, KnownRelation> known_;
    std::set<catalog::RelationName> missing_;
    std::set<catalog::RelationName> used_;
    std::set<std::string> unsettled_;
    std::size_t view_depth_ = 0;
    bool knows_keys_ = true;
};

/// True for names that are in PostgreSQL's own catalogs for certain: qualified ones. An unqualified
/// pg_... may be a relation of the user where the catalog has none of that name.
bool is_catalog_name(const catalog::RelationName& name);

}  // namespace pgveil::analysis
