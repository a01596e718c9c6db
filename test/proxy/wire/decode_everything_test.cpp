#include "test/proxy/wire/decode_everything.hpp"

#include "test/proxy/wire/samples.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace pgveil::wire {

namespace {

TEST(DecodeEverything, ReturnsForSamplesThatWereChangedAtRandom) {
    std::mt19937 random(2);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same run every time
    for (const Sample& sample : all_samples()) {
        for (int round = 0; round < 100; ++round) {
            const ByteView whole = sample.message.bytes();
            std::vector<std::uint8_t> bytes(whole.begin(), whole.end());
            for (std::size_t changes = random() % 4; changes > 0; --changes) {
                bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
            }
            decode_everything(bytes);
            decode_everything(ByteView(bytes).subspan(sample.head));
        }
    }
}

TEST(DecodeEverything, ReturnsForRandomOptions) {
    constexpr std::string_view kLetters = "-c \\=eFd5_x\t";
    std::mt19937 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same run every time
    for (int round = 0; round < 5000; ++round) {
        std::string options;
        for (std::size_t size = random() % 20; size > 0; --size) {
            options += kLetters[random() % kLetters.size()];
        }
        decode_everything(as_bytes(options));
    }
}

}  // namespace

}  // namespace pgveil::wire
