# One image, two roles: ROLE=agent or ROLE=session-binding. No file in it depends on the processor, so it can be built for
# linux/amd64 and linux/arm64. BASE_IMAGE is any image with Node.js 24.9 or later; the build stages also need npm. For a
# release, give it by its digest: docs/operations.md.
ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN ["npm", "ci", "--ignore-scripts"]
COPY nest-cli.json tsconfig.base.json tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY web ./web
RUN ["node", "scripts/run.mjs", "scripts/build.mjs"]

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN ["npm", "ci", "--ignore-scripts", "--omit=dev"]
# Remove the files that only compilers and debuggers read. @nestjs/swagger installs the TypeScript compiler for a plugin that
# is used at build time.
RUN rm -rf node_modules/typescript node_modules/.bin \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

# The local stack, for tests: docker build --target stack. It is not for production: it checks no password and no signature.
FROM build AS stack-build
COPY LICENSE tsconfig.tools.json ./
COPY local ./local
RUN ["node", "scripts/run.mjs", "scripts/kit.mjs"]

FROM ${BASE_IMAGE} AS stack
LABEL org.opencontainers.image.title="OnBehalf's local stack" \
  org.opencontainers.image.description="Stand-ins for tests, not for production: AgentCore Identity and the parts around it" \
  org.opencontainers.image.licenses="Apache-2.0"
COPY --from=stack-build /build/build/kit /opt/onbehalf-stack
RUN ["mkdir", "--mode", "0777", "/data"]
WORKDIR /data
USER 1000:1000
EXPOSE 8000-8010
# Inside a container, loopback would be the container's own.
ENTRYPOINT ["node", "/opt/onbehalf-stack/lib/onbehalf-stack.js", "--listen", "0.0.0.0"]

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="OnBehalf" \
  org.opencontainers.image.description="An AI agent that acts for the user who asked, and the session binding that makes sure of it" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
# A task never installs packages, so the image has no package manager of Node.js.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn*
WORKDIR /app
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
# The user of the Node.js images, by number, so that Kubernetes can verify that it is not root. All files belong to root.
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 CMD ["node", "dist/healthcheck.js"]
CMD ["node", "--enable-source-maps", "dist/main.js"]
