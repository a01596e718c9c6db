#include "test/fuzz/relay_session.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/row.hpp"
#include "sql/catalog/lookup.hpp"
#include "test/keyshare/store/world.hpp"

#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

namespace pgveil::fuzz {

using analysis::SessionParameter;
using relay::Awaited;
using relay::Injection;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

namespace {

/// What all sessions share: a custody with a user, and the user's shares.
class Tenant final : public store::test::World {
public:
    Tenant() {
        opening_ = store::TokenOpening::kPerToken;
        World::SetUp();
        const store::test::Holdings nurse = add_user("nurse");
        app_share = app_text(nurse);
        token = World::token(nurse);
        require(rebuild({"nurse", &token, &app_share}).has_value());
    }

    Tenant(const Tenant&) = delete;
    Tenant& operator=(const Tenant&) = delete;
    Tenant(Tenant&&) = delete;
    Tenant& operator=(Tenant&&) = delete;

    ~Tenant() override { World::TearDown(); }

    void TestBody() override {}

    std::shared_ptr<store::ProxyCustody> custody() const { return custody_; }

    core::SecretBytes token, app_share;
};

const Tenant& the_tenant() {
    static const Tenant kTenant;
    return kTenant;
}

constexpr std::string_view kPolicy = R"json({
    "tables": {"public.patients": {"columns": {
        "name": {"type": "varchar(80)"}, "ssn": {"type": "text", "search": "equality"},
        "born": {"type": "date", "search": "order"}}}}})json";

class NoZones final : public types::TimeZoneSource {
public:
    const types::TimeZone* find(std::string_view /*name*/) const override { return &utc_; }

private:
    types::TimeZone utc_ = types::TimeZone::utc();
};

std::unique_ptr<relay::Environment> environment() {
    static const NoZones kZones;
    static const std::shared_ptr<const config::Policy> kParsed =
        *config::parse_policy("policy.json", kPolicy);
    auto made = std::make_unique<relay::Environment>();
    made->policy = kParsed;
    made->custody = the_tenant().custody();
    made->random = &core::system_random();
    made->zones = &kZones;
    made->now_s = [] {
        return store::test::kNow;
    };
    made->now_ms = [] {
        return std::int64_t{0};
    };
    made->limits.message_bytes = 65536;
    made->limits.pending_replies = 64;
    made->limits.statements_per_session = 16;
    made->plans.set_limit(1U << 20U);
    return made;
}

relay::SessionFacts facts() {
    relay::SessionFacts made;
    made.id = "s1";
    made.login = "clinic";
    made.database = "clinic";
    made.client_is_tls = true;
    return made;
}

using Cells = std::vector<std::optional<std::string>>;

void append_row(wire::Output& out, const Cells& cells) {
    wire::RowWriter row(out, static_cast<std::uint16_t>(cells.size()));
    for (const auto& cell : cells) {
        row.add(cell ? wire::Cell(wire::as_bytes(*cell)) : wire::Cell());
    }
    row.finish();
}

struct Column {
    const char* name;
    const char* type_oid;
    const char* type;
};

void append_column(
    wire::Output& out, const std::string& table, std::size_t ordinal, std::size_t attnum
) {
    constexpr std::array<Column, 4> kColumns = {
        {{"id", "23", "integer"},
         {"name", "20001", "pgveil.ciphertext"},
         {"ssn", "20001", "pgveil.ciphertext"},
         {"born", "20001", "pgveil.ciphertext"}}};
    const Column& column = kColumns.at(attnum - 1);
    Cells cells(catalog::kLookupColumns);
    cells[0] = std::to_string(ordinal);
    cells[1] = "public";
    cells[2] = std::to_string(30000 + ordinal);
    cells[3] = "public";
    cells[4] = table;
    cells[5] = "r";
    cells[6] = "f";
    cells[7] = "t";
    cells[8] = std::to_string(attnum);
    cells[9] = column.name;
    cells[10] = column.type_oid;
    cells[11] = "-1";
    cells[12] = column.type;
    cells[13] = attnum > 1 ? "t" : "f";
    cells[14] = cells[15] = cells[16] = cells[17] = "f";
    append_row(out, cells);
}

