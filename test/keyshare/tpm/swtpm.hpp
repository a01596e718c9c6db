#pragma once

#include "keyshare/tpm/tpm.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <sys/types.h>

namespace pgveil::tpm {

/// A real TPM in software (Debian package swtpm) with a state folder and a socket of its own.
class Swtpm {
public:
    Swtpm();
    Swtpm(const Swtpm&) = delete;
    Swtpm& operator=(const Swtpm&) = delete;
    Swtpm(Swtpm&&) = delete;
    Swtpm& operator=(Swtpm&&) = delete;
    ~Swtpm();

    /// Before the first start: gives it an endorsement key with the certificate of a maker of its
    /// own (swtpm_setup, swtpm_localca of the package swtpm-tools); the maker's root and
    /// intermediate certificate, PEM.
    std::string certify();

    void start();
    /// As if the power went.
    void stop();

    std::string place() const { return "swtpm:path=" + (folder_ / "socket").string(); }

    const std::filesystem::path& folder() const { return folder_; }

    std::filesystem::path state() const { return folder_ / "state"; }

private:
    std::filesystem::path folder_;
    pid_t process_ = -1;
};

class TpmTest : public testing::Test {
protected:
    TpmTest() { swtpm_.start(); }

    Tpm open() const {
        auto opened = Tpm::open(swtpm_.place(), std::nullopt);
        if (!opened.has_value()) {
            throw std::runtime_error(opened.error().message);
        }
        return std::move(*opened);
    }

    Swtpm swtpm_;
};

}  // namespace pgveil::tpm
