# Builds the programs on Debian 12 and puts them, and nothing to build with, into the image pgveil. The image tpm is a TPM in software, for docker-compose.yml.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/packages scripts/packages
COPY scripts/lib/message.sh scripts/lib/message.sh
RUN scripts/packages build
COPY . .
RUN cmake --preset release && cmake --build --preset release --target pgveil pgveil-tenant pgveil-user pgveil-agent pgveil-envelope pgveil-custodian

FROM debian:bookworm-slim AS tpm
COPY scripts/docker/tpm /usr/local/lib/pgveil/docker/tpm
RUN apt-get update && apt-get install -y --no-install-recommends swtpm \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 6543 pgveil
USER pgveil
ENTRYPOINT ["/usr/local/lib/pgveil/docker/tpm"]

FROM debian:bookworm-slim AS pgveil
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates openssl postgresql-client-15 \
        libcurl3-gnutls libnettle8 libpq5 libsqlite3-0 libspdlog1.10 libssl3 \
        libtss2-esys-3.0.2-0 libtss2-rc0 libtss2-tctildr0 libtss2-tcti-device0 libtss2-tcti-swtpm0 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 6543 --home-dir /var/lib/pgveil --create-home pgveil
COPY --from=build /src/build/release/bin/pgveil /src/build/release/bin/pgveil-tenant \
    /src/build/release/bin/pgveil-user /src/build/release/bin/pgveil-agent \
    /src/build/release/bin/pgveil-envelope /src/build/release/bin/pgveil-custodian /usr/local/bin/
COPY scripts/docker /usr/local/lib/pgveil/docker
COPY scripts/lib /usr/local/lib/pgveil/lib
USER pgveil
WORKDIR /var/lib/pgveil
EXPOSE 6543
# Nothing is bound while keys are in registers: the dynamic linker would save those on the stack.
ENV LD_BIND_NOW=1
# Locked memory: run with --ulimit memlock=67108864 or more for many sessions.
ENTRYPOINT ["pgveil"]
CMD ["serve", "--config", "/etc/pgveil/pgveil.json"]
