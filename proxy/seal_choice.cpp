#include "proxy/seal_choice.hpp"

#include "config/custody_settings.hpp"
#include "config/text_file.hpp"
#include "keyshare/attest/approval.hpp"
#include "keyshare/attest/measurement.hpp"
#include "keyshare/custody/custodian_seal.hpp"
#include "keyshare/seal/file_seal.hpp"
#include "keyshare/tpm/attestation.hpp"
#include "keyshare/tpm/tpm_seal.hpp"
#include "proxy/custody_options.hpp"
#include "proxy/start.hpp"

#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

namespace pgveil::proxy {

namespace {

seal::Result<attest::Sha256Digest> digest_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad()) {
        return seal::Error{path + " cannot be read to be measured"};
    }
    return core::sha256(core::as_bytes(content));
}

seal::Result<attest::Measurement> measure_files(const config::Settings& settings) {
    attest::Measurement measurement;
    const std::pair<const char*, attest::Sha256Digest*> files[] = {
        {"/proc/self/exe", &measurement.binary},
        {settings.file.c_str(), &measurement.settings},
        {settings.policy_path.c_str(), &measurement.policy}};
    for (const auto& [path, into] : files) {
        const auto digest = digest_of_file(path);
        if (!digest.has_value()) {
            return digest.error();
        }
        *into = *digest;
    }
    return measurement;
}

seal::Result<std::optional<config::CustodySettings>> custodians_of(const config::Settings& settings
) {
    auto custodians = config::load_custody_settings(settings.file);
    return custodians.has_value()
               ? seal::Result<std::optional<config::CustodySettings>>(*std::move(custodians))
               : seal::Error{custodians.error().message};
}

seal::Result<tpm::TpmSealOptions> tpm_options(const config::Settings& settings) {
    const auto custodians = custodians_of(settings);
    if (!custodians.has_value()) {
        return custodians.error();
    }
    const auto measurement = measure_files(settings);
    const auto approver = core::PublicPoint::from_text(settings.tpm->approver);
    if (!measurement.has_value()) {
        return measurement.error();
    }
    if (!approver.has_value()) {
        return seal::Error{"seal.tpm.approver: " + approver.error().message};
    }
    return tpm::TpmSealOptions{
        *custodians ? settings.seal_path + ".tpm" : settings.seal_path,
        settings.tpm->approvals,
        settings.tpm->tcti,
        settings.tenant,
        *approver,
        {settings.tpm->pcrs.begin(), settings.tpm->pcrs.end()},
        *measurement};
}

custody::Witness witness_of(tpm::TpmSealOptions options) {
    return [options = std::move(options)](const core::Sha256Digest& binding
           ) -> seal::Result<custody::Testimony> {
        const auto said = tpm::testify(options, binding);
        if (!said.has_value()) {
            return said.error();
        }
        return custody::Testimony{said->attestation_key.text(), attest::to_text(said->evidence)};
    };
}

}  // namespace

seal::Result<std::unique_ptr<seal::Seal>> make_seal(const config::Settings& settings) {
    std::unique_ptr<seal::Seal> own;
    custody::CustodianSealOptions options;
    if (settings.tpm) {
        auto of_tpm = tpm_options(settings);
        if (!of_tpm.has_value()) {
            return of_tpm.error();
        }
        options.witness = witness_of(*of_tpm);
        own = std::make_unique<tpm::TpmSeal>(std::move(*of_tpm));
    }
    const auto custodians = custodians_of(settings);
    if (!custodians.has_value()) {
        return custodians.error();
    }
    if (*custodians) {
        options.path = settings.seal_path;
        options.custodians = (*custodians)->file;
        options.group = (*custodians)->group;
        return std::unique_ptr<seal::Seal>(
            new custody::CustodianSeal(std::move(options), std::move(own))
        );
    }
    return own != nullptr ? std::move(own)
                          : std::unique_ptr<seal::Seal>(new seal::FileSeal(settings.seal_path));
}

store::Result<std::shared_ptr<store::ProxyCustody>> open_custody(const config::Settings& settings) {
    auto seal = make_seal(settings);
    if (!seal.has_value()) {
        return store::Error{store::ErrorCode::kUnavailable, seal.error().message};
    }
    auto custody = store::ProxyCustody::open(custody_options(settings), std::move(*seal));
    if (!custody.has_value()) {
        return custody.error();
    }
    return std::shared_ptr<store::ProxyCustody>(std::move(*custody));
}

std::string describe_seal(const config::Settings& settings) {
    const auto custodians = custodians_of(settings);
    if (custodians.has_value() && *custodians) {
        return "sealed to the custodians of " + (*custodians)->group +
               (settings.tpm ? " and by the TPM at " + settings.tpm->tcti : ", no TPM");
    }
    return settings.tpm ? "sealed by the TPM at " + settings.tpm->tcti
                        : "in the file " + settings.seal_path + ", no TPM";
}

bool opens_alone(const config::Settings& settings) {
    const auto custodians = custodians_of(settings);
    return !settings.tpm && custodians.has_value() && !*custodians;
}

std::string trouble_at_next_start(const config::Settings& settings) {
    if (!settings.tpm) {
        return {};
    }
    const auto options = tpm_options(settings);
    if (!options.has_value()) {
        return options.error().message;
    }
    const auto approved = tpm::find_approval(*options);
    return approved.has_value() ? std::string() : approved.error().message;
}

namespace {

/// The settings of a proxy with a TPM; nothing, and said why, if it has none.
std::optional<config::Settings> start_with_tpm(const std::string& settings_file) {
    auto settings = start(settings_file);
    if (settings && !settings->tpm) {
        refuse_to_start(
            "\"seal\" of " + settings_file + " names no TPM: the store key is in a file"
        );
        return std::nullopt;
    }
    return settings;
}

template <class Answer>
int print_or_refuse(const Answer& answer) {
    if (!answer.has_value()) {
        return refuse_to_start(answer.error().message);
    }
    std::cout << attest::to_text(*answer);
    return 0;
}

}  // namespace

int measure(const std::string& settings_file) {
    const auto settings = start_with_tpm(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    const auto options = tpm_options(*settings);
    if (!options.has_value()) {
        return refuse_to_start(options.error().message);
    }
    return print_or_refuse(tpm::state_of(*options));
}

int attest_to(const std::string& settings_file, const std::string& challenge_file) {
    const auto settings = start_with_tpm(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    if (challenge_file.empty()) {
        return print_or_refuse(tpm::keys_of(settings->tpm->tcti));
    }
    const auto text = config::read_text_file(challenge_file);
    if (!text.has_value()) {
        return refuse_to_start(text.error().message);
    }
    const auto challenge = attest::parse_challenge(*text);
    const auto options = tpm_options(*settings);
    if (!challenge.has_value() || !options.has_value()) {
        return refuse_to_start(
            challenge.has_value() ? options.error().message
                                  : challenge_file + ": " + challenge.error().message
        );
    }
    return print_or_refuse(tpm::answer(*options, *challenge));
}

}  // namespace pgveil::proxy
