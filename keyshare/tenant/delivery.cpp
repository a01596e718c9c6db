#include "keyshare/tenant/delivery.hpp"

#include "keyshare/tenant/attestation.hpp"
#include "keyshare/tenant/calls.hpp"
#include "keyshare/tenant/handouts.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/proxy_connection.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace pgveil::tenant {

namespace {

std::string words_of(const HomeState& state, const CommandRecord& command) {
    return "command " + std::to_string(command.sequence) + " (" +
           std::string(share::name_of(command.operation)) + " " + subject_of(state, command) + ")";
}

std::string outcome_of(const CommandRecord& command) {
    switch (command.fate) {
        case Fate::kPending:
            return " has no receipt yet: send it again with `pgveil-tenant pending`";
        case Fate::kApplied: return " was applied";
        case Fate::kExpired: return " came too late and changed nothing: order it anew";
        case Fate::kRefused: return " was refused by the proxy: " + command.reason;
    }
    return "";
}

/// More are counted, not listed.
constexpr std::size_t kListedMax = 20;

std::vector<std::uint64_t> sequences_of(const std::vector<const CommandRecord*>& commands) {
    std::vector<std::uint64_t> sequences;
    for (const CommandRecord* command : commands) {
        sequences.push_back(command->sequence);
    }
    return sequences;
}

/// Says each fate; the last one that is not "applied" becomes the error.
Result<void> report(
    const HomeState& state,
    const std::vector<std::uint64_t>& sequences,
    const user::Console& console
) {
    Result<void> verdict;
    std::size_t applied = 0;
    for (const CommandRecord& command : state.commands) {
        if (std::ranges::find(sequences, command.sequence) == sequences.end()) {
            continue;
        }
        const std::string sentence = words_of(state, command) + outcome_of(command);
        if (command.fate == Fate::kApplied) {
            ++applied;
            if (sequences.size() <= kListedMax) {
                console.note(sentence);
            }
            continue;
        }
        if (!verdict) {
            console.note(verdict.error().message);
        }
        verdict = user::failed(sentence);
    }
    if (sequences.size() > kListedMax) {
        console.note(std::to_string(applied) + " commands were applied");
    }
    return verdict;
}

Result<void> file_and_save(Home& home, const std::string& text) {
    const auto filed = file_receipts(home.state(), text);
    return filed ? home.save() : filed.error();
}

Result<void> apply(Home& home, const user::Console& console, const std::string& url) {
    auto proxy = user::ProxyConnection::as_login(url);
    if (!proxy) {
        return proxy.error();
    }
    Result<void> verdict;
    for (const Call& call : calls_for(home.state())) {
        const auto answer = proxy->call(call.function, call.arguments);
        if (!answer) {
            return answer.error();
        }
        const std::size_t before = pending(home.state()).size();
        auto taken = file_and_save(home, *answer);
        if (taken) {
            taken = report(home.state(), sequences_of(call.commands), console);
        }
        if (!taken) {
            verdict = taken;
            if (pending(home.state()).size() == before) {
                break;
            }
        }
    }
    return verdict;
}

}  // namespace

std::string time_text(std::int64_t seconds) {
    const auto moment = static_cast<std::time_t>(seconds);
    std::tm parts{};
    std::array<char, 32> text{};
    if (::gmtime_r(&moment, &parts) == nullptr ||
        std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        return std::to_string(seconds);
    }
    return text.data();
}

Result<Home> open_enrolled(const Context& context) {
    if (!Home::is_present(context.home)) {
        return user::unusable(
            "there is no tenant's home in " + context.home +
            ": make one with `pgveil-tenant bootstrap`, or name it with --home"
        );
    }
    const auto passphrase = user::read_secret(
        context.passphrase, "passphrase of " + context.home, user::Asking::kKnown
    );
    if (!passphrase) {
        return passphrase.error();
    }
    auto home = Home::open(context.home, *passphrase);
    if (home && !home->state().enrolment) {
        return user::failed(
            "the bootstrap in " + context.home +
            " is not finished: run `pgveil-tenant bootstrap` again, it goes on where it stopped"
        );
    }
    return home;
}

Result<Home> open_to_send(const Context& context, const Delivery& delivery) {
    if (delivery.out.empty() && delivery.url.empty()) {
        return user::unusable("say where the command goes: --out DIR, --apply URL, or both");
    }
    auto home = open_enrolled(context);
    if (home && !delivery.out.empty()) {
        if (auto made = make_out_directory(delivery.out); !made) {
            return made.error();
        }
    }
    return home;
}

Result<Home> open_attested(const Context& context) {
    auto home = open_enrolled(context);
    if (home) {
        const auto identity = home->state().enrolment->proxy_identity.fingerprint();
        const auto attested = check_attested(home->state(), identity, user::seconds_now());
        if (!attested) {
            return attested.error();
        }
    }
    return home;
}

Result<void> take_receipts(Home& home, const user::Console& console, const std::string& text) {
    auto answered = sequences_of(pending(home.state()));
    if (auto saved = file_and_save(home, text); !saved) {
        return saved;
    }
    const auto waiting = sequences_of(pending(home.state()));
    std::erase_if(answered, [&](std::uint64_t sequence) {
        return std::ranges::find(waiting, sequence) != waiting.end();
    });
    if (!waiting.empty()) {
        console.note(
            std::to_string(waiting.size()) +
            " commands have no receipt yet: see `pgveil-tenant pending`"
        );
    }
    return report(home.state(), answered, console);
}

Result<void> deliver(Home& home, const user::Console& console, const Delivery& delivery) {
    if (!delivery.out.empty()) {
        const auto paths = write_sql(home.state(), delivery.out);
        if (!paths) {
            return paths.error();
        }
        for (const std::string& path : *paths) {
            console.note("wrote " + path);
        }
    }
    if (!delivery.url.empty()) {
        return apply(home, console, delivery.url);
    }
    return {};
}

}  // namespace pgveil::tenant
