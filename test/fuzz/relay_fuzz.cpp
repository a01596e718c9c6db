#include "proxy/wire/frontend.hpp"
#include "test/fuzz/relay_session.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace pgveil;

/// Stands only where a protected column takes it: it must never leave for the server. Its mark is
/// in no input, and in no envelope's digits.
constexpr char kMark = '~';
constexpr std::string_view kTellTale = "tell~tale";

constexpr std::array<std::string_view, 14> kStatements = {
    "SELECT 1",
    "SELECT id FROM visits",
    "SELECT id, name, ssn, born FROM patients",
    "SELECT name FROM patients WHERE ssn = 'tell~tale'",
    "INSERT INTO patients (id, name, ssn) VALUES (1, 'tell~tale', 'tell~tale')",
    "UPDATE patients SET name = 'tell~tale' WHERE id = 1",
    "SELECT id FROM patients WHERE born BETWEEN '1970-01-01' AND '1999-12-31' ORDER BY born",
    "COPY patients (id, name, ssn) FROM STDIN",
    "COPY patients (id, name, ssn) TO STDOUT",
    "DECLARE c CURSOR FOR SELECT name FROM patients; FETCH 2 FROM c",
    "BEGIN; SAVEPOINT a; SET pgveil.user_token = 'x'; ROLLBACK TO a; COMMIT",
    "DISCARD ALL",
    "CREATE TABLE other (id integer); DROP TABLE visits",
    "SELECT name FROM patients WHERE name = 'tell~tale'"};

constexpr std::string_view kWithParameters =
    "SELECT name FROM patients WHERE ssn = $1 AND id = $2::text::integer";

/// Reads the input piece by piece.
class Script {
public:
    explicit Script(wire::ByteView bytes) : rest_(bytes) {}

    bool at_end() const { return rest_.empty(); }

    std::uint8_t byte() {
        const wire::ByteView one = take(1);
        return one.empty() ? std::uint8_t{0} : one.front();
    }

    /// A length byte and as many bytes; fewer at the end.
    wire::ByteView bytes() { return take(byte()); }

private:
    wire::ByteView take(std::size_t count) {
        const wire::ByteView taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

    wire::ByteView rest_;
};

wire::Output message(std::uint8_t type, wire::ByteView body) {
    wire::Output out;
    out.append_int8(type);
    out.append_int32(static_cast<std::uint32_t>(body.size() + 4));
    out.append(body);
    return out;
}

/// Parse, Bind, Describe, Execute; what is sealed comes as a parameter.
wire::Output batch(std::uint8_t choice, wire::ByteView second) {
    wire::Output out;
    wire::append_parse(out, (choice & 1U) != 0 ? "s" : "", kWithParameters, {});
    wire::BindWriter bind(
        out, {"", (choice & 2U) != 0 ? "s" : ""}, std::span<const wire::Format>(), 2
    );
    bind.add(wire::as_bytes(kTellTale));
    bind.add(second);
    bind.finish(std::span<const wire::Format>());
    if ((choice & 4U) != 0) {
        wire::append_describe(out, wire::Target::kPortal, "");
    }
    wire::append_execute(out, "", choice / 64U);
    wire::append_empty(
        out, (choice & 8U) != 0 ? wire::FrontendType::kFlush : wire::FrontendType::kSync
    );
    return out;
}

void play(fuzz::RelaySession& session, Script& script) {
    constexpr std::string_view kFrontend = "QPBDECSHFXdcfp";
    constexpr std::string_view kBackend = "123CDEGHIKNRSTVZAcdnst";
    const std::uint8_t step = script.byte();
    const std::uint8_t choice = script.byte();
    switch (step % 8) {
        case 0: return session.client_sends(script.bytes());
        case 1: return session.server_sends(script.bytes());
        case 2: {
            const auto type = static_cast<std::uint8_t>(kFrontend[choice % kFrontend.size()]);
            return session.client_sends(message(type, script.bytes()).bytes());
        }
        case 3: {
            const auto type = static_cast<std::uint8_t>(kBackend[choice % kBackend.size()]);
            return session.server_sends(message(type, script.bytes()).bytes());
        }
        case 4: {
            wire::Output out;
            wire::append_query(out, kStatements.at(choice % kStatements.size()));
            return session.client_sends(out.bytes());
        }
        case 5: return session.client_sends(batch(choice, script.bytes()).bytes());
        case 6: return session.client_idles();
        default:
            for (unsigned left = choice % 16U; left > 0 && !session.is_over(); --left) {
                session.server_answers();
            }
            return;
    }
}

}  // namespace

// Steps of a session between two peers that may both be hostile. Nothing crashes, and no value of a
// protected column leaves as it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const wire::ByteView input(bytes, size);
    if (wire::as_text(input).find(kMark) != std::string_view::npos) {
        return 0;  // then it may rightly leave
    }
    fuzz::RelaySession session;
    Script script(input);
    while (!script.at_end() && !session.is_over()) {
        play(session, script);
    }
    fuzz::require(session.server_log().find(kTellTale) == std::string::npos);
    return 0;
}
