#include "keyshare/store/row_seal.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/core/xaes.hpp"

namespace pgveil::store {
namespace {

core::Bytes place_of(const RowName& name, std::uint64_t version) {
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 row"),
         core::as_bytes(name.table),
         core::as_bytes(name.key),
         core::big_endian64(version)}
    );
}

}  // namespace

const RowName& root_row() {
    static const RowName kName{"root", ""};
    return kName;
}

Error broken_store(const std::string& what) {
    return Error{
        ErrorCode::kBroken,
        "the share store " + what +
            ": it was altered, partly put back from an older copy, or belongs to another "
            "store key; restore the last whole backup of store and key"};
}

core::Bytes RowSeal::seal(
    const RowName& name, std::uint64_t version, core::ByteView body, core::RandomSource& random
) const {
    return core::xaes_seal(key_.reveal(), place_of(name, version), body, random);
}

Result<core::SecretBytes> RowSeal::open(const RowName& name, const SealedRow& row) const {
    auto opened = core::xaes_open(key_.reveal(), place_of(name, row.version), row.sealed);
    if (!opened.has_value()) {
        return broken_store("holds a row that does not open (" + name.table + ")");
    }
    return *std::move(opened);
}

}  // namespace pgveil::store
