#include "net/output_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pgveil::net {

void OutputQueue::append(ByteView bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
        if (pieces_.empty() || pieces_.back().end == kBlockSize) {
            pieces_.emplace_back();
            pieces_.back().block = pool_->borrow();
        }
        Piece& piece = pieces_.back();
        const std::size_t count = std::min(bytes.size(), kBlockSize - piece.end);
        std::memcpy(std::span(*piece.block).subspan(piece.end).data(), bytes.data(), count);
        piece.end += count;
        bytes = bytes.subspan(count);
    }
}

ByteView OutputQueue::front() const noexcept {
    if (pieces_.empty()) {
        return {};
    }
    const Piece& piece = pieces_.front();
    return ByteView(*piece.block).subspan(piece.begin, piece.end - piece.begin);
}

void OutputQueue::consume(std::size_t count) noexcept {
    size_ -= count;
    Piece& piece = pieces_.front();
    piece.begin += count;
    if (piece.begin == piece.end) {
        pool_->give_back(std::move(piece.block), piece.end);
        pieces_.pop_front();
    }
}

void OutputQueue::clear() noexcept {
    for (Piece& piece : pieces_) {
        pool_->give_back(std::move(piece.block), piece.end);
    }
    pieces_.clear();
    size_ = 0;
}

}  // namespace pgveil::net
