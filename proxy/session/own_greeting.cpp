#include "proxy/session/own_greeting.hpp"

#include "proxy/wire/backend.hpp"

#include <array>
#include <string_view>

namespace pgveil::session {

void append_own_greeting(wire::Output& out) {
    using Setting = std::array<std::string_view, 2>;
    constexpr std::array<Setting, 6> kSettings{
        Setting{"server_version", "15.0 (pgveil)"},
        Setting{"server_encoding", "UTF8"},
        Setting{"client_encoding", "UTF8"},
        Setting{"DateStyle", "ISO, MDY"},
        Setting{"standard_conforming_strings", "on"},
        Setting{"integer_datetimes", "on"}};
    for (const Setting& setting : kSettings) {
        wire::append_parameter_status(out, setting[0], setting[1]);
    }
    wire::append_ready_for_query(out, wire::TransactionStatus::kIdle);
}

}  // namespace pgveil::session
