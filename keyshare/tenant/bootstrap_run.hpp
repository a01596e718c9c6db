#pragma once

#include "keyshare/share/tenant_bootstrap.hpp"
#include "keyshare/tenant/home.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace pgveil::tenant {

/// How one step reaches the proxy: its answer, or why there is none.
using BootstrapCall =
    std::function<Result<std::string>(std::string_view step, const std::string& argument)>;

/// A home in which the bootstrap has begun; nothing is on disk yet.
struct BootstrapOrder {
    std::string tenant;
    std::vector<std::string> groups;
    std::string proxy;  ///< host:port, for people
};

Result<HomeState> begin_bootstrap(const BootstrapOrder& order);

/// Drives the bootstrap in the home's state to its end. The home is saved before each step is sent
/// and after the last answer, so that the same call on the reopened home goes on after a kill at
/// any moment. On an error the home holds the state before the failed step.
Result<void> run_bootstrap(Home& home, const BootstrapCall& call, std::int64_t now_s);

}  // namespace pgveil::tenant
