"""`python -m tests.support.otlp_receiver FILE`: a collector of traces, by OpenTelemetry's own protocol over HTTP.

Each span received is a line of JSON in FILE; the first line of the output is the port.
"""

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


def spans_of(request: ExportTraceServiceRequest) -> list[dict[str, Any]]:
    """Return what a request brings."""
    found = []
    for resource in request.resource_spans:
        service = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
        for scope in resource.scope_spans:
            found += [
                {
                    "service": service,
                    "name": span.name,
                    "trace": span.trace_id.hex(),
                    "span": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "attributes": sorted(one.key for one in span.attributes),
                }
                for span in scope.spans
            ]
    return found


class Collector(BaseHTTPRequestHandler):
    """Answers `POST /v1/traces`."""

    file: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/x-protobuf":
            self.send_error(404)
            return
        with self.file.open("a", encoding="utf-8") as lines:
            for span in spans_of(ExportTraceServiceRequest.FromString(body)):
                lines.write(f"{json.dumps(span)}\n")
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    Collector.file = Path(sys.argv[1])
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        print(server.server_port, flush=True)  # noqa: T201
        server.serve_forever()
