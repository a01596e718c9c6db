#pragma once

#include "sql/analysis/analyzer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::analysis::test {

/// A small clinic: what the policy says, what the database says, and one-line renderings of
/// decisions. Tables: public.patients and public.visits are protected, public.notes is plain,
/// public.events and public.tales have ordered columns, patients has the unique keys id and email
/// (and one over the randomized name, which counts for nothing), visits (patient_id, day),
/// public.v_patients is a view over patients, other.patients has a protected name.
class Clinic {
public:
    Clinic();

    Analysis analyze(std::string_view sql) const;
    /// analyze() for a text of one statement.
    Decision decide(std::string_view sql) const;

    /// The text as it would leave: sealed literals as {column=plaintext}, handles as
    /// {pgveil.user_id=value}; for a refusal "!<sqlstate> <subject>: <construct>" (or its message
    /// when there is no construct).
    std::string sent(std::string_view sql) const;

    /// Result columns: "-" plain, else the column's name, and the type if it is shown as another
    /// one; comma separated.
    std::string results(std::string_view sql) const;
    /// Parameters: "1:ssn compared 17/25", comma separated.
    std::string parameters(std::string_view sql, std::vector<std::uint32_t> declared = {}) const;

    /// "repeated_values": "count".
    void count_repeated_values();

    /// The policy with one more key at its front, such as `"plain": []`.
    void add_to_policy(std::string_view entry);

    catalog::Catalog catalog;
    std::shared_ptr<const config::Policy> policy;
    bool standard_conforming_strings = true;
    std::vector<std::uint32_t> parameter_oids;
    Limits limits;
    int server_major = 0;
    const NamedPlans* names = nullptr;
    NextKeys next_keys;

    /// Puts it into the catalog, under its name without a schema, too, if that is in the path.
    void add(catalog::Relation relation, bool is_in_path = true);

private:
    void add_ordered();

    types::TextStyle style_;
};

/// A refusal in one line.
std::string rendered(const Rejection& rejection);

}  // namespace pgveil::analysis::test
