#include "keyshare/envelope/body.hpp"
#include "keyshare/envelope/header.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>

// The body of a protected file, from memory to memory on one core.

namespace pgveil::envelope {
namespace {

constexpr std::size_t kSize = std::size_t{64} * 1024 * 1024;

class Memory final : public Source {
public:
    explicit Memory(core::ByteView left) : left_(left) {}

    Result<std::size_t> read(core::MutableByteView out) override {
        const std::size_t size = std::min(out.size(), left_.size());
        std::copy_n(left_.begin(), size, out.begin());
        left_ = left_.subspan(size);
        return size;
    }

private:
    core::ByteView left_;
};

class Room final : public Sink {
public:
    explicit Room(core::MutableByteView room) : room_(room) {}

    Result<void> write(core::ByteView bytes) override {
        std::copy(bytes.begin(), bytes.end(), room_.begin());
        room_ = room_.subspan(bytes.size());
        return {};
    }

    std::size_t left() const { return room_.size(); }

private:
    core::MutableByteView room_;
};

FreshFile fresh_file() {
    const core::Scalar group = core::generate_scalar();
    return *make_header(*core::PublicPoint::of_scalar(group), {}, core::system_random());
}

void seal_body(benchmark::State& state) {
    const FreshFile file = fresh_file();
    const core::Bytes content(kSize, 7);
    core::Bytes sealed(kSize + kSize / 1024);
    for ([[maybe_unused]] auto round : state) {
        Memory from(content);
        Room to(sealed);
        benchmark::DoNotOptimize(envelope::seal_body(from, to, file).has_value());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kSize));
}

void open_body(benchmark::State& state) {
    const FreshFile file = fresh_file();
    core::Bytes content(kSize, 7);
    core::Bytes sealed(kSize + kSize / 1024);
    Memory from(content);
    Room to(sealed);
    if (!envelope::seal_body(from, to, file)) {
        state.SkipWithError("nothing was sealed");
    }
    sealed.resize(sealed.size() - to.left());
    for ([[maybe_unused]] auto round : state) {
        Memory sealed_from(sealed);
        Room opened_to(content);
        if (!envelope::open_body(sealed_from, opened_to, file.header, file.body_key)) {
            state.SkipWithError("nothing was opened");
        }
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kSize));
}

BENCHMARK(seal_body)->Unit(benchmark::kMillisecond);
BENCHMARK(open_body)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pgveil::envelope

BENCHMARK_MAIN();
