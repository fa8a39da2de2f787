# The web page is built with the development packages, which the image itself does without.
FROM node:22-bookworm-slim AS page
WORKDIR /srv/lamppost
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY model model
COPY messages messages
COPY dashboard dashboard
RUN npm run build

# Debian, because DuckDB's library needs glibc. The image's own Node only runs npm: the service runs on the Node that
# package.json pins, which npm installs like any other dependency.
FROM node:22-bookworm-slim
WORKDIR /srv/lamppost

COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY . .
COPY --from=page /srv/lamppost/dashboard/dist dashboard/dist

# A named volume takes over this folder's owner and mode.
RUN install -d -o node -g node -m 0700 /data
ENV LAMPPOST_DATA_DIR=/data LAMPPOST_HTTP_HOST=0.0.0.0 LAMPPOST_MQTT_HOST=0.0.0.0
USER node
VOLUME /data
EXPOSE 8080 1883

HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node_modules/.bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.LAMPPOST_HTTP_PORT || 8080}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["./lamppost", "start"]
