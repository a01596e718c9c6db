#include "sql/parse/parser.hpp"

#include "sql/parse/raw.hpp"
#include "sql/parse/scanner.hpp"

#include <optional>
#include <utility>

// The internal header needs PgQueryError from pg_query.h.
// clang-format off
extern "C" {
#include <pg_query.h>
#include <pg_query/pg_query_internal.h>
}

// clang-format on

namespace pgveil::parse {

namespace {

/// A memory context of libpg_query for one parse: everything the parser allocates dies with it.
class ParserMemory {
public:
    ParserMemory() : context_(pg_query_enter_memory_context()) {}

    ParserMemory(const ParserMemory&) = delete;
    ParserMemory& operator=(const ParserMemory&) = delete;

    ~ParserMemory() { pg_query_exit_memory_context(context_); }

private:
    MemoryContext context_;
};

std::uint32_t end_of(const RawStmt& raw, std::size_t text_size) {
    const auto begin = static_cast<std::uint32_t>(raw.stmt_location);
    return raw.stmt_len == 0 ? static_cast<std::uint32_t>(text_size)
                             : begin + static_cast<std::uint32_t>(raw.stmt_len);
}

Result<std::vector<Statement>> read_tree(
    const List* tree, std::size_t text_size, std::size_t statements_max
) {
    std::vector<Statement> statements;
    std::size_t nodes = 0;
    for (const void* element : elements_of(tree)) {
        if (statements.size() > statements_max) {
            break;
        }
        const auto& raw = *node_as<RawStmt>(element);
        RawReader reader(nodes);
        Statement statement = reader.statement(raw.stmt);
        if (reader.exceeded()) {
            return Error{
                ErrorCode::kLimit, "the statement is nested too deeply or has too many terms", -1};
        }
        statement.begin = static_cast<std::uint32_t>(raw.stmt_location);
        statement.end = end_of(raw, text_size);
        statements.push_back(std::move(statement));
    }
    return statements;
}

/// PgQueryError counts characters from 1; our positions are bytes from 0.
std::int32_t byte_offset(std::string_view text, int character_position) {
    if (character_position <= 0) {
        return -1;
    }
    int seen = 0;
    for (std::size_t offset = 0; offset < text.size(); ++offset) {
        const bool begins_character = (static_cast<unsigned char>(text[offset]) & 0xC0U) != 0x80U;
        seen += begins_character ? 1 : 0;
        if (seen == character_position) {
            return static_cast<std::int32_t>(offset);
        }
    }
    return static_cast<std::int32_t>(text.size());
}

Error take_error(PgQueryError* raw, std::string_view text) {
    const std::string message = text_or_empty(raw->message);
    // bison's own stack limit: deep nesting, not a mistake of the user.
    const bool is_limit =
        message.starts_with("memory exhausted") || message.starts_with("out of memory");
    Error error{
        is_limit ? ErrorCode::kLimit : ErrorCode::kSyntax,
        message,
        byte_offset(text, raw->cursorpos)};
    pg_query_free_error(raw);
    return error;
}

/// PostgreSQL's lexer takes a whole run of operator characters, and gives back all but the first
/// ones where a comment begins in it or where it ends in signs: "/*/*/*..." and "+-+-+-..." cost
/// the square of their length. Counts these steps without taking them.
bool is_costly_to_read(std::string_view text) {
    constexpr std::size_t kStepsMax = 64U << 20U;
    constexpr std::size_t kFree = 16;  // short runs are cheap however often they come
    std::size_t steps = 0;
    std::size_t restarts = 0;  // in this run: every further character is read again for each
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (kOperatorCharacters.find(c) == std::string_view::npos) {
            restarts = 0;
            continue;
        }
        restarts += c == '+' || c == '-' || text.substr(at, 2) == "/*" ? 1U : 0U;
        steps += restarts > kFree ? restarts : 0;
        if (steps > kStepsMax) {
            return true;
        }
    }
    return false;
}

Result<std::vector<Statement>> read(const std::string& text, std::size_t statements_max) {
    const ParserMemory memory;
    const PgQueryInternalParsetreeAndError raw = pg_query_raw_parse(text.c_str());
    if (raw.stderr_buffer != nullptr) {
        free(raw.stderr_buffer);  // NOLINT(cppcoreguidelines-no-malloc): allocated by the C library
    }
    if (raw.error != nullptr) {
        return take_error(raw.error, text);
    }
    return read_tree(raw.tree, text.size(), statements_max);
}

Result<std::vector<Statement>> parse_unchecked(std::string_view text, std::size_t statements_max) {
    const std::string terminated(text);
    if (terminated.find('\0') != std::string::npos) {
        return Error{ErrorCode::kSyntax, "the text contains a zero byte", -1};
    }
    if (is_costly_to_read(text)) {
        return Error{
            ErrorCode::kLimit,
            "the text has too many comments or signs without a blank between",
            -1};
    }
    auto parsed = read(terminated, statements_max);
    if (parsed || parsed.error().code != ErrorCode::kSyntax) {
        return parsed;
    }
    const auto blanked = without_comments_in_constants(text);
    return blanked ? read(*blanked, statements_max) : std::move(parsed);
}

constexpr std::size_t kCanariesMax = 3;

bool canary_select_reads_well() {
    const auto parsed = parse_unchecked(
        "SELECT a.b, 'x'::text FROM s.t AS a WHERE c IN ($2, 7) AND d IS NULL LIMIT 3", kCanariesMax
    );
    if (!parsed || parsed->size() != 1) {
        return false;
    }
    const auto* const select = std::get_if<std::unique_ptr<Select>>(&parsed->front().node);
    if (select == nullptr || (*select)->targets.size() != 2 || (*select)->from.size() != 1) {
        return false;
    }
    const auto* const table = std::get_if<TableReference>(&(*select)->from.front()->node);
    const auto* const cast = std::get_if<Cast>(&(*select)->targets[1].value->node);
    const auto* const both = std::get_if<Logical>(&(*select)->where->node);
    if (table == nullptr || cast == nullptr || both == nullptr || both->operands.size() != 2) {
        return false;
    }
    const auto* const list = std::get_if<Operation>(&both->operands[0]->node);
    const auto* const number = list == nullptr || list->operands.size() != 3
                                   ? nullptr
                                   : std::get_if<Parameter>(&list->operands[1]->node);
    return table->schema == "s" && table->name == "t" && table->alias.name == "a" &&
           table->begin == 27 && (*select)->targets[1].value->begin == 15 &&
           cast->type.begin == 17 && number != nullptr && number->number == 2 &&
           list->operands[1]->begin == 48 && (*select)->limits.size() == 1;
}

bool canary_command_reads_well() {
    const auto parsed = parse_unchecked(
        "CREATE TABLE s.t (a varchar(9) PRIMARY KEY); SET LOCAL x.y = 'z'; INSERT INTO t (a) "
        "VALUES (DEFAULT)",
        kCanariesMax
    );
    if (!parsed || parsed->size() != 3) {
        return false;
    }
    const auto* const create = std::get_if<CreateTable>(&(*parsed)[0].node);
    const auto* const set = std::get_if<VariableSet>(&(*parsed)[1].node);
    const auto* const insert = std::get_if<Insert>(&(*parsed)[2].node);
    if (create == nullptr || create->columns.size() != 1 || set == nullptr || insert == nullptr) {
        return false;
    }
    const auto& column = create->columns.front();
    return column.name == "a" && column.type.typmods == std::vector<std::int32_t>{9} &&
           column.constraints.size() == 1 &&
           column.constraints[0].kind == Constraint::Kind::kPrimaryKey && set->name == "x.y" &&
           set->kind == VariableSet::Kind::kValue && insert->source != nullptr &&
           insert->source->values.size() == 1;
}

bool library_is_the_expected_one() {
    static const bool kGood = canary_select_reads_well() && canary_command_reads_well();
    return kGood;
}

}  // namespace

Result<std::vector<Statement>> parse(std::string_view text, std::size_t statements_max) {
    const auto checked = check_parser();
    if (!checked) {
        return checked.error();
    }
    return parse_unchecked(text, statements_max);
}

Result<void> check_parser() {
    if (!library_is_the_expected_one()) {
        return Error{
            ErrorCode::kUnusable,
            "libpg_query does not lay out its syntax tree as the PostgreSQL 15 headers of this "
            "build do: "
            "build against libpg_query 15-4.0.0 and postgresql-server-dev-15",
            -1};
    }
    return {};
}

}  // namespace pgveil::parse
