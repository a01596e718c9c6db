#include "proxy/agent/ending_signals.hpp"

#include <initializer_list>

namespace pgveil::agent {

sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int each : {SIGTERM, SIGINT, SIGQUIT}) {
        sigaddset(&signals, each);
    }
    return signals;
}

sigset_t served_signals() {
    sigset_t signals = ending_signals();
    sigaddset(&signals, SIGHUP);
    return signals;
}

void block_signals(const sigset_t& signals) {
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace pgveil::agent
