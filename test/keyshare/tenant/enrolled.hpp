#pragma once

#include "keyshare/tenant/bootstrap_run.hpp"
#include "test/keyshare/tenant/fake_proxy.hpp"
#include "test/keyshare/user/scratch.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::tenant {

inline constexpr unsigned kCheapScrypt = kScryptLogNMin;

inline core::SecretBytes test_passphrase(std::string_view text = "correct horse") {
    return core::SecretBytes::copy_of(core::as_bytes(text));
}

/// A home in which the bootstrap has begun and nothing is on disk.
inline Home begun_home(const std::string& directory) {
    auto state = begin_bootstrap({"clinic", {"default", "medical"}, "localhost:6543"});
    EXPECT_TRUE(state);
    auto home = Home::prepare(directory, std::move(*state), test_passphrase(), kCheapScrypt);
    EXPECT_TRUE(home);
    return std::move(*home);
}

/// A home after its bootstrap with the proxy.
inline Home enrolled_home(const std::string& directory, FakeProxy& proxy) {
    Home home = begun_home(directory);
    const auto call = [&](std::string_view step, const std::string& argument) {
        return proxy.bootstrap_step(step, argument);
    };
    const auto done = run_bootstrap(home, call, kTestNow);
    EXPECT_TRUE(done) << done.error().message;
    return home;
}

}  // namespace pgveil::tenant
