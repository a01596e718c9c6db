#pragma once

#include "sql/analysis/enum_types.hpp"
#include "sql/analysis/plan.hpp"
#include "sql/parse/expression.hpp"
#include "sql/parse/tokens.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

// What a statement needs of its parameters, while its plan is being made.
namespace pgveil::analysis {

/// The type of a parameter that is none of ours.
constexpr std::uint32_t kForeignOid = UINT32_MAX;

/// Collects the uses of each parameter, and gives those with different needs numbers of their own.
/// The plan is the draft's; its parameters are changed here only. Call add() and add_null_test() in
/// the order in which PostgreSQL reads the clauses: the first use gives a parameter its type.
class ParameterNeeds {
public:
    /// The type of a parameter that is not declared, and how it came to it.
    struct Inferred {
        std::uint32_t oid = 0;
        /// The list of assignments that it stands in by itself; 0: in none.
        std::size_t list = 0;
    };

    ParameterNeeds(StatementPlan& plan, EnumTypes& enums) : plan_(&plan), enums_(&enums) {}

    /// The statement is prepared by SQL: its parameters keep their numbers.
    void forbid_splits() { can_split_ = false; }

    /// PostgreSQL reads the values of a list, and then gives all of them the types of their
    /// columns.
    void begin_list() { list_ = ++lists_; }

    void end_list() { list_ = 0; }

    std::size_t list() const { return list_; }

    /// Null: no use has given it a type yet.
    const Inferred* inferred(std::uint32_t number) const;
    void infer(std::uint32_t number, std::uint32_t oid, std::size_t list);

    /// An entry that is not protected.
    void add_plain(ParameterPlan parameter);

    /// The parameter token at `begin` is a value of `need.column`. False: the value is needed in
    /// another form than before, and cannot be sent twice here.
    bool add(ParameterPlan need, const parse::Tokens& tokens, std::uint32_t begin);

    /// The entry that add() was last about, of this parameter of the client's; null: none.
    ParameterPlan* latest(std::uint32_t number);

    /// The parameter stands under IS [NOT] NULL, within these casts. Its type does not matter
    /// there.
    void add_null_test(
        std::uint32_t number, std::uint32_t begin, std::vector<const parse::Cast*> casts
    );

    struct Occurrences {
        std::size_t all = 0;
        std::uint32_t declared_oid = 0;
    };

    /// To be called once, for each parameter of the client's: settles what leaves under its number.
    /// `may_repeat`: a protected value may leave unencrypted in another place.
    std::optional<Rejection> settle(
        std::uint32_t number,
        const Occurrences& occurrences,
        bool may_repeat,
        const parse::Tokens& tokens
    );

private:
    struct NullTest {
        std::uint32_t begin = 0;
        bool is_open = false;  // nothing had given the parameter a type before
        std::vector<const parse::Cast*> casts;
    };

    /// An entry of the plan's parameters, and where its tokens stand.
    struct Need {
        std::size_t index = 0;
        std::vector<std::uint32_t> begins;
    };

    std::uint32_t next_number() { return plan_->parameter_count + ++plan_->split_parameters; }

    bool has_room() const;
    void rename(std::uint32_t begin, const parse::Tokens& tokens, std::uint32_t number);
    void leave_undeclared(std::uint32_t number);
    bool retype_tests(std::uint32_t number, std::string_view type, const parse::Tokens& tokens);
    std::optional<Rejection> part_from_plain(
        std::uint32_t number, const Occurrences& occurrences, const parse::Tokens& tokens
    );
    std::uint32_t type_of_value(std::uint32_t number, const Occurrences& occurrences) const;
    bool never_fail(const std::vector<NullTest>& tests, std::uint32_t oid) const;
    std::optional<std::vector<types::Type>> casts_of(const NullTest& test) const;
    std::optional<std::vector<types::Type>> common_casts(
        const std::vector<NullTest>& tests, types::Kind from
    ) const;
    bool seals_anything() const;
    std::optional<Rejection> refuse_tested(std::uint32_t number) const;
    std::optional<Rejection> settle_tested(
        std::uint32_t number,
        const Occurrences& occurrences,
        const std::vector<NullTest>& tests,
        const parse::Tokens& tokens
    );
    std::optional<Rejection> hide_tested(
        std::uint32_t number, const Occurrences& occurrences, const parse::Tokens& tokens
    );

    StatementPlan* plan_;
    EnumTypes* enums_;
    bool can_split_ = true;
    std::size_t lists_ = 0;
    std::size_t list_ = 0;
    std::map<std::uint32_t, Inferred> inferred_;
    std::map<std::uint32_t, std::vector<Need>> needs_;
    std::map<std::uint32_t, std::size_t> latest_;
    std::map<std::uint32_t, std::vector<NullTest>> null_tests_;
};

/// As long as it lives, the values of one list are assigned.
class AssignedList {
public:
    explicit AssignedList(ParameterNeeds& needs) : needs_(needs) { needs_.begin_list(); }

    ~AssignedList() { needs_.end_list(); }

    AssignedList(const AssignedList&) = delete;
    AssignedList& operator=(const AssignedList&) = delete;

private:
    ParameterNeeds& needs_;
};

}  // namespace pgveil::analysis
