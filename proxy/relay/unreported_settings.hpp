#pragma once

#include <algorithm>
#include <string_view>

namespace pgveil::relay {

/// Whether the settings that say how values look as text must be read back before the next value.
///
/// Some of them the server never reports (bytea_output, extra_float_digits, array_nulls), the
/// others with ReadyForQuery only. A rollback undoes a change of them, and so does the end of the
/// transaction that SET LOCAL stands in. Belongs to one session.
class UnreportedSettings {
public:
    /// Something may have changed them.
    void touch() {
        must_be_read_ = true;
        settled_ = false;
    }

    /// A transaction or savepoint ended, or a statement failed: only matters after touch().
    void touch_if_unsettled() { must_be_read_ = must_be_read_ || !settled_; }

    /// They are known now; `for_good`: outside of a transaction, so that no rollback undoes them.
    void were_read(bool for_good) {
        must_be_read_ = false;
        settled_ = settled_ || for_good;
    }

    bool must_be_read() const { return must_be_read_; }

private:
    bool must_be_read_ = false;
    bool settled_ = true;
};

/// Where constants end in this text may depend on standard_conforming_strings or client_encoding.
inline bool depends_on_settings(std::string_view text) {
    return std::ranges::any_of(text, [](char letter) {
        return letter == '\\' || static_cast<unsigned char>(letter) >= 0x80U;
    });
}

}  // namespace pgveil::relay
