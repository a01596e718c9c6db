#include "sql/explain/query_log.hpp"

#include <nlohmann/json.hpp>
#include <vector>

namespace pgveil::explain {

namespace {

using Sink = std::function<void(LoggedStatement)>;

constexpr std::size_t kCsvDatabase = 2;
constexpr std::size_t kCsvMessage = 13;

void hand_over(std::string_view message, std::string database, std::size_t line, const Sink& sink) {
    const std::string_view text = statement_of_message(message);
    if (!text.empty()) {
        sink({std::string(text), std::move(database), line});
    }
}

/// log_destination stderr: a prefix of the operator's choice, `LOG:  `, the message; further lines
/// of the message begin with a tab.
class PlainLog {
public:
    explicit PlainLog(const Sink& sink) : sink_(sink) {}

    void add(const std::string& line, std::size_t number) {
        if (!line.empty() && line.front() == '\t') {
            message_ += '\n' + line.substr(1);
            return;
        }
        finish();
        constexpr std::string_view kMark = "LOG:  ";
        const std::size_t mark = line.find(kMark);
        message_ = mark == std::string::npos ? std::string() : line.substr(mark + kMark.size());
        drop_sqlstate();
        number_ = number;
    }

    void finish() {
        hand_over(message_, {}, number_, sink_);
        message_.clear();
    }

private:
    /// log_error_verbosity = verbose: `00000: ` before the message.
    void drop_sqlstate() {
        constexpr std::string_view kSuccess = "00000: ";
        if (message_.starts_with(kSuccess)) {
            message_.erase(0, kSuccess.size());
        }
    }

    const Sink& sink_;
    std::string message_;
    std::size_t number_ = 0;
};

/// The fields of one CSV record; false while a quoted field goes on in the next line.
bool split_csv(std::string_view record, std::vector<std::string>& fields) {
    fields.assign(1, {});
    bool is_quoted = false;
    for (std::size_t i = 0; i < record.size(); ++i) {
        const char letter = record[i];
        if (is_quoted && letter == '"' && i + 1 < record.size() && record[i + 1] == '"') {
            fields.back() += letter;
            ++i;
        } else if (letter == '"') {
            is_quoted = !is_quoted;
        } else if (letter == ',' && !is_quoted) {
            fields.emplace_back();
        } else {
            fields.back() += letter;
        }
    }
    return !is_quoted;
}

class CsvLog {
public:
    explicit CsvLog(const Sink& sink) : sink_(sink) {}

    void add(const std::string& line, std::size_t number) {
        if (record_.empty()) {
            number_ = number;
        } else {
            record_ += '\n';
        }
        record_ += line;
        if (!split_csv(record_, fields_)) {
            return;
        }
        record_.clear();
        if (fields_.size() > kCsvMessage) {
            hand_over(fields_[kCsvMessage], fields_[kCsvDatabase], number_, sink_);
        }
    }

private:
    const Sink& sink_;
    std::string record_;
    std::vector<std::string> fields_;
    std::size_t number_ = 0;
};

void read_json_line(const std::string& line, std::size_t number, const Sink& sink) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object()) {
        return;
    }
    const auto text_of = [&](const char* key) {
        const auto found = entry.find(key);
        return found != entry.end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
    };
    hand_over(text_of("message"), text_of("dbname"), number, sink);
}

/// A csvlog begins with `2026-11-21 20:18:20.123 UTC,"user","database",...`.
bool looks_like_csv(const std::string& line) {
    std::vector<std::string> fields;
    split_csv(line, fields);
    return fields.size() > kCsvDatabase && !line.starts_with('{') &&
           line.find(" LOG:  ") == std::string::npos;
}

}  // namespace

std::string_view statement_of_message(std::string_view message) {
    constexpr std::string_view kDuration = "duration: ";
    constexpr std::string_view kUnit = " ms  ";
    constexpr std::string_view kStatement = "statement: ";
    constexpr std::string_view kExecute = "execute ";
    if (message.starts_with(kDuration)) {
        const std::size_t unit = message.find(kUnit);
        message = unit == std::string_view::npos ? std::string_view()
                                                 : message.substr(unit + kUnit.size());
    }
    if (message.starts_with(kStatement)) {
        return message.substr(kStatement.size());
    }
    const std::size_t name_end = message.find(": ");
    if (message.starts_with(kExecute) && name_end != std::string_view::npos) {
        return message.substr(name_end + 2);
    }
    return {};
}

void read_query_log(std::istream& log, const Sink& sink) {
    PlainLog plain(sink);
    CsvLog csv(sink);
    std::string line;
    bool is_csv = false;
    for (std::size_t number = 1; std::getline(log, line); ++number) {
        is_csv = number == 1 ? looks_like_csv(line) : is_csv;
        if (is_csv) {
            csv.add(line, number);
        } else if (!line.empty() && line.front() == '{') {
            read_json_line(line, number, sink);
        } else {
            plain.add(line, number);
        }
    }
    plain.finish();
}

}  // namespace pgveil::explain
