# Stage 1 builds a virtual environment; stage 2 gets that and nothing that could build or download.
FROM python:3.11.13-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1
WORKDIR /build

# The dependencies first: they change less often than the code, so their layer is kept.
COPY requirements.lock requirements-build.lock ./
RUN python -m pip install --require-hashes -r requirements-build.lock \
    && python -m venv /opt/polytrade/venv \
    && /opt/polytrade/venv/bin/python -m pip install --require-hashes -r requirements.lock

COPY LICENSE README.md pyproject.toml ./
COPY actors actors
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/polytrade/venv/bin/python -m pip install --no-deps dist/*.whl \
    && /opt/polytrade/venv/bin/python -m actors.deployment.materials bom requirements.lock > /opt/polytrade/sbom.cdx.json


FROM python:3.11.13-slim-bookworm

# Bytecode was compiled when the wheels were installed; the root file system may be read-only from here on.
ENV PATH=/opt/polytrade/venv/bin:$PATH \
    HOME=/var/lib/polytrade \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# A fixed number, so that a mounted volume can be given to it. Deployments write to var/: a link into the volume.
RUN groupadd --system --gid 10001 polytrade \
    && useradd --system --uid 10001 --gid polytrade --home-dir /var/lib/polytrade --shell /usr/sbin/nologin polytrade \
    && install --directory --owner polytrade --group polytrade --mode 0700 /var/lib/polytrade \
        /var/backups/polytrade \
    && install --directory /opt/polytrade \
    && ln --symbolic /var/lib/polytrade /opt/polytrade/var

COPY --from=build /opt/polytrade/venv /opt/polytrade/venv
COPY --from=build /opt/polytrade/sbom.cdx.json /opt/polytrade/sbom.cdx.json
COPY config /opt/polytrade/config
COPY schemas /opt/polytrade/schemas
COPY runbooks /opt/polytrade/runbooks

WORKDIR /opt/polytrade
USER 10001:10001
VOLUME /var/lib/polytrade

# Exit code 0 only while the node answers on its control socket; the start period covers a long recovery.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["polytrade", "status", "--json"]

ENTRYPOINT ["polytrade"]
CMD ["up", "config/paper.yaml", "--plain"]
