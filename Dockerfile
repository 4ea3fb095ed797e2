# wsproof in a container: `docker build -t wsproof .`, then `docker run --rm wsproof wsproof check wss://…`
FROM python:3.11-slim
COPY . /src
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /src/constraints.txt \
 && pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation /src && rm -rf /src
RUN useradd --create-home wsproof
USER wsproof
WORKDIR /home/wsproof
