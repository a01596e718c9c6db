#include "proxy/check.hpp"

#include "config/migrating.hpp"
#include "config/pins.hpp"
#include "config/text_file.hpp"
#include "proxy/differences.hpp"
#include "proxy/start.hpp"
#include "sql/schema/inspection.hpp"

#include <algorithm>
#include <iostream>
#include <iterator>

namespace pgveil::proxy {

namespace {

bool is_control(char letter) {
    constexpr unsigned char kFirstPrintable = 0x20;
    constexpr unsigned char kDelete = 0x7F;
    const auto code = static_cast<unsigned char>(letter);
    return code < kFirstPrintable || code == kDelete;
}

/// What one run of `pgveil check` has seen.
class Check {
public:
    Check(const config::Settings& settings, const config::Policy& policy, const config::Pins& pins)
        : settings_(settings), policy_(policy), pins_(pins) {}

    /// The databases a person named: each has to hold every table of the policy.
    void look_into_named(const std::vector<std::string>& databases) {
        for (const std::string& name : databases) {
            const auto found = compare(name);
            for (const std::string& table : found ? found->missing_tables : no_tables_) {
                report_missing(name, table);
            }
        }
    }

    void look_into_all() {
        auto home = mirror::Database::connect(settings_);
        const auto databases = home ? home->run(schema::databases_query())
                                    : mirror::Result<mirror::Rows>(home.error());
        if (!databases) {
            report_failure(databases.error());
            return;
        }
        std::set<std::string> missing;
        for (const config::TablePolicy& table : policy_.tables()) {
            if (!config::is_beside_migrating(table)) {
                missing.insert(table.schema + "." + table.name);
            }
        }
        for (const auto& row : *databases) {
            if (row.at(1) == "t") {
                keep_missing(compare(row.at(0)), missing);
            } else {
                std::cerr << "pgveil: database " << row.at(0) << " was not looked into: user "
                          << settings_.home.user << " may not connect to it\n";
            }
        }
        for (const std::string& table : missing) {
            report_missing("every database", table);
        }
        look_for_pinned_views();
    }

    /// Writes down the shapes of all tables and views that were seen.
    void pin(const std::string& file) {
        if (has_failed_) {
            return;
        }
        const auto saved = config::save_pins(file, seen_);
        if (!saved) {
            report_failure(mirror::Error{saved.error().message});
            return;
        }
        const auto views = std::count_if(seen_.begin(), seen_.end(), [](const auto& pin) {
            return std::any_of(pin.second.begin(), pin.second.end(), config::is_view_shape);
        });
        std::cout << "pinned " << seen_.size() - static_cast<std::size_t>(views) << " tables"
                  << (views == 0 ? "" : " and " + std::to_string(views) + " views") << " in "
                  << file << "; reload pgveil (SIGHUP)\n";
    }

    int finish() const {
        if (has_failed_) {
            return kExitConfiguration;
        }
        std::cout << (count_ == 0 ? "no differences" : std::to_string(count_) + " differences")
                  << " between the policy and " << looked_into_ << '\n';
        return count_ == 0 ? 0 : kExitFailed;
    }

private:
    std::optional<Differences> compare(const std::string& name) {
        auto database = mirror::Database::connect(settings_, name);
        auto found = database ? find_differences(*database, policy_)
                              : mirror::Result<Differences>(database.error());
        if (!found) {
            report_failure(found.error());
            return std::nullopt;
        }
        add_views(*found);
        for (const std::string& line : found->lines) {
            report(name, line);
        }
        compare_shapes(name, *found);
        looked_into_ += (looked_into_.empty() ? "" : ", ") + name;
        return std::move(*found);
    }

    /// A view that is pinned as it is was looked at by somebody.
    void add_views(Differences& found) const {
        for (auto& [view, lines] : found.views) {
            const auto pinned = pins_.find(view);
            const auto shape = found.shapes.find(view);
            const bool is_pinned = pinned != pins_.end() && shape != found.shapes.end() &&
                                   pinned->second.contains(shape->second);
            if (!is_pinned) {
                std::move(lines.begin(), lines.end(), std::back_inserter(found.lines));
            }
        }
        std::sort(found.lines.begin(), found.lines.end());
    }

    void compare_shapes(const std::string& database, const Differences& found) {
        for (const auto& [table, shape] : found.shapes) {
            seen_[table].insert(shape);
            const auto pinned = pins_.find(table);
            if (pinned != pins_.end() && !pinned->second.contains(shape)) {
                report(
                    database,
                    table.schema + "." + table.name + ": has another shape than the pinned one (" +
                        shape + "): undo the change, or pin it with pgveil check --pin"
                );
            }
        }
    }

    /// A view that is not found any more may have been replaced by one that shows something else.
    void look_for_pinned_views() {
        for (const auto& [name, shapes] : pins_) {
            const bool is_view = std::any_of(shapes.begin(), shapes.end(), config::is_view_shape);
            if (is_view && !has_failed_ && !seen_.contains(name)) {
                report(
                    "every database",
                    name.schema + "." + name.name +
                        ": is pinned, but there is no such view over a protected table: undo the "
                        "change, or pin anew with pgveil check --pin"
                );
            }
        }
    }

    static void keep_missing(
        const std::optional<Differences>& found, std::set<std::string>& missing
    ) {
        if (!found) {
            return;
        }
        std::set<std::string> still;
        std::set_intersection(
            missing.begin(),
            missing.end(),
            found->missing_tables.begin(),
            found->missing_tables.end(),
            std::inserter(still, still.end())
        );
        missing = std::move(still);
    }

    void report_missing(const std::string& where, const std::string& table) {
        report(
            where,
            table +
                ": is in the policy, but there is no such table: create it through "
                "pgveil, or take the entry out"
        );
    }

    /// Names come from the database: a line break in one may not look like a line of ours.
    void report(const std::string& where, const std::string& line) {
        std::string shown = where + ": " + line;
        std::replace_if(shown.begin(), shown.end(), is_control, ' ');
        std::cout << shown << '\n';
        ++count_;
    }

    void report_failure(const mirror::Error& error) {
        std::cerr << "pgveil: " << error.message << '\n';
        has_failed_ = true;
    }

    const config::Settings& settings_;
    const config::Policy& policy_;
    const config::Pins& pins_;
    config::Pins seen_;
    const std::set<std::string> no_tables_;
    std::size_t count_ = 0;
    bool has_failed_ = false;
    std::string looked_into_;
};

}  // namespace

int check(const std::string& settings_file, const CheckRequest& request) {
    const auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    const auto text = config::read_text_file(settings->policy_path);
    if (!text) {
        return refuse_to_start(text.error().message);
    }
    const auto policy = config::parse_policy(settings->policy_path, *text);
    if (!policy) {
        return refuse_to_start(policy.error().message);
    }
    const std::string pins_file = config::pins_path(settings->policy_path);
    // What is to be replaced need not be readable.
    const auto pins =
        request.pin ? config::Result<config::Pins>(config::Pins()) : config::load_pins(pins_file);
    if (!pins) {
        return refuse_to_start(pins.error().message);
    }
    Check run(*settings, **policy, *pins);
    const auto& named = request.databases.empty() ? (*policy)->databases() : request.databases;
    if (named.empty()) {
        run.look_into_all();
    } else {
        run.look_into_named(named);
    }
    if (request.pin) {
        run.pin(pins_file);
    }
    return run.finish();
}

}  // namespace pgveil::proxy
