#pragma once

#include "proxy/wire/cursor.hpp"

#include <cstddef>
#include <iterator>

namespace pgveil::wire {

/// A counted list inside a message, read element by element without allocating. It exists only over
/// bytes that a decoder has walked to the end once, so that iterating cannot fail.
/// `Element` needs `static Element read(Cursor&)`, or is specialised in ElementOf.
template <class Element>
struct ElementOf {
    static Element read(Cursor& cursor) noexcept { return Element::read(cursor); }
};

template <class Element>
class List {
public:
    class Iterator {
    public:
        using value_type = Element;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using pointer = const Element*;
        using reference = const Element&;

        Iterator(ByteView bytes, std::size_t left) noexcept : cursor_(bytes), left_(left) {
            step();
        }

        const Element& operator*() const noexcept { return element_; }

        const Element* operator->() const noexcept { return &element_; }

        Iterator& operator++() noexcept {
            --left_;
            step();
            return *this;
        }

        void operator++(int) noexcept { ++*this; }

        bool operator==(const Iterator& other) const noexcept { return left_ == other.left_; }

    private:
        void step() noexcept {
            if (left_ > 0) {
                element_ = ElementOf<Element>::read(cursor_);
            }
        }

        Cursor cursor_;
        std::size_t left_;
        Element element_{};
    };

    List() noexcept = default;

    /// Walks over `count` elements at the cursor; a failure stays in the cursor.
    static List take(Cursor& cursor, std::size_t count) noexcept {
        const ByteView before = cursor.ahead();
        for (std::size_t i = 0; i < count && !cursor.error(); ++i) {
            ElementOf<Element>::read(cursor);
        }
        List list;
        if (!cursor.error()) {
            list.bytes_ = before.first(before.size() - cursor.left());
            list.size_ = count;
        }
        return list;
    }

    std::size_t size() const noexcept { return size_; }

    bool empty() const noexcept { return size_ == 0; }

    Iterator begin() const noexcept { return Iterator(bytes_, size_); }

    Iterator end() const noexcept { return Iterator({}, 0); }

    /// The encoded elements, without their count.
    ByteView bytes() const noexcept { return bytes_; }

private:
    ByteView bytes_;
    std::size_t size_ = 0;
};

}  // namespace pgveil::wire