/// `patients` as the policy has it, every other name as a plain table with one column.
wire::Output catalog_rows(const std::vector<catalog::RelationName>& names) {
    wire::Output out;
    for (std::size_t at = 0; at < names.size(); ++at) {
        const std::size_t columns = names[at].name == "patients" ? 4 : 1;
        for (std::size_t attnum = 1; attnum <= columns; ++attnum) {
            append_column(out, names[at].name, at + 1, attnum);
        }
    }
    return out;
}

std::string taken(relay::Outgoing& outgoing) {
    std::string bytes;
    outgoing.for_each([&bytes](wire::ByteView slice) { bytes.append(slice.begin(), slice.end()); });
    outgoing.clear();
    return bytes;
}

void drop_front(std::vector<std::uint8_t>& bytes, std::size_t count) {
    require(count <= bytes.size());
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

RelaySession::RelaySession()
    : environment_(environment()), relay_(std::make_unique<relay::Relay>(*environment_, facts())) {
    const Tenant& tenant = the_tenant();
    relay::SessionParameters& parameters = relay_->state().parameters;
    handles_ = {
        parameters.remember(SessionParameter::kUserId, core::as_bytes("nurse"), true),
        parameters.remember(SessionParameter::kUserToken, tenant.token.reveal(), true),
        parameters.remember(SessionParameter::kAppShare, tenant.app_share.reveal(), true)};
}

RelaySession::~RelaySession() = default;

bool RelaySession::is_over() const {
    return relay_->is_finished() || !relay_->violation().empty();
}

void RelaySession::client_sends(wire::ByteView bytes) {
    client_input_.insert(client_input_.end(), bytes.begin(), bytes.end());
    if (!relay_->client_waits()) {
        feed_client();
    }
}

void RelaySession::server_sends(wire::ByteView bytes) {
    server_input_.insert(server_input_.end(), bytes.begin(), bytes.end());
    feed_server();
}

void RelaySession::server_answers() {
    const wire::Output said = answer();
    server_sends(said.bytes());
}

void RelaySession::feed_client() {
    relay::Outgoing upstream;
    const std::size_t used = relay_->on_client(client_input_, upstream);
    server_log_ += taken(upstream);
    drop_front(client_input_, used);
}

void RelaySession::feed_server() {
    relay::Outgoing client;
    relay::Outgoing upstream;
    const std::size_t used = relay_->on_upstream(server_input_, client, upstream);
    static_cast<void>(taken(client));
    server_log_ += taken(upstream);
    drop_front(server_input_, used);
    if (!relay_->client_waits() && !is_over()) {
        feed_client();
    }
}

wire::Output RelaySession::injected_rows() {
    const Injection& injection = relay_->state().injection;
    if (injection.purpose() == Injection::Purpose::kCatalog) {
        return catalog_rows(injection.names());
    }
    wire::Output out;
    if (injection.purpose() == Injection::Purpose::kParameters) {
        Cells cells(handles_.begin(), handles_.end());
        for (const char* const setting :
             {"hex", "1", "on", "Default", "UTC", "ISO, MDY", "postgres", "UTF8", "on", ""}) {
            cells.emplace_back(setting);
        }
        append_row(out, cells);
    }
    return out;
}

wire::Output RelaySession::answer() {
    wire::Output out;
    const relay::Expected* const expected = relay_->state().pending.front();
    if (expected == nullptr) {
        return out;
    }
    switch (expected->kind) {
        case Awaited::kParse: wire::append_empty(out, wire::BackendType::kParseComplete); break;
        case Awaited::kBind: wire::append_empty(out, wire::BackendType::kBindComplete); break;
        case Awaited::kClose: wire::append_empty(out, wire::BackendType::kCloseComplete); break;
        case Awaited::kDescribeStatement:
        case Awaited::kDescribePortal: wire::append_empty(out, wire::BackendType::kNoData); break;
        case Awaited::kExecute:
        case Awaited::kQuery:
            if (expected->injected) {
                out = injected_rows();
            }
            wire::append_command_complete(out, "SELECT 1");
            break;
        case Awaited::kSync:
        case Awaited::kFunctionCall: break;
    }
    if (expected->ends_segment()) {
        wire::append_ready_for_query(out, wire::TransactionStatus::kIdle);
    }
    return out;
}

}  // namespace pgveil::fuzz
