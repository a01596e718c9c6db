#include "keyshare/core/bytes.hpp"
#include "sql/parse/parser.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// Any bytes as SQL: statements, or an error whose position lies in the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto parsed = pgveil::parse::parse(pgveil::core::as_text({bytes, size}));
    if (parsed.has_error() && parsed.error().position > static_cast<std::int64_t>(size)) {
        std::abort();
    }
    return 0;
}
