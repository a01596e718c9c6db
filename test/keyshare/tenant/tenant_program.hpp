#pragma once

#include "keyshare/tenant/calls.hpp"
#include "keyshare/user/private_file.hpp"
#include "test/keyshare/tenant/enrolled.hpp"
#include "test/keyshare/user/program.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::tenant {

/// An enrolled home on disk, closed under "correct horse", and an empty directory.
class TenantProgram : public testing::Test {
protected:
    TenantProgram() {
        static_cast<void>(enrolled_home(scratch_ / "home", proxy_));
        put("passphrase", "correct horse\n");
        put("nurse-passphrase", "the nurse's\n");
    }

    void put(const std::string& name, std::string_view content) {
        EXPECT_TRUE(
            user::create_file(scratch_ / name, core::as_bytes(content), user::Audience::kOwner)
        );
    }

    std::vector<std::string> words(std::vector<std::string> more) const {
        std::vector<std::string> all = {
            PGVEIL_TENANT_PROGRAM,
            "--home",
            scratch_ / "home",
            "--passphrase-file",
            scratch_ / "passphrase"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    user::Ended run(std::vector<std::string> more) const {
        return user::run_program(words(std::move(more)));
    }

    /// The same, killed right before its n-th step that lasts; 0: it is not. Code -1: it was.
    user::Ended run_until(std::int64_t step, std::vector<std::string> more) const {
        // struct StopAt of test/support/stop_at.hpp; steps are few and fit one byte.
        std::string page(24, '\0');
        page[8] = static_cast<char>(step);
        page[16] = 1;
        std::ofstream(scratch_ / "page", std::ios::binary) << page;
        std::vector<std::string> all = words(std::move(more));
        all.insert(
            all.begin(),
            {"env", "LD_PRELOAD=" PGVEIL_STOP_AT_LIBRARY, "PGVEIL_STOP_AT=" + (scratch_ / "page")}
        );
        return user::run_program(all);
    }

    user::Ended add_nurse() const {
        return run(
            {"user",
             "add",
             "nurse",
             "--out",
             scratch_ / "out",
             "--user-passphrase-file",
             scratch_ / "nurse-passphrase"}
        );
    }

    /// What the proxy answers to the pending commands, as a file.
    std::string answer_of_proxy(const std::string& name) {
        const auto home = Home::open(scratch_ / "home", test_passphrase());
        EXPECT_TRUE(home);
        put(name, proxy_.receipts(*calls_for(home->state()).front().arguments.back()) + "\n");
        return scratch_ / name;
    }

    std::string out(const std::string& name) const { return scratch_ / "out/" + name; }

    user::Scratch scratch_;
    FakeProxy proxy_;
};

}  // namespace pgveil::tenant
