#pragma once

#include "net/stream.hpp"

#include <list>

namespace pgveil::session {

/// Connections of one worker that have not shown who they are: their startup packet or the proof of
/// their password is awaited. Each may hold secret memory (all of libssl lives there), and anybody
/// can open one. One thread.
class Strangers {
    using Streams = std::list<net::Stream*>;

public:
    /// One of them, until it dies. The stream has to live as long.
    class Place {
    public:
        Place(Streams& streams, net::Stream& stream)
            : streams_(&streams), at_(streams.insert(streams.end(), &stream)) {}

        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        Place(Place&&) = delete;
        Place& operator=(Place&&) = delete;

        ~Place() { streams_->erase(at_); }

    private:
        Streams* streams_;
        Streams::iterator at_;
    };

    Place enter(net::Stream& stream) { return {oldest_first_, stream}; }

    /// Where secret memory gets short, those who have waited longest are told to go: their next
    /// wait fails with timed_out. Whoever comes to log in is done before it is their turn.
    void make_room();

private:
    Streams oldest_first_;
};

}  // namespace pgveil::session
