// Any bytes as what a TPM has signed, and as the texts that travel between proxy and tenant:
// refused or read, and what is read is written back the same.

#include "keyshare/attest/approval.hpp"
#include "keyshare/attest/measurement.hpp"
#include "keyshare/attest/quote.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace pgveil;

namespace {

void must_hold(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// One key for the whole run: whatever it has not signed is refused.
const core::PublicPoint& key() {
    static const core::PublicPoint point = core::SigningKey::generate().verifying_key().point();
    return point;
}

void try_texts(std::string_view text) {
    if (const auto statement = attest::parse_statement(text); statement.has_value()) {
        must_hold(attest::to_text(*statement) == text);
    }
    if (const auto approval = attest::parse_approval(text); approval.has_value()) {
        must_hold(attest::to_text(*approval) == text);
    }
    static_cast<void>(attest::parse_approvals(text).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const core::ByteView input(bytes, size);
    try_texts(core::as_text(input));
    attest::Signed said;
    said.statement = core::to_bytes(input);
    const attest::QuoteExpectation expected{key(), {}, {{7, {}}, {23, {}}}, {}};
    must_hold(!attest::verify_quote(said, expected).has_value());
    must_hold(!attest::verify_certificate(said, key(), {}, {}).has_value());
    return 0;
}
