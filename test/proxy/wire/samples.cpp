#include "test/proxy/wire/samples.hpp"

#include <array>

namespace pgveil::wire {

namespace {

using namespace std::string_view_literals;

constexpr std::array<std::uint8_t, 5> kBytes{1, 0, 2, 0xff, 0};

template <class Decoder, class Writer>
Sample sample(std::string name, Decoder decoder, Writer write) {
    Sample made;
    made.name = std::move(name);
    made.decode = erase(decoder);
    write(made.message);
    return made;
}

template <class Decoder, class Writer>
Sample open_ended(std::string name, Decoder decoder, Writer write) {
    Sample made = sample(std::move(name), decoder, write);
    made.open_ended = true;
    return made;
}

void write_bind(Output& out) {
    const std::array formats{Format::kText, Format::kBinary, Format::kText};
    BindWriter bind(out, {.portal = "portal", .statement = "s1"}, formats, 3);
    bind.add(as_bytes("seventeen"));
    bind.add(std::nullopt);
    bind.add(ByteView());
    bind.finish(std::array{Format::kBinary});
}

void write_function_call(Output& out) {
    const std::size_t start = out.open_message(FrontendType::kFunctionCall);
    out.append_int32(952);
    append_format_codes(out, std::array{Format::kBinary});
    out.append_int16(2);
    append_cell(out, ByteView(kBytes));
    append_cell(out, std::nullopt);
    out.append_int16(1);
    out.close_message(start);
}

void write_row(Output& out) {
    RowWriter row(out, 3);
    row.add(as_bytes("alice"));
    row.add(std::nullopt);
    row.open_cell();
    out.append(kBytes);
    row.close_cell();
    row.finish();
}

std::array<Field, 2> fields() {
    Field first;
    first.name = "id";
    first.table_oid = 16384;
    first.attnum = 1;
    first.type_oid = 23;
    first.typlen = 4;
    Field second;
    second.name = "name";
    second.type_oid = 1043;
    second.typlen = -1;
    second.typmod = 84;
    second.format = 1;
    return {first, second};
}

void write_copy_response(Output& out) {
    const std::size_t start = out.open_message(BackendType::kCopyInResponse);
    out.append_int8(1);
    append_format_codes(out, std::array{Format::kBinary, Format::kBinary});
    out.close_message(start);
}

void add_frontend(std::vector<Sample>& all) {
    all.push_back(sample("Query", decode_query, [](Output& out) { append_query(out, "select 1"); })
    );
    all.push_back(sample("Parse", decode_parse, [](Output& out) {
        append_parse(out, "s1", "select $1, $2", std::array<std::uint32_t, 2>{17, 0});
    }));
    all.push_back(sample("Bind", decode_bind, write_bind));
    all.push_back(sample("Describe", decode_describe, [](Output& out) {
        append_describe(out, Target::kPortal, "p");
    }));
    all.push_back(sample("Close", decode_close, [](Output& out) {
        append_close(out, Target::kStatement, "s1");
    }));
    all.push_back(sample("Execute", decode_execute, [](Output& out) {
        append_execute(out, "", 50);
    }));
    all.push_back(sample("FunctionCall", decode_function_call, write_function_call));
    all.push_back(sample("CopyFail", decode_copy_fail, [](Output& out) {
        append_copy_fail(out, "no");
    }));
    all.push_back(sample("PasswordMessage", decode_password, [](Output& out) {
        append_password(out, "secret");
    }));
    all.push_back(sample("SASLInitialResponse", decode_sasl_initial_response, [](Output& out) {
        append_sasl_initial_response(out, "SCRAM-SHA-256", as_bytes("n,,n=,r=x"));
    }));
    all.push_back(sample(
        "SASLInitialResponse without one",
        decode_sasl_initial_response,
        [](Output& out) { append_sasl_initial_response(out, "SCRAM-SHA-256", std::nullopt); }
    ));
}

void add_login(std::vector<Sample>& all) {
    all.push_back(sample("AuthenticationOk", decode_authentication, [](Output& out) {
        append_authentication(out, AuthenticationType::kOk);
    }));
    all.push_back(sample("AuthenticationMD5Password", decode_authentication, [](Output& out) {
        append_authentication(out, AuthenticationType::kMD5Password, as_bytes("salt"));
    }));
    all.push_back(sample("AuthenticationSASL", decode_authentication, [](Output& out) {
        append_authentication_sasl(out, std::array{"SCRAM-SHA-256-PLUS"sv, "SCRAM-SHA-256"sv});
    }));
    all.push_back(open_ended("AuthenticationSASLContinue", decode_authentication, [](Output& out) {
        append_authentication(out, AuthenticationType::kSASLContinue, as_bytes("r=x,s=y,i=4096"));
    }));
    all.push_back(open_ended("BackendKeyData", decode_backend_key_data, [](Output& out) {
        append_backend_key_data(out, {.process_id = 4711, .secret = kBytes});
    }));
    all.push_back(sample(
        "NegotiateProtocolVersion",
        decode_negotiate_protocol_version,
        [](Output& out) {
            append_negotiate_protocol_version(out, kProtocol32, std::array{"_pq_.a"sv, "_pq_.b"sv});
        }
    ));
}

void add_backend(std::vector<Sample>& all) {
    all.push_back(sample("RowDescription", decode_row_description, [](Output& out) {
        append_row_description(out, fields());
    }));
    all.push_back(sample("DataRow", decode_data_row, write_row));
    all.push_back(sample("ParameterDescription", decode_parameter_description, [](Output& out) {
        append_parameter_description(out, std::array<std::uint32_t, 3>{25, 1043, 17});
    }));
    all.push_back(sample("ReadyForQuery", decode_ready_for_query, [](Output& out) {
        append_ready_for_query(out, TransactionStatus::kFailed);
    }));
    all.push_back(sample("CommandComplete", decode_command_complete, [](Output& out) {
        append_command_complete(out, "INSERT 0 1");
    }));
    all.push_back(sample("ParameterStatus", decode_parameter_status, [](Output& out) {
        append_parameter_status(out, "DateStyle", "ISO, MDY");
    }));
    all.push_back(sample("NotificationResponse", decode_notification_response, [](Output& out) {
        append_notification_response(out, {.process_id = 7, .channel = "c", .payload = "p"});
    }));
    all.push_back(sample("CopyInResponse", decode_copy_response, write_copy_response));
    all.push_back(sample("ErrorResponse", decode_error_response, [](Output& out) {
        Report report;
        report.sqlstate = "0A000";
        report.message = "refused";
        report.hint = "do something else";
        report.position = 15;
        append_error(out, report);
    }));
}

void add_startup(std::vector<Sample>& all) {
    all.push_back(sample("StartupMessage", decode_startup, [](Output& out) {
        const std::array parameters{
            StartupParameter{.name = "user", .value = "nurse"},
            StartupParameter{.name = "database", .value = "clinic"},
        };
        append_startup_message(out, kProtocol32, parameters);
    }));
    all.push_back(sample("SSLRequest", decode_startup, append_ssl_request));
    all.push_back(sample("CancelRequest", decode_startup, [](Output& out) {
        append_cancel_request(out, {.process_id = 4711, .secret = kBytes});
    }));
    for (std::size_t i = all.size() - 3; i < all.size(); ++i) {
        all[i].head = 0;
    }
}

}  // namespace

std::vector<Sample> all_samples() {
    std::vector<Sample> all;
    add_frontend(all);
    add_login(all);
    add_backend(all);
    add_startup(all);
    return all;
}

}  // namespace pgveil::wire
