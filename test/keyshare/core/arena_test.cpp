#include "keyshare/core/arena.hpp"

#include "keyshare/core/gcm.hpp"
#include "keyshare/core/hpke.hpp"
#include "keyshare/core/password.hpp"
#include "keyshare/core/secret.hpp"
#include "test/keyshare/core/subprocess.hpp"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <array>
#include <bit>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <new>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace pgveil::core {
namespace {

using testing::in_child;

constexpr std::array<ArenaMode, 3> kModes = {
    ArenaMode::kMemfdSecret, ArenaMode::kMlock, ArenaMode::kUnlocked};

bool is_inside_arena(const void* block) {
    bool inside = false;
    for_each_region([&inside, block](ByteView region) {
        const auto at = std::bit_cast<std::uintptr_t>(block);
        const auto begin = std::bit_cast<std::uintptr_t>(region.data());
        inside = inside || (at >= begin && at < begin + region.size());
    });
    return inside;
}

// The VmFlags line of the mapping that holds the region.
std::string kernel_flags_of_region() {
    std::uintptr_t wanted = 0;
    for_each_region([&wanted](ByteView region) {
        wanted = std::bit_cast<std::uintptr_t>(region.data());
    });
    std::ostringstream start;
    start << std::hex << wanted << '-';
    std::ifstream maps("/proc/self/smaps");
    bool is_ours = false;
    for (std::string line; std::getline(maps, line);) {
        is_ours = is_ours || line.starts_with(start.str());
        if (is_ours && line.starts_with("VmFlags:")) {
            return line + " ";
        }
    }
    return {};
}

bool has_flag(const std::string& flags, const std::string& flag) {
    return flags.find(" " + flag + " ") != std::string::npos;
}

TEST(Arena, HoldsEverythingThatLibcryptoAllocatesInEveryMode) {
    for (const ArenaMode mode : kModes) {
        EXPECT_EQ(
            in_child([mode]() -> std::string {
                const auto report = install_arena({.mode = mode});
                if (!report.has_value()) {
                    return report.error().message;
                }
                void* block = OPENSSL_malloc(100);
                const SecretBytes secret(100);
                const bool inside =
                    is_inside_arena(block) && is_inside_arena(secret.reveal().data());
                OPENSSL_free(block);
                const HpkeKeyPair pair = HpkeKeyPair::generate();
                const bool works =
                    hpke_open(pair, {}, {}, hpke_seal(pair.point, {}, {}, Bytes(9))).has_value();
                return inside && works && report->mode == mode && arena_report().in_use > 0
                           ? ""
                           : "outside or broken";
            }),
            ""
        ) << name_of(mode);
    }
}

TEST(Arena, IsKeptOutOfCoreDumpsAndLocked) {
    for (const ArenaMode mode : kModes) {
        EXPECT_EQ(
            in_child([mode]() -> std::string {
                static_cast<void>(install_arena({.mode = mode}));
                const std::string flags = kernel_flags_of_region();
                const bool locked = has_flag(flags, "lo");
                return has_flag(flags, "dd") && locked == (mode != ArenaMode::kUnlocked) ? ""
                                                                                         : flags;
            }),
            ""
        ) << name_of(mode);
    }
}

TEST(Arena, MemfdSecretIsUnreadableThroughProcMemAndMlockIsNot) {
    const auto read_back = [](ArenaMode mode) {
        return in_child([mode]() -> std::string {
            static_cast<void>(install_arena({.mode = mode}));
            const SecretBytes secret = SecretBytes::copy_of(as_bytes("findable"));
            const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
            std::array<char, 8> found{};
            const auto at = std::bit_cast<std::uintptr_t>(secret.reveal().data());
            const ssize_t got = pread(memory, found.data(), found.size(), static_cast<off_t>(at));
            return got == 8 ? std::string(found.data(), found.size()) : std::string("unreadable");
        });
    };
    EXPECT_EQ(read_back(ArenaMode::kMlock), "findable");
    EXPECT_EQ(read_back(ArenaMode::kMemfdSecret), "unreadable");
}

TEST(Arena, AutoTakesMemfdSecretWhereTheKernelHasIt) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            const auto report = install_arena({});
            return report.has_value() && report->mode == ArenaMode::kMemfdSecret ? ""
                                                                                 : "another mode";
        }),
        ""
    );
}

// As an ordinary user, because root may lock without limit.
std::string with_memlock_limit(rlim_t bytes, const std::function<std::string()>& body) {
    return in_child([bytes, &body]() -> std::string {
        const rlimit limit{bytes, bytes};
        if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
            (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)) {
            return "the limit cannot be set up";
        }
        return body();
    });
}

