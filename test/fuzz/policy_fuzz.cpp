#include "config/pins.hpp"
#include "config/policy.hpp"
#include "keyshare/core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// Any text as a policy and as pins: a value or one line that says why not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = pgveil::core::as_text({bytes, size});
    const auto policy = pgveil::config::parse_policy("policy.json", text);
    if (policy.has_value() ? *policy == nullptr : policy.error().message.empty()) {
        std::abort();
    }
    const auto pins = pgveil::config::parse_pins("policy.pins.json", text);
    if (!pins.has_value() && pins.error().message.empty()) {
        std::abort();
    }
    return 0;
}
