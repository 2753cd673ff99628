# syntax=docker/dockerfile:1

FROM rust:1-bookworm AS builder
WORKDIR /build
COPY . .
# The cache mounts keep dependencies between builds; they are no part of a layer, so the program is copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    SQLX_OFFLINE=true cargo build --release --locked --bin sekisho \
    && cp target/release/sekisho /usr/local/bin/sekisho

FROM debian:bookworm-slim
# Certificates for SMTP over TLS. Neither PostgreSQL nor Redis is here: `sekisho dev` is not meant for a container.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin sekisho
COPY --from=builder /usr/local/bin/sekisho /usr/local/bin/sekisho
COPY LICENSE /usr/share/doc/sekisho/
COPY src/password_policy/NOTICE /usr/share/doc/sekisho/
USER 10001
ENV SEKISHO_HTTP__LISTEN=0.0.0.0:8080
EXPOSE 8080
# Alive, not ready: while stopping it is unready on purpose, and must not be killed for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["sekisho"]
CMD ["serve"]
