#include "sql/analysis/column_name.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace pgveil::analysis {

namespace {

struct Figured {
    std::string name;
    /// PostgreSQL's measure: 2 a name of its own, 1 that of a type or of CASE, which gives way to
    /// what stands around it, 0 none.
    int strength = 0;
    bool may_change = false;
};

using MaybeFigured = std::optional<Figured>;

struct ConstructName {
    std::string_view construct;
    std::string_view name;
};

constexpr std::array kConstructNames = {
    ConstructName{"COALESCE", "coalesce"},
    ConstructName{"GREATEST", "greatest"},
    ConstructName{"LEAST", "least"},
    ConstructName{"ARRAY", "array"},
    ConstructName{"row value", "row"},
    ConstructName{"GROUPING", "grouping"}};

Figured strong(std::string_view name) {
    return {std::string(name), 2};
}

MaybeFigured figure(const parse::Expression& value, int server_major);

struct Figure {
    int server_major;

    MaybeFigured operator()(const parse::ColumnReference& reference) const {
        return reference.star || reference.parts.empty() ? MaybeFigured()
                                                         : strong(reference.parts.back());
    }

    /// Before 15 `true` was read as 't'::bool.
    MaybeFigured operator()(const parse::Constant& constant) const {
        const bool is_cast =
            constant.kind == parse::Constant::Kind::kBool && server_major > 0 && server_major < 15;
        return Figured{is_cast ? "bool" : "", is_cast ? 1 : 0, true};
    }

    MaybeFigured operator()(const parse::Parameter&) const { return Figured{{}, 0, true}; }

    MaybeFigured operator()(const parse::Logical&) const { return Figured(); }

    MaybeFigured operator()(const parse::NullTest&) const { return Figured(); }

    MaybeFigured operator()(const parse::Operation& operation) const {
        return operation.kind == parse::Operation::Kind::kNullIf ? strong("nullif") : Figured();
    }

    MaybeFigured operator()(const parse::Call& call) const {
        if (call.name.empty()) {
            return std::nullopt;
        }
        const std::string& name = call.name.back();
        return Figured{name, 2, name == "min" || name == "max"};
    }

    MaybeFigured operator()(const parse::Cast& cast) const {
        MaybeFigured inner = figure(*cast.operand, server_major);
        if (!inner || inner->strength > 1) {
            return inner;
        }
        return cast.type.names.empty() ? MaybeFigured() : Figured{cast.type.names.back(), 1, true};
    }

    MaybeFigured operator()(const parse::Case& choice) const {
        MaybeFigured inner =
            choice.otherwise == nullptr ? Figured() : figure(*choice.otherwise, server_major);
        return !inner || inner->strength > 1 ? inner : Figured{"case", 1};
    }

    MaybeFigured operator()(const parse::Construct& construct) const {
        if (construct.name == "COLLATE" && !construct.parts.empty()) {
            return figure(*construct.parts.front(), server_major);
        }
        const auto* const known = std::find_if(
            kConstructNames.begin(),
            kConstructNames.end(),
            [&construct](const ConstructName& entry) { return entry.construct == construct.name; }
        );
        return known == kConstructNames.end() ? MaybeFigured() : strong(known->name);
    }

    MaybeFigured operator()(const parse::SubQuery& query) const {
        using Kind = parse::SubQuery::Kind;
        switch (query.kind) {
            case Kind::kExists: return strong("exists");
            case Kind::kArray: return strong("array");
            case Kind::kScalar: return of_column(*query.query);
            case Kind::kAny:
            case Kind::kAll: return Figured();
            case Kind::kMultiAssign: break;
        }
        return std::nullopt;
    }

    template <class Other>
    MaybeFigured operator()(const Other&) const {
        return std::nullopt;
    }

private:
    /// The column of a scalar sub-query has a name of its own by then, "?column?" included.
    MaybeFigured of_column(const parse::Select& query) const {
        const parse::Select* first = &query;
        while (first->left != nullptr) {
            first = first->left.get();
        }
        if (!first->values.empty()) {
            return strong("column1");
        }
        if (first->targets.size() != 1 || first->targets.front().value == nullptr) {
            return std::nullopt;
        }
        const parse::Target& target = first->targets.front();
        if (!target.name.empty()) {
            return strong(target.name);
        }
        const MaybeFigured inner = figure(*target.value, server_major);
        return !inner ? MaybeFigured() : strong(inner->name.empty() ? "?column?" : inner->name);
    }
};

MaybeFigured figure(const parse::Expression& value, int server_major) {
    return std::visit(Figure{server_major}, value.node);
}

}  // namespace

std::optional<ColumnName> name_of_column(const parse::Expression& value, int server_major) {
    MaybeFigured found = figure(value, server_major);
    return found ? std::optional(ColumnName{std::move(found->name), found->may_change})
                 : std::nullopt;
}

}  // namespace pgveil::analysis
