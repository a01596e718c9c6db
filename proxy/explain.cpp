#include "proxy/explain.hpp"

#include "config/pins.hpp"
#include "proxy/dry_run.hpp"
#include "proxy/start.hpp"
#include "sql/explain/explanation.hpp"
#include "sql/explain/query_log.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <vector>

namespace pgveil::proxy {

namespace {

/// The database to look into, ready to decide.
struct Subject {
    std::string database;
    DryRun run;
};

mirror::Result<Subject> connect_subject(
    const config::Settings& settings,
    const std::shared_ptr<const config::Policy>& policy,
    const std::string& named,
    bool assume_protected
) {
    const auto& covered = policy->databases();
    const std::string database = !named.empty()        ? named
                                 : covered.size() == 1 ? covered.front()
                                                       : settings.home.database;
    auto connection = mirror::Database::connect(settings, database);
    if (!connection) {
        return connection.error();
    }
    const auto limited = connection->run("SET statement_timeout = '10s'");  // they are look-ups
    if (!limited) {
        return limited.error();
    }
    return Subject{database, DryRun(std::move(*connection), policy, assume_protected)};
}

/// nullopt after its reason was printed.
std::optional<Subject> open_subject(
    const std::string& settings_file, const std::string& named, bool assume_protected
) {
    const auto settings = start(settings_file);
    if (!settings) {
        return std::nullopt;
    }
    const auto policy = config::load_policy(settings->policy_path);
    if (!policy) {
        refuse_to_start(policy.error().message);
        return std::nullopt;
    }
    auto subject = connect_subject(*settings, *policy, named, assume_protected);
    if (!subject) {
        refuse_to_start(subject.error().message);
        return std::nullopt;
    }
    return std::move(*subject);
}

mirror::Result<Explanation> explain_in(Subject& subject, const std::string& sql) {
    const auto decided = subject.run.analyze(sql);
    if (!decided.has_value()) {
        return decided.error();
    }
    return Explanation{
        "on database " + subject.database + '\n' + explain::explanation(sql, *decided),
        explain::is_allowed(*decided)};
}

/// What one reason refused, over a whole log.
struct Refused {
    std::size_t count = 0;
    std::vector<std::size_t> lines;  // the first few
};

/// A run over a log. Texts that come again are decided once.
class LogCheck {
public:
    explicit LogCheck(Subject subject) : subject_(std::move(subject)) {}

    void add(explain::LoggedStatement statement) {
        const bool is_elsewhere =
            !statement.database.empty() && statement.database != subject_.database;
        if (is_elsewhere || !failure_.empty()) {
            return;
        }
        ++statements_;
        const auto [known, is_new] = reasons_.try_emplace(std::hash<std::string>()(statement.text));
        if (is_new) {
            known->second = reason_of(statement.text);
        }
        if (!known->second.empty()) {
            note(refused_[known->second], statement.line);
        }
    }

    int report() const {
        if (!failure_.empty()) {
            return refuse_to_start(failure_);
        }
        std::vector<std::pair<std::string, Refused>> sorted(refused_.begin(), refused_.end());
        std::stable_sort(sorted.begin(), sorted.end(), [](const auto& left, const auto& right) {
            return left.second.count > right.second.count;
        });
        std::size_t count = 0;
        for (const auto& [reason, refused] : sorted) {
            std::cout << refused.count << " x " << reason << "\n    line";
            for (const std::size_t line : refused.lines) {
                std::cout << ' ' << line;
            }
            std::cout << (refused.lines.size() < refused.count ? " ...\n" : "\n");
            count += refused.count;
        }
        std::cout << count << " of " << statements_ << " statements (" << reasons_.size()
                  << " different) on " << subject_.database << " would be refused\n";
        return count == 0 ? 0 : kExitFailed;
    }

private:
    /// The first refusal of the text, without anything quoted from it; empty: it would be sent, or
    /// fail as it does today.
    std::string reason_of(const std::string& text) {
        const auto decided = subject_.run.analyze(text);
        if (!decided.has_value()) {
            failure_ = decided.error().message;
            return {};
        }
        for (const auto& decision : decided->statements) {
            const auto* const rejection = std::get_if<analysis::Rejection>(&decision);
            if (rejection != nullptr && rejection->kind != analysis::RejectionKind::kPostgres) {
                return rejection->message + (rejection->hint.empty() ? "" : "; " + rejection->hint);
            }
        }
        return {};
    }

    static void note(Refused& refused, std::size_t line) {
        constexpr std::size_t kLinesShown = 10;
        ++refused.count;
        if (refused.lines.size() < kLinesShown) {
            refused.lines.push_back(line);
        }
    }

    Subject subject_;
    std::size_t statements_ = 0;
    std::map<std::size_t, std::string> reasons_;  // by the hash of the text
    std::map<std::string, Refused> refused_;
    std::string failure_;
};

}  // namespace

int explain(const std::string& settings_file, const ExplainRequest& request) {
    auto subject = open_subject(settings_file, request.database, false);
    if (!subject) {
        return kExitConfiguration;
    }
    const auto explained = explain_in(*subject, request.sql);
    if (!explained.has_value()) {
        return refuse_to_start(explained.error().message);
    }
    std::cout << explained->text;
    return explained->is_allowed ? 0 : kExitFailed;
}

mirror::Result<Explanation> explain_running(
    const config::Settings& settings,
    const std::shared_ptr<const config::Policy>& policy,
    const ExplainRequest& request
) {
    auto subject = connect_subject(settings, policy, request.database, false);
    if (!subject) {
        return subject.error();
    }
    return explain_in(*subject, request.sql);
}

int check_log(const std::string& settings_file, const LogRequest& request) {
    std::ifstream log(request.file, std::ios::binary);
    if (!log) {
        return refuse_to_start(request.file + " cannot be read: give the path of a server log");
    }
    auto subject = open_subject(settings_file, request.database, true);
    if (!subject) {
        return kExitConfiguration;
    }
    LogCheck run(std::move(*subject));
    explain::read_query_log(log, [&](explain::LoggedStatement statement) {
        run.add(std::move(statement));
    });
    return run.report();
}

}  // namespace pgveil::proxy
