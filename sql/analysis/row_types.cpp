#include "sql/analysis/row_types.hpp"

#include "sql/analysis/type_names.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::analysis {

namespace {

// What these mean is certain without a look-up: pg_catalog is searched before everything else.
constexpr std::array<std::string_view, 30> kOwnTypes = {
    "aclitem",  "anyarray",     "anyelement", "bigserial",    "bit",     "box",
    "char",     "circle",       "jsonpath",   "money",        "name",    "oid",
    "path",     "pg_lsn",       "point",      "polygon",      "record",  "refcursor",
    "regclass", "regnamespace", "regproc",    "regprocedure", "regrole", "regtype",
    "serial",   "smallserial",  "tsquery",    "tsvector",     "unknown", "xml"};

static_assert(std::is_sorted(kOwnTypes.begin(), kOwnTypes.end()));

class RowTypes {
public:
    explicit RowTypes(Draft& draft) : draft_(draft) {}

    void judge(const parse::Names& names, std::uint32_t begin) {
        if (names.front() == "pgveil") {
            draft_.refuse(refusal_of(
                names.back(),
                "a type of schema pgveil",
                "nothing in schema pgveil is for clients",
                begin
            ));
        } else if (!is_known(names)) {
            judge_relation(names, begin);
            judge_type(names, begin);
        }
    }

private:
    bool is_known(const parse::Names& names) {
        parse::TypeName type;
        type.names = names;
        return (names.size() == 1 &&
                std::binary_search(kOwnTypes.begin(), kOwnTypes.end(), names.back())) ||
               type_of(type, relations().enums()).has_value();
    }

    /// The array type of `x` is called `_x`, or `__x` where that is taken (documentation of
    /// CREATE TYPE, "Array Types").
    void judge_relation(const parse::Names& names, std::uint32_t begin) {
        const std::string schema = names.size() > 1 ? names.at(names.size() - 2) : std::string();
        std::string name = names.back();
        judge_relation(catalog::RelationName{schema, name}, begin);
        while (name.size() > 1 && name.front() == '_') {
            name.erase(0, 1);
            judge_relation(catalog::RelationName{schema, name}, begin);
        }
    }

    void judge_relation(const catalog::RelationName& name, std::uint32_t begin) {
        take(relations().judge_row_type(name, begin));
    }

    /// By what the database says: domains and ranges, and arrays with another name.
    void judge_type(const parse::Names& names, std::uint32_t begin) {
        const std::string schema = names.size() > 1 ? names.at(names.size() - 2) : std::string();
        const catalog::RelationName type{schema, names.back(), catalog::RelationName::Kind::kType};
        if (!is_catalog_name(type)) {
            take(relations().judge_type(type, begin));
        }
    }

    void take(const Judgement& judgement) {
        if (judgement.rejection) {
            draft_.refuse(*judgement.rejection);
        }
    }

    Relations& relations() { return draft_.text().relations; }

    Draft& draft_;
};

}  // namespace

void refuse_row_types(Draft& draft, const parse::Inventory& inventory) {
    if (draft.text().context.policy.is_empty()) {
        return;
    }
    RowTypes types(draft);
    for (const auto& [names, begin] : inventory.types) {
        types.judge(names, begin);
    }
}

std::optional<Rejection> refuse_declared_types(Relations& relations, const Context& context) {
    constexpr std::uint32_t kFirstOwnOid = 16384;  // FirstNormalObjectId
    if (context.policy.is_empty()) {
        return std::nullopt;
    }
    std::optional<Rejection> refused;
    for (std::size_t i = 0; i < context.parameter_oids.size(); ++i) {
        const std::uint32_t oid = context.parameter_oids[i];
        const std::string number = std::to_string(oid);
        const catalog::RelationName type{"", number, catalog::RelationName::Kind::kTypeOid};
        const auto judgement =
            oid < kFirstOwnOid ? Judgement() : relations.judge_type(type, parse::kNowhere);
        if (judgement.rejection) {
            refused = refusal_of(
                "parameter $" + std::to_string(i + 1),
                "the declared type (OID " + number + "), with encrypted values of " +
                    judgement.rejection->subject + " in it",
                "send the values one by one",
                parse::kNowhere
            );
        } else if (oid >= kFirstOwnOid && !relations.may_have_type(type)) {
            refused = postgres_error(
                "42704", "type with OID " + number + " does not exist", parse::kNowhere
            );
        }
    }
    return refused;
}

}  // namespace pgveil::analysis
