#include "keyshare/tpm/tpm_seal.hpp"

#include "keyshare/attest/approval.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <unistd.h>
#include <utility>

namespace pgveil::tpm {
namespace {

seal::Error said(const Error& error) {
    return {error.message};
}

seal::Error said(const std::string& message) {
    return {message};
}

bool is_there(const std::filesystem::path& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

Result<attest::Statement> statement_of(Tpm& tpm, const TpmSealOptions& options) {
    auto registers = tpm.read_registers(options.registers);
    if (!registers.has_value()) {
        return registers.error();
    }
    return attest::Statement{options.tenant, options.measurement, std::move(*registers)};
}

/// The file's content; empty if there is none yet.
std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// All registers that the policy of the key is about.
attest::PcrSelection all_registers(const TpmSealOptions& options) {
    attest::PcrSelection all = options.registers;
    all.insert(attest::kMeasuredPcr);
    return all;
}

std::string rolled_back(std::uint64_t found, std::uint64_t generation) {
    return "the TPM's counter stands at " + std::to_string(found) +
           ", but the sealed store key is of renewal " + std::to_string(generation) +
           ": the memory of a virtual TPM was put back, or the file is not this proxy's. Put both "
           "back to one state, or restore a backup (pgveil restore)";
}

seal::Result<attest::Approval> approval_of(
    const attest::Statement& state, const TpmSealOptions& options
) {
    const auto approvals = attest::parse_approvals(content_of(options.approvals));
    if (!approvals.has_value()) {
        return said(options.approvals.string() + ": " + approvals.error().message);
    }
    const attest::Sha256Digest policy = attest::pcr_policy(state.values());
    const attest::Sha256Digest purpose = attest::seal_purpose(options.tenant);
    for (const attest::Approval& approval : *approvals) {
        if (approval.policy == policy && attest::verify(approval, options.approver, purpose)) {
            return approval;
        }
    }
    return said(
        "the TPM does not release the store key: the tenant has not approved what runs here, or "
        "the state the machine started in (binary " +
        core::to_hex(options.measurement.binary) + ", settings " +
        core::to_hex(options.measurement.settings) + ", policy " +
        core::to_hex(options.measurement.policy) +
        "). If the change is meant: give the output of `pgveil measure` to the tenant, who runs "
        "`pgveil-tenant approve`, and add the line it prints to " +
        options.approvals.string()
    );
}

}  // namespace

Result<attest::Statement> state_of(const TpmSealOptions& options) {
    auto tpm = Tpm::open(options.place, std::nullopt);
    return tpm.has_value() ? statement_of(*tpm, options) : tpm.error();
}

seal::Result<ApprovedState> approved_state(Tpm& tpm, const TpmSealOptions& options) {
    auto state = statement_of(tpm, options);
    if (!state.has_value()) {
        return said(state.error());
    }
    const auto approval = approval_of(*state, options);
    if (!approval.has_value()) {
        return approval.error();
    }
    return ApprovedState{*std::move(state), *approval};
}

seal::Result<attest::Approval> find_approval(const TpmSealOptions& options) {
    const auto state = state_of(options);
    return state.has_value() ? approval_of(*state, options) : said(state.error());
}

Release TpmSeal::release_of(const KeptKey& kept) const {
    return {
        options_.approver, attest::seal_purpose(options_.tenant), kept.counter, kept.generation};
}

seal::Result<seal::StoreKey> TpmSeal::open_key(Tpm& tpm, const KeptKey& kept) const {
    const auto measured = tpm.measure(options_.measurement.digests());
    if (!measured.has_value()) {
        return said(measured.error());
    }
    const auto state = approved_state(tpm, options_);
    if (!state.has_value()) {
        return state.error();
    }
    const auto count = tpm.read_counter(kept.counter);
    if (!count.has_value()) {
        return said(count.error());
    }
    if (*count + 1 < kept.generation) {
        return said(rolled_back(*count, kept.generation));
    }
    if (*count > kept.generation) {
        return said(
            "the sealed store key is of renewal " + std::to_string(kept.generation) +
            ", and the TPM stands at " + std::to_string(*count) +
            ": this file is older than the last renewal, and the TPM releases it no more"
        );
    }
    const auto opened =
        tpm.unseal(kept.sealed, release_of(kept), all_registers(options_), state->approval);
    if (!opened.has_value()) {
        return said(opened.error());
    }
    auto key = seal::StoreKey::from(opened->reveal());
    return key.has_value() ? seal::Result<seal::StoreKey>(*std::move(key))
                           : said("what the TPM released is no store key");
}

seal::Result<seal::StoreKey> TpmSeal::current() const {
    const auto kept = read_kept_key(options_.path);
    if (!kept.has_value()) {
        return kept.error();
    }
    auto tpm = Tpm::open(options_.place, kept->storage_root);
    if (!tpm.has_value()) {
        return said(tpm.error());
    }
    auto key = open_key(*tpm, *kept);
    if (!key.has_value()) {
        return key;
    }
    // After a kill between the two halves of finish_renewal().
    const auto counted = count_up_to(*tpm, *kept);
    return counted.has_value() ? std::move(key) : counted.error();
}

seal::Result<std::optional<seal::StoreKey>> TpmSeal::successor() const {
    if (!is_there(next_path())) {
        return std::optional<seal::StoreKey>();
    }
    const auto kept = read_kept_key(next_path());
    if (!kept.has_value()) {
        return kept.error();
    }
    auto tpm = Tpm::open(options_.place, kept->storage_root);
    if (!tpm.has_value()) {
        return said(tpm.error());
    }
    auto key = open_key(*tpm, *kept);
    if (!key.has_value()) {
        return key.error();
    }
    return std::optional<seal::StoreKey>(*std::move(key));
}

seal::Result<TpmSeal::Place> TpmSeal::open_place() const {
    const bool is_first = !is_there(options_.path);
    std::optional<KeptKey> kept;
    if (!is_first) {
        auto read = read_kept_key(options_.path);
        if (!read.has_value()) {
            return read.error();
        }
        kept = std::move(*read);
    }
    auto tpm = Tpm::open(
        options_.place, kept ? std::optional<attest::Name>(kept->storage_root) : std::nullopt
    );
    if (!tpm.has_value()) {
        return said(tpm.error());
    }
    if (kept) {
        return Place{std::move(*tpm), kept->counter};
    }
    const auto counter = tpm->make_counter(core::system_random());
    if (!counter.has_value()) {
        return said(counter.error());
    }
    return Place{std::move(*tpm), *counter};
}

seal::Result<void> TpmSeal::keep(
    Place& place,
    const seal::StoreKey& key,
    std::uint64_t generation,
    const std::filesystem::path& path
) const {
    KeptKey kept;
    kept.storage_root = place.tpm.storage_root();
    kept.counter = place.counter;
    kept.generation = generation;
    auto sealed =
        place.tpm.seal(core::SecretBytes::copy_of(key.reveal()), release_of(kept).policy());
    if (!sealed.has_value()) {
        return said(sealed.error());
    }
    kept.sealed = std::move(*sealed);
    return write_kept_key(path, kept);
}

seal::Result<void> TpmSeal::create_if_missing(core::RandomSource& random) {
    if (is_there(options_.path)) {
        return {};
    }
    auto place = open_place();
    if (!place.has_value()) {
        return place.error();
    }
    const auto drawn = mixed_secret(place->tpm, random);
    const auto count = place->tpm.read_counter(place->counter);
    if (!drawn.has_value() || !count.has_value()) {
        return said(drawn.has_value() ? count.error() : drawn.error());
    }
    auto key = seal::StoreKey::from(drawn->reveal());
    return keep(*place, *key, *count, options_.path);
}

seal::Result<void> TpmSeal::write_successor(Place& place, const seal::StoreKey& key) const {
    const auto count = place.tpm.read_counter(place.counter);
    if (!count.has_value()) {
        return said(count.error());
    }
    return keep(place, key, *count + 1, next_path());
}

seal::Result<seal::StoreKey> TpmSeal::begin_renewal(core::RandomSource& random) {
    auto place = open_place();
    if (!place.has_value()) {
        return place.error();
    }
    const auto drawn = mixed_secret(place->tpm, random);
    if (!drawn.has_value()) {
        return said(drawn.error());
    }
    auto key = seal::StoreKey::from(drawn->reveal());
    const auto written = write_successor(*place, *key);
    return written.has_value() ? seal::Result<seal::StoreKey>(*std::move(key)) : written.error();
}

seal::Result<void> TpmSeal::begin_return(const seal::StoreKey& key) {
    auto place = open_place();
    return place.has_value() ? write_successor(*place, key) : place.error();
}

seal::Result<void> TpmSeal::count_up_to(Tpm& tpm, const KeptKey& kept) const {
    const auto count = tpm.read_counter(kept.counter);
    if (!count.has_value()) {
        return said(count.error());
    }
    if (*count + 1 != kept.generation) {
        return {};
    }
    const auto counted = tpm.count_up(kept.counter);
    return counted.has_value() ? seal::Result<void>() : said(counted.error());
}

seal::Result<void> TpmSeal::finish_renewal() {
    // A former try may have come this far, and not reached the TPM.
    if (is_there(next_path())) {
        const auto moved = move_durably(next_path(), options_.path);
        if (!moved.has_value()) {
            return moved;
        }
    }
    const auto kept = read_kept_key(options_.path);
    if (!kept.has_value()) {
        return kept.error();
    }
    auto tpm = Tpm::open(options_.place, kept->storage_root);
    return tpm.has_value() ? count_up_to(*tpm, *kept) : said(tpm.error());
}

seal::Result<void> TpmSeal::abandon_renewal() {
    if (::unlink(next_path().c_str()) != 0 && errno != ENOENT) {
        return said(next_path().string() + " cannot be removed");
    }
    return {};
}

}  // namespace pgveil::tpm
