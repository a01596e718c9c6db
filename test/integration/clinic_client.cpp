// clinic_client URL: a small client of libpq for the integration tests. It reads one request per
// line from stdin, fields separated by tabs, and prints everything libpq says about the answer, so
// that two runs can be compared:
//
//   simple SQL                      PQexec
//   text|binary SQL VALUE...        PQexecParams with untyped text parameters; results in that
//   format prepared SQL VALUE...           PQprepare, PQdescribePrepared, PQexecPrepared pipeline
//   SQL VALUE...           the statement and two plain ones in one pipeline rows SQL PQexec in
//   single-row mode
//
// In fields \n, \t and \\ stand for themselves; a value \N is NULL.
#include <algorithm>
#include <iostream>
#include <libpq-fe.h>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct ConnectionFinish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
};

struct ResultClear {
    void operator()(PGresult* result) const { PQclear(result); }
};

using Connection = std::unique_ptr<PGconn, ConnectionFinish>;
using Answer = std::unique_ptr<PGresult, ResultClear>;

/// One request: what to do, the statement and its parameters as libpq wants them.
struct Request {
    std::string verb;
    std::string sql;
    std::vector<std::string> texts;
    std::vector<const char*> values;

    int count() const { return static_cast<int>(values.size()); }
};

std::string unescaped(const std::string& field) {
    std::string plain;
    for (std::size_t at = 0; at < field.size(); ++at) {
        if (field[at] != '\\' || at + 1 == field.size()) {
            plain += field[at];
            continue;
        }
        const char next = field[++at];
        plain += next == 'n' ? '\n' : next == 't' ? '\t' : next;
    }
    return plain;
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    for (std::size_t from = 0; from <= line.size();) {
        const std::size_t to = std::min(line.find('\t', from), line.size());
        fields.push_back(line.substr(from, to - from));
        from = to + 1;
    }
    return fields;
}

Request parse(const std::string& line) {
    const std::vector<std::string> fields = split(line);
    Request request;
    request.verb = fields.at(0);
    request.sql = unescaped(fields.at(1));
    constexpr std::size_t kFirstValue = 2;
    for (std::size_t at = kFirstValue; at < fields.size(); ++at) {
        request.texts.push_back(unescaped(fields[at]));
    }
    for (std::size_t at = kFirstValue; at < fields.size(); ++at) {
        const bool is_null = fields[at] == "\\N";
        request.values.push_back(is_null ? nullptr : request.texts[at - kFirstValue].c_str());
    }
    return request;
}

void print_columns(const PGresult* answer) {
    for (int column = 0; column < PQnfields(answer); ++column) {
        std::cout << "  column " << PQfname(answer, column) << " type " << PQftype(answer, column)
                  << " size " << PQfsize(answer, column) << " typmod " << PQfmod(answer, column)
                  << " format " << PQfformat(answer, column) << '\n';
    }
}

void print_value(const PGresult* answer, int row, int column) {
    if (PQgetisnull(answer, row, column) != 0) {
        std::cout << " NULL";
        return;
    }
    const std::string value(
        PQgetvalue(answer, row, column), static_cast<std::size_t>(PQgetlength(answer, row, column))
    );
    std::cout << ' ';
    for (const char byte : value) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        const auto bits = static_cast<unsigned char>(byte);
        std::cout << kDigits[bits >> 4U] << kDigits[bits & 15U];
    }
}

void print(PGresult* answer) {
    std::cout << PQresStatus(PQresultStatus(answer)) << " tag '" << PQcmdStatus(answer) << "'\n";
    const char* sqlstate = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    if (sqlstate != nullptr) {
        std::cout << "  error " << sqlstate << '\n';
    }
    print_columns(answer);
    for (int parameter = 0; parameter < PQnparams(answer); ++parameter) {
        std::cout << "  parameter type " << PQparamtype(answer, parameter) << '\n';
    }
    for (int row = 0; row < PQntuples(answer); ++row) {
        std::cout << "  row";
        for (int column = 0; column < PQnfields(answer); ++column) {
            print_value(answer, row, column);
        }
        std::cout << '\n';
    }
}

void drain(PGconn* connection, int results_wanted) {
    int nulls = 0;
    while (nulls < results_wanted) {
        const Answer answer(PQgetResult(connection));
        if (!answer) {
            ++nulls;
            continue;
        }
        print(answer.get());
        if (PQresultStatus(answer.get()) == PGRES_PIPELINE_SYNC) {
            return;
        }
    }
}

void run_prepared(PGconn* connection, const Request& request) {
    const Answer parsed(PQprepare(connection, "s", request.sql.c_str(), 0, nullptr));
    print(parsed.get());
    const Answer described(PQdescribePrepared(connection, "s"));
    print(described.get());
    for (int format = 0; format < 2; ++format) {
        const Answer answer(PQexecPrepared(
            connection, "s", request.count(), request.values.data(), nullptr, nullptr, format
        ));
        print(answer.get());
    }
    const Answer closed(PQexec(connection, "DEALLOCATE ALL"));
}

void run_pipeline(PGconn* connection, const Request& request) {
    PQenterPipelineMode(connection);
    PQsendQueryParams(connection, "SELECT 1", 0, nullptr, nullptr, nullptr, nullptr, 0);
    PQsendQueryParams(
        connection,
        request.sql.c_str(),
        request.count(),
        nullptr,
        request.values.data(),
        nullptr,
        nullptr,
        0
    );
    PQsendQueryParams(connection, "SELECT 2", 0, nullptr, nullptr, nullptr, nullptr, 1);
    PQpipelineSync(connection);
    constexpr int kMoreThanNulls = 8;
    drain(connection, kMoreThanNulls);
    PQexitPipelineMode(connection);
}

void run_rows(PGconn* connection, const Request& request) {
    PQsendQuery(connection, request.sql.c_str());
    PQsetSingleRowMode(connection);
    drain(connection, 1);
}

void run(PGconn* connection, const Request& request) {
    std::cout << "== " << request.verb << ' ' << request.sql << '\n';
    if (request.verb == "simple") {
        const Answer answer(PQexec(connection, request.sql.c_str()));
        print(answer.get());
    } else if (request.verb == "text" || request.verb == "binary") {
        const Answer answer(PQexecParams(
            connection,
            request.sql.c_str(),
            request.count(),
            nullptr,
            request.values.data(),
            nullptr,
            nullptr,
            request.verb == "binary" ? 1 : 0
        ));
        print(answer.get());
    } else if (request.verb == "prepared") {
        run_prepared(connection, request);
    } else if (request.verb == "pipeline") {
        run_pipeline(connection, request);
    } else {
        run_rows(connection, request);
    }
    std::cout << "  status " << PQtransactionStatus(connection) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: clinic_client URL < requests\n";
        return 2;
    }
    const std::span<char*> arguments(argv, 2);
    const Connection connection(PQconnectdb(arguments[1]));
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        std::cerr << PQerrorMessage(connection.get());
        return 1;
    }
    PQsetNoticeProcessor(
        connection.get(), [](void*, const char*) {}, nullptr
    );
    for (std::string line; std::getline(std::cin, line);) {
        run(connection.get(), parse(line));
    }
    return 0;
}