TEST(Arena, TooSmallMemlockLimitIsAnErrorThatNamesLimitNeedAndUnitLine) {
    for (const ArenaMode mode : {ArenaMode::kAuto, ArenaMode::kMemfdSecret, ArenaMode::kMlock}) {
        const std::string message = with_memlock_limit(65536, [mode]() -> std::string {
            const auto report = install_arena({.mode = mode, .size = std::size_t{6} << 20U});
            return !report.has_value() && report.error().code == ErrorCode::kMemoryLimit
                       ? report.error().message
                       : "";
        });
        EXPECT_NE(message.find("RLIMIT_MEMLOCK is 65536 bytes"), std::string::npos) << message;
        EXPECT_NE(message.find("6291456 bytes are needed"), std::string::npos) << message;
        EXPECT_NE(message.find("LimitMEMLOCK=7M"), std::string::npos) << message;
    }
}

TEST(Arena, DefaultSizeFitsTheUsualLimitOfEightMebibytes) {
    for (const ArenaMode mode : {ArenaMode::kAuto, ArenaMode::kMlock}) {
        EXPECT_EQ(
            with_memlock_limit(
                rlim_t{8} << 20U,
                [mode]() -> std::string {
                    const auto report = install_arena({.mode = mode});
                    return report.has_value() ? "" : report.error().message;
                }
            ),
            ""
        );
    }
}

TEST(Arena, UnlockedModeIsTakenOnlyWhenAskedForByName) {
    EXPECT_EQ(
        with_memlock_limit(
            0,
            []() -> std::string {
                const bool refused = !install_arena({}).has_value();
                const auto report = install_arena({.mode = ArenaMode::kUnlocked});
                return refused && report.has_value() && report->mode == ArenaMode::kUnlocked
                           ? ""
                           : "wrong";
            }
        ),
        ""
    );
}

TEST(Arena, ComesTooLateOnceLibcryptoHasAllocated) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            OPENSSL_free(OPENSSL_malloc(10));
            const auto report = install_arena({});
            return !report.has_value() && report.error().code == ErrorCode::kMemory ? ""
                                                                                    : "installed";
        }),
        ""
    );
}

TEST(Arena, IsInstalledOnce) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            const bool first = install_arena({}).has_value();
            return first && !install_arena({}).has_value() ? "" : "twice";
        }),
        ""
    );
}

TEST(Arena, ExhaustionGivesLibcryptoNullAndIsCounted) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            static_cast<void>(install_arena({.size = std::size_t{1} << 20U}));
            std::vector<void*> live;
            for (void* block = nullptr; (block = OPENSSL_malloc(4000)) != nullptr;) {
                live.push_back(block);
            }
            const bool refused = arena_report().refused > 0 && live.size() > 200;
            for (void* block : live) {
                OPENSSL_free(block);
            }
            return refused && OPENSSL_malloc(4000) != nullptr
                       ? ""
                       : "not refused, or no room afterwards";
        }),
        ""
    );
}

// Adds secrets until there is no room; how many bytes of them there are.
std::size_t fill_with_secrets(std::vector<SecretBytes>& live, std::size_t size) {
    try {
        while (live.size() < 100'000) {
            live.emplace_back(size);
        }
    } catch (const std::bad_alloc&) {
        return live.size() * size;
    }
    return 0;
}

TEST(Arena, ExhaustionIsBadAllocForASecretAndPassesWhenOthersAreGone) {
    for (const std::size_t size : {std::size_t{32}, std::size_t{4000}, std::size_t{60'000}}) {
        EXPECT_EQ(
            in_child([size]() -> std::string {
                static_cast<void>(install_arena({.size = std::size_t{1} << 20U}));
                std::vector<SecretBytes> live;
                const std::size_t filled = fill_with_secrets(live, size);
                if (filled < std::size_t{512} << 10U || arena_report().refused == 0) {
                    return "not filled: " + std::to_string(filled);
                }
                live.clear();
                return SecretBytes(size).size() == size ? "" : "no room afterwards";
            }),
            ""
        ) << size;
    }
}

TEST(Arena, AFailedGrowthLeavesTheSecretAsItWas) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            static_cast<void>(install_arena({.size = std::size_t{1} << 20U}));
            SecretBytes kept = SecretBytes::copy_of(as_bytes("kept"));
            std::vector<SecretBytes> live;
            static_cast<void>(fill_with_secrets(live, 4000));
            try {
                kept.append(Bytes(60'000));
            } catch (const std::bad_alloc&) {
                return std::string(as_text(kept.reveal())) == "kept" ? "" : "changed";
            }
            return "there was room";
        }),
        ""
    );
}

