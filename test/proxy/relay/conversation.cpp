#include "test/proxy/relay/conversation.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/frame.hpp"
#include "proxy/wire/row.hpp"
#include "sql/catalog/lookup.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {

namespace {

std::string letters_of(wire::ByteView bytes) {
    std::string letters;
    wire::FrameReader frames(bytes, bytes.size() + 1);
    while (frames.peek().status == wire::PeekStatus::kWhole) {
        letters.push_back(static_cast<char>(frames.take().type));
    }
    EXPECT_EQ(frames.consumed(), bytes.size()) << "only whole messages leave";
    return letters;
}

std::vector<std::uint8_t> taken(Outgoing& outgoing) {
    std::vector<std::uint8_t> bytes;
    outgoing.for_each([&bytes](wire::ByteView slice) {
        bytes.insert(bytes.end(), slice.begin(), slice.end());
    });
    outgoing.clear();
    return bytes;
}

SessionFacts facts(bool replicates) {
    SessionFacts result;
    result.id = "s1";
    result.login = "app";
    result.database = "clinic";
    result.client_is_tls = true;
    result.replicates = replicates;
    return result;
}

}  // namespace

Conversation::Conversation(std::string_view policy, bool replicates) {
    auto parsed = config::parse_policy("policy.json", policy);
    EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
    environment_.policy = std::move(*parsed);
    environment_.random = &core::system_random();
    environment_.zones = &zones_;
    environment_.now_s = [] {
        return std::int64_t{1'700'000'000};
    };
    environment_.now_ms = [this] {
        return clock_ms_;
    };
    environment_.plans.set_limit(1U << 20U);
    relay_ = std::make_unique<Relay>(environment_, facts(replicates));
}

void Conversation::note_slow(std::uint32_t least_ms) {
    environment_.slow_statement_ms = least_ms;
    environment_.on_slow = [this](const SlowStatement& slow) {
        slow_ += slow.request_id + (slow.failed ? " failed " : " took ") +
                 std::to_string(slow.took_ms) + ": " + slow.text + "\n";
    };
}

std::string Conversation::feed_client() {
    Outgoing upstream;
    const std::size_t used = relay_->on_client(client_input_, upstream);
    const auto bytes = taken(upstream);
    client_input_.erase(
        client_input_.begin(), client_input_.begin() + static_cast<std::ptrdiff_t>(used)
    );
    to_server_.append(bytes.begin(), bytes.end());
    server_log_.append(bytes.begin(), bytes.end());
    return letters_of(bytes);
}

std::string Conversation::client_sends(const wire::Output& bytes) {
    to_server_.clear();
    client_input_.insert(client_input_.end(), bytes.bytes().begin(), bytes.bytes().end());
    return feed_client();
}

std::size_t Conversation::client_sends_piece(wire::ByteView piece) {
    to_server_.clear();
    client_input_.insert(client_input_.end(), piece.begin(), piece.end());
    Outgoing upstream;
    const std::size_t used = relay_->on_client(client_input_, upstream);
    const auto bytes = taken(upstream);
    client_input_.erase(
        client_input_.begin(), client_input_.begin() + static_cast<std::ptrdiff_t>(used)
    );
    server_log_.append(bytes.begin(), bytes.end());
    return bytes.size();
}

std::string Conversation::server_sends(const wire::Output& bytes) {
    to_server_.clear();
    to_client_.clear();
    server_input_.insert(server_input_.end(), bytes.bytes().begin(), bytes.bytes().end());
    Outgoing client;
    Outgoing upstream;
    const std::size_t used = relay_->on_upstream(server_input_, client, upstream);
    const auto shown = taken(client);
    const auto said = taken(upstream);
    server_input_.erase(
        server_input_.begin(), server_input_.begin() + static_cast<std::ptrdiff_t>(used)
    );
    to_client_.assign(shown.begin(), shown.end());
    to_server_.append(said.begin(), said.end());
    server_log_.append(said.begin(), said.end());
    if (!relay_->client_waits()) {
        feed_client();
    }
    return letters_of(shown);
}

wire::Output query(std::string_view text) {
    wire::Output out;
    wire::append_query(out, text);
    return out;
}

wire::Output parse(std::string_view name, std::string_view text) {
    wire::Output out;
    wire::append_parse(out, name, text, {});
    return out;
}

wire::Output bind(std::string_view portal, std::string_view statement, std::string_view value) {
    wire::Output out;
    wire::BindWriter writer(out, {portal, statement}, std::span<const wire::Format>(), 1);
    writer.add(wire::as_bytes(value));
    writer.finish(std::span<const wire::Format>());
    return out;
}

wire::Output execute(std::string_view portal) {
    wire::Output out;
    wire::append_execute(out, portal, 0);
    return out;
}

wire::Output close_statement(std::string_view name) {
    wire::Output out;
    wire::append_close(out, wire::Target::kStatement, name);
    return out;
}

wire::Output sync() {
    wire::Output out;
    wire::append_empty(out, wire::FrontendType::kSync);
    return out;
}

wire::Output both(wire::Output first, const wire::Output& second) {
    first.append(second.bytes());
    return first;
}

wire::Output complete(std::string_view tag) {
    wire::Output out;
    wire::append_command_complete(out, tag);
    return out;
}

wire::Output ready(char status) {
    wire::Output out;
    wire::append_ready_for_query(out, static_cast<wire::TransactionStatus>(status));
    return out;
}

wire::Output error(std::string_view sqlstate, std::string_view message) {
    wire::Output out;
    wire::Report report;
    report.sqlstate = sqlstate;
    report.message = message;
    wire::append_error(out, report);
    return out;
}

wire::Output acknowledge(std::string_view letters) {
    wire::Output out;
    for (const char letter : letters) {
        wire::append_empty(out, static_cast<wire::BackendType>(letter));
    }
    return out;
}

wire::Output looked_up(const std::vector<std::string>& names, bool with_ready) {
    wire::Output out = acknowledge("312");
    std::uint32_t ordinal = 0;
    for (const std::string& name : names) {
        const std::string number = std::to_string(++ordinal);
        std::vector<std::optional<std::string>> cells(catalog::kLookupColumns);
        cells[0] = number;
        cells[1] = "public";
        if (!name.starts_with('-')) {
            cells[2] = std::to_string(20000 + ordinal);
            cells[3] = "public";
            cells[4] = name;
            cells[5] = "r";
            cells[6] = "f";
            cells[7] = "t";
            cells[8] = "1";
            cells[9] = "id";
            cells[10] = "23";
            cells[11] = "-1";
            cells[12] = "integer";
            cells[13] = cells[14] = cells[15] = cells[16] = cells[17] = "f";
        }
        wire::RowWriter row(out, catalog::kLookupColumns);
        for (const auto& cell : cells) {
            row.add(cell ? wire::Cell(wire::as_bytes(*cell)) : wire::Cell());
        }
        row.finish();
    }
    out.append(complete("SELECT " + std::to_string(names.size())).bytes());
    out.append(acknowledge("3").bytes());
    return with_ready ? both(std::move(out), ready('I')) : std::move(out);
}

}  // namespace pgveil::relay
