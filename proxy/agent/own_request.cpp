#include "proxy/agent/own_request.hpp"

#include "proxy/wire/frontend.hpp"

namespace pgveil::agent {

namespace {

constexpr std::string_view kName = "pgveil_agent";

}  // namespace

void append_statement(wire::Output& out, std::string_view text) {
    wire::append_parse(out, kName, text, {});
    wire::BindWriter bind(out, {kName, kName}, std::span<const wire::Format>(), 0);
    bind.finish(std::span<const wire::Format>());
    wire::append_execute(out, kName, 0);
    wire::append_close(out, wire::Target::kPortal, kName);
    wire::append_close(out, wire::Target::kStatement, kName);
}

void append_setting(wire::Output& out, std::string_view name, std::string_view value) {
    wire::WipedText text("SET ");
    const bool has_backslash = value.find('\\') != std::string_view::npos;
    text.append(name).append(has_backslash ? " = E'" : " = '");
    for (const char letter : value) {
        if (letter == '\'' || letter == '\\') {
            text.push_back(letter);
        }
        text.push_back(letter);
    }
    text.push_back('\'');
    append_statement(out, text);
}

void append_sync(wire::Output& out) {
    wire::append_empty(out, wire::FrontendType::kSync);
}

}  // namespace pgveil::agent