TEST(Arena, SecretsLeaveRoomForLibcrypto) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            static_cast<void>(install_arena({.size = std::size_t{1} << 20U}));
            std::vector<SecretBytes> live;
            const bool filled =
                fill_with_secrets(live, 60'000) > 0 && fill_with_secrets(live, 2000) > 0;
            return filled && OPENSSL_malloc(4000) != nullptr ? "" : "no room for libcrypto";
        }),
        ""
    );
}

TEST(Arena, LargeBlocksHaveTheirOwnMappingAndAreCounted) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            static_cast<void>(install_arena({}));
            {
                SecretBytes large(std::size_t{1} << 20U);
                if (arena_report().large < large.size() ||
                    !is_inside_arena(large.reveal().data())) {
                    return "not counted or not visited";
                }
            }
            return arena_report().large == 0 ? "" : "not given back";
        }),
        ""
    );
}

TEST(Arena, ScryptWorksWithMoreScratchMemoryThanTheArenaHas) {
    EXPECT_EQ(
        with_memlock_limit(
            rlim_t{8} << 20U,
            []() -> std::string {
                static_cast<void>(install_arena({}));
                const auto derived = scrypt(as_bytes("p"), as_bytes("s"), {.n = 1U << 15U}, 32);
                return derived.has_value() && arena_report().large == 0 ? "" : "no key";
            }
        ),
        ""
    );
}

TEST(Arena, ReallocationKeepsTheBytesAcrossSizeClassesAndIntoLargeBlocks) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            static_cast<void>(install_arena({}));
            auto* block = static_cast<std::uint8_t*>(OPENSSL_malloc(10));
            std::memset(block, 7, 10);
            for (const std::size_t size : {12U, 100U, 5000U, 70000U, 200000U}) {
                block = static_cast<std::uint8_t*>(OPENSSL_realloc(block, size));
                if (block == nullptr || block[0] != 7 || block[9] != 7 || !is_inside_arena(block)) {
                    return "lost at " + std::to_string(size);
                }
            }
            OPENSSL_free(block);
            return arena_report().large == 0 ? "" : "leaked";
        }),
        ""
    );
}

TEST(Arena, ForkedChildFindsNoSecret) {
    constexpr int kFound = 42;
    for (const ArenaMode mode : kModes) {
        EXPECT_EQ(
            in_child([mode]() -> std::string {
                static_cast<void>(install_arena({.mode = mode}));
                const SecretBytes secret = SecretBytes::copy_of(as_bytes("secret"));
                const std::uint8_t* at = secret.reveal().data();
                const pid_t child = fork();
                if (child == 0) {
                    // Dies by SIGSEGV where the mapping was not inherited.
                    static_cast<void>(signal(SIGSEGV, SIG_DFL));
                    _exit(std::memcmp(at, "secret", 6) == 0 ? kFound : 0);
                }
                int status = 0;
                waitpid(child, &status, 0);
                const bool found = WIFEXITED(status) &&
                                   WEXITSTATUS(status) == kFound;  // NOLINT(hicpp-signed-bitwise)
                const bool parent_keeps_it = as_text(secret.reveal()) == "secret";
                return !found && parent_keeps_it ? "" : "inherited or lost";
            }),
            ""
        ) << name_of(mode);
    }
}

TEST(Arena, ForkedChildMayDropAndMakeSecrets) {
    for (const ArenaMode mode : kModes) {
        EXPECT_EQ(
            in_child([mode]() -> std::string {
                static_cast<void>(install_arena({.mode = mode}));
                SecretBytes inherited(100);
                return in_child([&inherited]() -> std::string {
                    inherited.wipe();
                    const SecretBytes fresh = SecretBytes::copy_of(as_bytes("fresh"));
                    return as_text(fresh.reveal()) == "fresh" && !arena_report().installed
                               ? ""
                               : "broken";
                });
            }),
            ""
        ) << name_of(mode);
    }
}

TEST(Arena, WithoutItSecretsLieOnThePlainHeap) {
    const SecretBytes secret(100);
    EXPECT_FALSE(arena_report().installed);
    EXPECT_FALSE(is_inside_arena(secret.reveal().data()));
}

}  // namespace
}  // namespace pgveil::core
