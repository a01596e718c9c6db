# Builds the three programs on Debian 12 and puts them, and nothing to build with, into the second image.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/packages scripts/packages
COPY scripts/lib/message.sh scripts/lib/message.sh
RUN scripts/packages build
COPY . .
RUN cmake --preset release && cmake --build --preset release --target pgveil pgveil-tenant pgveil-user pgveil-envelope

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates openssl postgresql-client-15 \
        libcurl3-gnutls libnettle8 libpq5 libsqlite3-0 libspdlog1.10 libssl3 \
        libtss2-esys-3.0.2-0 libtss2-rc0 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 6543 --home-dir /var/lib/pgveil --create-home pgveil
COPY --from=build /src/build/release/bin/pgveil /src/build/release/bin/pgveil-tenant \
    /src/build/release/bin/pgveil-user /src/build/release/bin/pgveil-envelope /usr/local/bin/
COPY scripts/docker /usr/local/lib/pgveil
USER pgveil
WORKDIR /var/lib/pgveil
EXPOSE 6543
# Nothing is bound while keys are in registers: the dynamic linker would save those on the stack.
ENV LD_BIND_NOW=1
# Locked memory: run with --ulimit memlock=67108864 or more for many sessions.
ENTRYPOINT ["pgveil"]
CMD ["serve", "--config", "/etc/pgveil/pgveil.json"]
