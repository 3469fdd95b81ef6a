# The service and its page: no training framework, no build tools, no root.
#
#   docker build -t mien .
#   docker run -p 8000:8000 -e MIEN_API_KEYS=a-long-secret-key mien

FROM node:22-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --silent
COPY web .
# Into /src/src/mien/serve/static, as everywhere.
RUN npm run --silent build

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
COPY --from=page /src/src/mien/serve/static src/mien/serve/static
RUN python -m venv /opt/mien \
 && /opt/mien/bin/pip install --no-cache-dir -c constraints.txt '.[serve]'

FROM python:3.12-slim
RUN useradd --system --no-create-home --uid 10001 mien
COPY --from=build /opt/mien /opt/mien
ENV PATH=/opt/mien/bin:$PATH PYTHONUNBUFFERED=1 MIEN_HOST=0.0.0.0 MIEN_PORT=8000
USER mien
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['MIEN_PORT']}/readyz\", timeout=4)"]
# It ends once all that was accepted is answered.
STOPSIGNAL SIGTERM
ENTRYPOINT ["mien", "serve"]
