#pragma once

#include "keyshare/core/bytes.hpp"
#include "proxy/relay/plan_bytes.hpp"
#include "proxy/wire/row.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// The last look at results that no rule went through: encrypted values do not reach the client as
// if they were data.
namespace pgveil::relay {

/// What is looked at in the rows of one result that nobody planned. Shared by a prepared statement
/// and its portals: whoever describes the result does it for all of them.
///
/// It finds envelopes under keys of this proxy in columns of type bytea (where they are the whole
/// value) and of types that may hold bytea inside: bytea[], records, types of users (anywhere in
/// the value). Not looked at: text, json and the other types of PostgreSQL; COPY.
class ResultGuard {
public:
    using KnowsKey = std::function<bool(std::uint32_t key_id)>;

    /// Rows larger than this stream through unseen.
    static constexpr std::size_t kRowBytesMax = 16U << 20U;

    /// The server says what columns the rows have. What is kept of them counts in `kept`.
    void describe(const wire::RowDescription& described, PlanBytes& kept);

    /// At most so many bytes are kept: PostgreSQL's results have up to 1664 columns.
    static constexpr std::size_t kSizeMax = 256U << 10U;

    bool is_described() const { return is_described_; }

    /// False: the rows may stream through. A result that was not described is looked at.
    bool looks_at_rows() const { return !is_described_ || !columns_.empty(); }

    /// The first column of `row` that holds an envelope, as a person reads it.
    std::optional<std::string> find(const wire::DataRow& row, const KnowsKey& knows_key) const;

private:
    struct Column {
        std::size_t index = 0;
        bool is_bytea = false;
        std::string name;
    };

    bool is_described_ = false;
    std::vector<Column> columns_;
    Charge charge_;
};

/// True if `cell` (text or binary) is an envelope under such a key.
bool is_envelope(core::ByteView cell, const ResultGuard::KnowsKey& knows_key);

/// True if one stands anywhere in `cell`.
bool holds_envelope(core::ByteView cell, const ResultGuard::KnowsKey& knows_key);

}  // namespace pgveil::relay
