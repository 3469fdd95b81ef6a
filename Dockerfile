# The service and its page: no training framework, no build tools, no root.
#
#   docker build -t mien .
#   docker run --rm -p 8000:8000 -e MIEN_API_KEYS=a-long-secret-key mien
#
# Settings come by the environment, so that the health check knows of the port. Models of your own:
#
#   docker run ... -v "$PWD/models:/models:ro" -e MIEN_MODELS=face,/models/animals.onnx mien
#
# With cameras too, which `mien watch` reads; its page and API are the service's own:
#
#   docker build --build-arg EXTRAS=serve,watch,postgres,mqtt -t mien-watch .
#   docker run ... -v "$PWD/watch:/watch" --entrypoint mien mien-watch watch /watch/watch.toml
#
# `docker stop -t 40` leaves time to finish what was accepted.

FROM node:22-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --silent
COPY web .
# Into /src/src/mien/serve/static, as everywhere.
RUN npm run --silent build

FROM python:3.12-slim AS build
ARG EXTRAS=serve
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
COPY --from=page /src/src/mien/serve/static src/mien/serve/static
# The environment goes without pip, which nothing there may use.
RUN python -m venv --without-pip /opt/mien \
 && pip --python /opt/mien/bin/python install --no-cache-dir -c constraints.txt ".[$EXTRAS]"

FROM python:3.12-slim
RUN useradd --system --no-log-init --no-create-home --uid 10001 mien
COPY --from=build /opt/mien /opt/mien
ENV PATH=/opt/mien/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MIEN_HOST=0.0.0.0 \
    MIEN_PORT=8000
USER 10001
EXPOSE 8000
# With TLS and without.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 \
  CMD ["python", "-m", "mien.serve.ready"]
# It ends once all that was accepted is answered.
STOPSIGNAL SIGTERM
ENTRYPOINT ["mien", "serve"]
