#pragma once

namespace pgveil::parse {

/// One visitor made of a lambda per kind of node, for std::visit().
template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace pgveil::parse
