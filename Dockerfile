# Node 24 is the long-term support release until April 2028. The digest is that of the index of all platforms.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json tsconfig.types.json ./
COPY setup ./setup
COPY bin ./bin
COPY workers ./workers
COPY packages ./packages
COPY src ./src
RUN npm run build
# A package does not contain the SDKs of providers; the image does.
RUN node setup/keep-provider-sdks.js && npm prune --omit=dev --workspaces=false --no-audit --no-fund

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="runbookd" \
      org.opencontainers.image.description="Executes Markdown runbooks for LLM workloads when Alertmanager calls, and checks that it helped." \
      org.opencontainers.image.source="https://github.com/runbookd/runbookd" \
      org.opencontainers.image.documentation="https://github.com/runbookd/runbookd/blob/main/docs/README.md" \
      org.opencontainers.image.licenses="MIT"
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"
# Checkpoints of tickets are git commits.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --chown=node:node --from=build /app/package.json ./
COPY --chown=node:node --from=build /app/node_modules ./node_modules
COPY --chown=node:node --from=build /app/dist ./dist
COPY --chown=node:node bin ./bin
COPY --chown=node:node README.md CHANGELOG.md LICENSE SECURITY.md ./
COPY --chown=node:node docs ./docs
COPY --chown=node:node alerts ./alerts
COPY --chown=node:node runbooks ./runbooks
# Tokens and whatever else must outlive the container; a volume goes here.
RUN mkdir .runbookd && chown node:node . .runbookd
USER node
EXPOSE 9097 9098
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.RUNBOOKD_PORT ?? 9097}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: signals reach the program, which then ends its work in order. It needs REDIS_URL; the image holds no redis-server.
ENTRYPOINT ["node", "bin/runbookd.js"]
CMD ["up"]
