# walrelay's image: one program, the shared libraries that it needs, no shell. docs/image.md says what is in it and why.
#
#   docker build -t walrelay .                              the image that services run
#   docker build -t walrelay:debug --target debug .         the same with a shell, psql and redis-cli
#
# Both with --build-arg VERSION=... --build-arg REVISION=$(git rev-parse HEAD). podman and buildah need --format docker,
# because HEALTHCHECK is no part of OCI's own format. scripts/test-image builds both and tries them.
ARG DEBIAN=docker.io/library/debian:trixie-slim

FROM ${DEBIAN} AS build
WORKDIR /src
# The packages come first: a change of the sources leaves this layer as it is.
COPY scripts/setup scripts/
RUN scripts/setup --build && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends ca-certificates
COPY . .
# The context has no .git that could be asked.
ARG REVISION=unknown
# One RUN, so that a failed build tells its reason once. The cache makes the next build of a changed file short.
RUN --mount=type=cache,target=/root/.cache/ccache \
    cmake --preset release -DWALRELAY_REVISION="${REVISION}" && cmake --build --preset release --target walrelay
RUN deploy/image/assemble-root build/release/walrelay /image

FROM ${DEBIAN} AS debug
COPY --from=build /image.packages /image.packages
RUN apt-get update -q && \
    DEBIAN_FRONTEND=noninteractive xargs -r -a /image.packages \
      apt-get install -y -q --no-install-recommends postgresql-client redis-tools && \
    rm -rf /image.packages /var/lib/apt/lists/* && \
    useradd --uid 65532 --user-group --create-home --shell /bin/bash nonroot
COPY --from=build /image/usr/bin/walrelay /usr/bin/
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="walrelay (debug)" \
      org.opencontainers.image.description="Keeps Redis in step with PostgreSQL; with a shell, psql and redis-cli" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
WORKDIR /home/nonroot
EXPOSE 9847
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/walrelay", "healthcheck"]
ENTRYPOINT ["/usr/bin/walrelay"]
CMD ["run"]

FROM scratch AS runtime
COPY --from=build /image/ /
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="walrelay" \
      org.opencontainers.image.description="Keeps Redis in step with PostgreSQL by logical replication" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# For `docker exec ... walrelay status`.
ENV PATH=/usr/bin
USER 65532:65532
WORKDIR /home/nonroot
EXPOSE 9847
# Liveness only: a Redis that is away must not make an orchestrator restart what waits for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/walrelay", "healthcheck"]
ENTRYPOINT ["/usr/bin/walrelay"]
CMD ["run"]
