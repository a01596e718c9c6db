#include "proxy/relay/injection.hpp"

#include "proxy/wire/frontend.hpp"
#include "sql/schema/schema.hpp"

#include <array>

namespace pgveil::relay {

namespace {

constexpr std::string_view kReadParameters =
    "SELECT pg_catalog.current_setting('pgveil.user_id', true), "
    "pg_catalog.current_setting('pgveil.user_token', true), "
    "pg_catalog.current_setting('pgveil.app_share', true), "
    "pg_catalog.current_setting('bytea_output'), "
    "pg_catalog.current_setting('extra_float_digits'), "
    "pg_catalog.current_setting('array_nulls'), "
    "pg_catalog.current_setting('timezone_abbreviations'), "
    "pg_catalog.current_setting('TimeZone'), "
    "pg_catalog.current_setting('DateStyle'), "
    "pg_catalog.current_setting('IntervalStyle'), "
    "pg_catalog.current_setting('client_encoding'), "
    "pg_catalog.current_setting('standard_conforming_strings'), "
    "pg_catalog.current_setting('pgveil_verified.user_id', true)";

constexpr std::string_view kSetVerifiedUser =
    "SELECT pg_catalog.set_config('pgveil_verified.user_id', $1, false)";

constexpr std::uint32_t kTextOid = 25;

}  // namespace

void Injection::look_up(wire::Output& upstream, Ending ending, Question question) {
    reset();
    purpose_ = Purpose::kCatalog;
    ending_ = ending;
    names_ = std::move(question.names);
    answers_ = question.answers;
    send(
        upstream,
        answers_ == Answers::kBrief ? catalog::brief_lookup_query(names_)
                                    : catalog::lookup_query(names_),
        {catalog::schemas_parameter(names_),
         catalog::names_parameter(names_),
         std::move(question.protected_names),
         catalog::kinds_parameter(names_)}
    );
}

void Injection::ask_viewpoint(wire::Output& upstream, Ending ending) {
    reset();
    purpose_ = Purpose::kViewpoint;
    ending_ = ending;
    send(upstream, catalog::viewpoint_query(), {});
}

void Injection::read_parameters(wire::Output& upstream, Ending ending) {
    reset();
    purpose_ = Purpose::kParameters;
    ending_ = ending;
    send(upstream, kReadParameters, {});
}

void Injection::create_ciphertext_type(wire::Output& upstream, Ending ending) {
    reset();
    purpose_ = Purpose::kCiphertextType;
    ending_ = ending;
    send(upstream, schema::setup_block(), {});
}

void Injection::set_verified_user(wire::Output& upstream, Ending ending, std::string user_id) {
    reset();
    purpose_ = Purpose::kVerifiedUser;
    ending_ = ending;
    user_id_ = std::move(user_id);
    send(upstream, kSetVerifiedUser, {user_id_}, kTextOid);
}

void Injection::reset() {
    purpose_ = Purpose::kNone;
    names_.clear();
    rows_.clear();
    replies_left_ = 0;
}

void Injection::send(
    wire::Output& upstream,
    std::string_view sql,
    const std::vector<std::string>& arguments,
    std::uint32_t argument_type
) {
    const std::vector<std::uint32_t> types(arguments.size(), argument_type);
    // An earlier injection that failed half-way may have left its statement behind.
    wire::append_close(upstream, wire::Target::kStatement, kName);
    wire::append_parse(upstream, kName, sql, types);
    wire::BindWriter bind(
        upstream,
        {kName, kName},
        std::span<const wire::Format>(),
        static_cast<std::uint16_t>(arguments.size())
    );
    for (const std::string& argument : arguments) {
        bind.add(wire::as_bytes(argument));
    }
    bind.finish(std::span<const wire::Format>());
    wire::append_execute(upstream, kName, 0);
    wire::append_close(upstream, wire::Target::kPortal, kName);
    wire::append_empty(
        upstream, ending_ == Ending::kSync ? wire::FrontendType::kSync : wire::FrontendType::kFlush
    );
}

}  // namespace pgveil::relay
