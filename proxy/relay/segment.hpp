#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/request_keys.hpp"
#include "proxy/relay/formatted_cell.hpp"
#include "proxy/relay/session_parameters.hpp"
#include "sql/field/seal.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::relay {

/// The cipher of one column under one key.
struct ColumnCipher {
    std::shared_ptr<const field::ProtectedColumn> column;
    std::uint32_t key_id = 0;
    std::unique_ptr<field::FieldCipher> cipher;
};

/// Room that the opening of one row uses and the next one uses again, so that rows do not allocate.
struct RowRoom {
    std::vector<FormattedCell> cells;
    core::Bytes envelope;
    core::SecretBytes value;  ///< wiped with the keys
};

/// One request (DESIGN section 5): a simple Query, or an extended batch up to its Sync. The keys
/// live exactly as long as somebody still waits for its replies: the last expected reply that is
/// dropped destroys the segment and wipes them.
struct Segment {
    std::optional<share::RequestKeys> keys;
    std::vector<ColumnCipher> ciphers;  ///< those used so far
    ShareHandles built_from;            ///< the shares that the keys were rebuilt from
    RowRoom room;

    void wipe_keys() {
        ciphers.clear();
        keys.reset();
        room.value.wipe();
    }

    bool writes = false;  ///< it changes something, so an error after Sync would come too late
    /// Not empty: the client was told an error that the server does not know of; this makes it
    /// fail.
    std::string late_marker;
};

using SegmentPtr = std::shared_ptr<Segment>;

}  // namespace pgveil::relay
