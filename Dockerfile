FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY setup ./setup
COPY bench ./bench
COPY workers ./workers
COPY packages ./packages
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY alerts ./alerts
COPY runbooks ./runbooks
# Tokens and whatever else must outlive the container; a volume goes here.
RUN mkdir .runbookd && chown node:node .runbookd
USER node
EXPOSE 9097 9098
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.RUNBOOKD_PORT ?? 9097}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: signals reach the program, which then ends its work in order. It needs REDIS_URL; the image holds no redis-server.
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["up"]
