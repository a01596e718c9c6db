#include "keyshare/core/arena.hpp"
#include "test/keyshare/core/subprocess.hpp"

#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace pgveil::core {
namespace {

TEST(CoreDumps, AreOffAfterBothSwitches) {
    EXPECT_EQ(
        testing::in_child([]() -> std::string {
            if (!disable_core_dumps().has_value()) {
                return "refused";
            }
            rlimit limit{1, 1};
            static_cast<void>(getrlimit(RLIMIT_CORE, &limit));
            const bool dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;  // NOLINT(*-vararg)
            return limit.rlim_cur == 0 && limit.rlim_max == 0 && !dumpable ? "" : "still on";
        }),
        ""
    );
}

TEST(CoreDumps, ForbiddingFilesAloneLeavesTheProcessAttachable) {
    EXPECT_EQ(
        testing::in_child([]() -> std::string {
            const int before = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);  // NOLINT(*-vararg)
            static_cast<void>(forbid_core_files());
            return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == before ? ""
                                                                : "changed";  // NOLINT(*-vararg)
        }),
        ""
    );
}

}  // namespace
}  // namespace pgveil::core
