#include "keyshare/attest/measurement.hpp"

#include "keyshare/attest/lines.hpp"

#include <charconv>

namespace pgveil::attest {
namespace {

constexpr std::string_view kTitle = "pgveil-measurement: 1";
constexpr std::size_t kTenantMax = 64;

/// "pcr 7: hex".
void read_register(Lines& lines, PcrValues& into) {
    constexpr std::string_view kWord = "pcr ";
    const std::string_view text = lines.next();
    const std::size_t colon = text.find(": ");
    if (!text.starts_with(kWord) || colon == std::string_view::npos) {
        return lines.fail();
    }
    const std::string_view digits = text.substr(kWord.size(), colon - kWord.size());
    std::uint32_t number = kPcrCount;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool is_whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
    const bool is_next = into.empty() || into.rbegin()->first < number;
    if (!is_whole || number >= kMeasuredPcr || !is_next || std::to_string(number) != digits) {
        return lines.fail();
    }
    into[number] = lines.digest(text.substr(colon + 2));
}

}  // namespace

Sha256Digest measured_value(const Measurement& measurement) {
    Sha256Digest value{};
    for (const Sha256Digest& digest : measurement.digests()) {
        value = core::sha256({value, digest});
    }
    return value;
}

PcrValues Statement::values() const {
    PcrValues all = registers;
    all[kMeasuredPcr] = measured_value(measurement);
    return all;
}

std::string to_text(const Statement& statement) {
    std::string text = std::string(kTitle) + "\n" + line("tenant", statement.tenant) +
                       line("binary", core::to_hex(statement.measurement.binary)) +
                       line("settings", core::to_hex(statement.measurement.settings)) +
                       line("policy", core::to_hex(statement.measurement.policy));
    for (const auto& [number, value] : statement.registers) {
        text += line("pcr " + std::to_string(number), core::to_hex(value));
    }
    return text;
}

Result<Statement> parse_statement(std::string_view text) {
    Lines lines(text);
    Statement statement;
    if (lines.next() != kTitle) {
        return Error{
            "this is no measurement: it does not begin with \"" + std::string(kTitle) + "\""};
    }
    statement.tenant = lines.named("tenant");
    statement.measurement.binary = lines.digest(lines.named("binary"));
    statement.measurement.settings = lines.digest(lines.named("settings"));
    statement.measurement.policy = lines.digest(lines.named("policy"));
    while (lines.has_more()) {
        read_register(lines, statement.registers);
    }
    if (!lines.ok() || statement.tenant.empty() || statement.tenant.size() > kTenantMax) {
        return Error{"this measurement was altered or cut: ask for it again (pgveil measure)"};
    }
    return statement;
}

}  // namespace pgveil::attest
