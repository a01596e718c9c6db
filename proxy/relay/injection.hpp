#pragma once

#include "proxy/relay/refusal.hpp"
#include "proxy/wire/output.hpp"
#include "sql/catalog/catalog.hpp"
#include "sql/catalog/lookup.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::relay {

/// How an injected query ends: with Sync when no batch of the client is open, else with Flush,
/// because Sync would commit the client's implicit transaction.
enum class Ending { kSync, kFlush };

/// One query of the proxy's own inside the client's server session (SQL.md section 3), sent as
/// extended messages over names of our own, so that the client's unnamed statement and
/// portal survive. One at a time per session; it collects the answer as plain values.
class Injection {
public:
    enum class Purpose {
        kNone,
        kCatalog,         ///< look relation names up
        kViewpoint,       ///< what its answer depends on in this session
        kParameters,      ///< read the handles of the session parameters back
        kCiphertextType,  ///< create schema and domain if they are missing
        kVerifiedUser,    ///< set pgveil_verified.user_id
    };

    using Row = std::vector<std::optional<std::string>>;

    /// Name of the statement and of the portal. Replies come for Close, Parse, Bind, Execute, Close
    /// and, with Ending::kSync, Sync.
    static constexpr std::string_view kName = "pgveil_injected";

    using Answers = catalog::LookupReader::Answers;

    /// What is looked up, and how.
    struct Question {
        std::vector<catalog::RelationName> names;
        std::string protected_names;  ///< catalog::protected_parameter()
        Answers answers = Answers::kWhole;
    };

    void look_up(wire::Output& upstream, Ending ending, Question question);
    void ask_viewpoint(wire::Output& upstream, Ending ending);
    void read_parameters(wire::Output& upstream, Ending ending);
    void create_ciphertext_type(wire::Output& upstream, Ending ending);
    void set_verified_user(wire::Output& upstream, Ending ending, std::string user_id);

    Purpose purpose() const { return purpose_; }

    Ending ending() const { return ending_; }

    void add_row(Row row) { rows_.push_back(std::move(row)); }

    void fail(Refusal refusal) { failure_ = std::move(refusal); }

    bool has_failed() const { return failure_.has_value(); }

    /// Why the last injection failed, once.
    std::optional<Refusal> take_failure() { return std::exchange(failure_, std::nullopt); }

    const std::vector<Row>& rows() const { return rows_; }

    const std::vector<catalog::RelationName>& names() const { return names_; }

    /// Of kCatalog.
    Answers answers() const { return answers_; }

    /// What kVerifiedUser sets.
    const std::string& user_id() const { return user_id_; }

    /// How many replies the query brings; each is reported by answered().
    void expect(std::size_t replies) { replies_left_ = replies; }

    /// One reply is complete; true: it was the last.
    bool answered() { return --replies_left_ == 0; }

    /// Forgets everything but a failure: the answer was used, or never comes.
    void reset();

private:
    void send(
        wire::Output& upstream,
        std::string_view sql,
        const std::vector<std::string>& arguments,
        std::uint32_t argument_type = catalog::kTextArrayOid
    );

    Purpose purpose_ = Purpose::kNone;
    Ending ending_ = Ending::kSync;
    std::vector<catalog::RelationName> names_;
    Answers answers_ = Answers::kWhole;
    std::string user_id_;
    std::vector<Row> rows_;
    std::size_t replies_left_ = 0;
    std::optional<Refusal> failure_;
};

}  // namespace pgveil::relay
