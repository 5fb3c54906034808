package server

import (
	"bytes"
	"errors"
	"io"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-auth/sallyport/core"
)

// errFraming is for a request whose length can be read in two ways.
var errFraming = core.NewError("BAD_REQUEST", 400, "The request could not be read")

// headerReceived looks at a request before any of its body is read. What is refused is
// read no further: receive answers, and the connection ends.
func (s *Server) headerReceived(h *fasthttp.RequestHeader) (none fasthttp.RequestConfig) {
	if framing(h, s.bodyLimit) != nil {
		h.SetContentLength(0)
		h.SetConnectionClose()
	}
	return none
}

// framing refuses what a proxy in front may read as another number of requests than
// fasthttp does (RFC 9112, sections 6.1 and 6.3): fasthttp takes every Transfer-Encoding
// for "chunked", prefers it to a Content-Length, and takes the last of several lengths.
// It refuses a body beyond limit by what is announced.
func framing(h *fasthttp.RequestHeader, limit int) error {
	lengths, codings, long := 0, 0, false
	for rest := h.RawHeaders(); len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		// Space and tab alone may stand around a value (RFC 9110, section 5.6.3): with another
		// character "chunked" is a coding that a proxy does not know.
		switch name, value = bytes.TrimSpace(name), bytes.Trim(bytes.TrimSuffix(value, []byte("\r")), " \t"); {
		case len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")):
			lengths++
			n, err := fasthttp.ParseUint(value)
			long = err != nil || n > limit
		case len(name) == len("Transfer-Encoding") && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			codings++
			if !bytes.EqualFold(value, []byte("chunked")) || !h.IsHTTP11() {
				return errFraming
			}
		}
	}
	switch {
	case lengths+codings > 1:
		return errFraming
	case long:
		return core.ErrPayloadTooLarge
	}
	return nil
}

// receive reads the body, as much as there is and at most bodyLimit: a length that was
// announced costs nothing until the bytes are there. Whatever was not read to its end
// would be taken for the next request, and ends the connection.
func (s *Server) receive(c *fiber.Ctx) error {
	req := c.Request()
	if req.Header.ConnectionClose() {
		if err := framing(&req.Header, s.bodyLimit); err != nil {
			c.Response().SetConnectionClose()
			return err
		}
	}
	in := req.BodyStream()
	if in == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(in, int64(s.bodyLimit)+1))
	if err == nil && len(body) <= s.bodyLimit {
		req.SetBodyRaw(body)
		return nil
	}
	c.Response().SetConnectionClose()
	var t net.Error
	switch {
	case err == nil:
		return core.ErrPayloadTooLarge
	case errors.As(err, &t) && t.Timeout():
		return fiber.ErrRequestTimeout
	}
	return errFraming
}
