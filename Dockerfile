# The program as one static file that runs as nobody. No shell, no package manager.
#
#   docker build -t sallyport .
#   docker run -p 8080:8080 -v sallyport:/data -e SALLYPORT_BASE_URL=https://auth.example.com \
#     -e SALLYPORT_SECRET=... -e SALLYPORT_DATABASE_PATH=/data/sallyport.db -e SALLYPORT_PLUGINS=email-password \
#     -e SALLYPORT_PRODUCTION=true sallyport migrate apply   (once per version, then: serve)
#
# Stopping takes up to 20 s, the default of shutdownDelay and shutdownGrace together: docker stop -t 25.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/sallyport ./cmd/sallyport \
	&& mkdir /out/data /out/tmp && chmod 1777 /out/tmp

FROM scratch
# Certificates of authorities for mail servers, databases and services.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /out/tmp /tmp
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/sallyport /sallyport
USER 65532:65532
WORKDIR /data
# Also in development, where the default is the loopback, which nobody outside reaches.
ENV SALLYPORT_LISTEN=:8080
EXPOSE 8080
ENTRYPOINT ["/sallyport"]
CMD ["serve"]
