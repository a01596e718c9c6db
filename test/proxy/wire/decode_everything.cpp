#include "test/proxy/wire/decode_everything.hpp"

#include "proxy/wire/frame.hpp"
#include "proxy/wire/options.hpp"
#include "test/proxy/wire/samples.hpp"

#include <cstdlib>

namespace pgveil::wire {

namespace {

constexpr std::size_t kLimit = 1 << 16;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

template <class Elements>
void walk(const Elements& elements) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& element : elements) {
        ++count;
    }
    require(count == elements.size());
}

void walk_lists(ByteView body) {
    if (const auto parse = decode_parse(body); parse.has_value()) {
        walk(parse->parameter_types);
    }
    if (const auto bind = decode_bind(body); bind.has_value()) {
        walk(bind->parameters);
        require(!bind->result_formats.fits(2) || bind->result_formats.code_for(1) <= 1);
    }
    if (const auto call = decode_function_call(body); call.has_value()) {
        walk(call->arguments);
    }
    if (const auto description = decode_row_description(body); description.has_value()) {
        walk(description->fields);
    }
    if (const auto row = decode_data_row(body); row.has_value()) {
        walk(row->cells);
    }
    if (const auto error = decode_error_response(body); error.has_value()) {
        walk(error->fields);
    }
    if (const auto request = decode_authentication(body); request.has_value()) {
        walk(request->mechanisms);
    }
}

void walk_startup(ByteView bytes) {
    const auto packet = decode_startup(bytes);
    if (!packet.has_value()) {
        return;
    }
    if (const auto* message = std::get_if<StartupMessage>(&*packet); message != nullptr) {
        walk(message->parameters);
        message->find("user");
    }
}

void rewrite_options(ByteView bytes) {
    const auto first = parse_options(as_text(bytes));
    if (first.has_value()) {
        const auto again = parse_options(join_options(*first));
        require(again.has_value() && again->size() == first->size());
    }
}

void walk_frames(ByteView bytes) {
    FrameReader frames(bytes, kLimit);
    while (frames.peek().status == PeekStatus::kWhole) {
        walk_lists(frames.take().body);
    }
    require(frames.consumed() <= bytes.size());
    peek_startup(bytes, kStartupLimit);
}

}  // namespace

void decode_everything(ByteView bytes) {
    static const std::vector<Sample> kSamples = all_samples();
    for (const Sample& sample : kSamples) {
        sample.decode(bytes);
    }
    walk_lists(bytes);
    walk_startup(bytes);
    walk_frames(bytes);
    rewrite_options(bytes);
}

}  // namespace pgveil::wire
