package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// bytesCodec sends messages as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "bytes" }

func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// echoCalls answers every method by its name: with an error, with its deadline, or with each message as it comes in.
func echoCalls(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	in, _ := metadata.FromIncomingContext(stream.Context())
	stream.SetTrailer(metadata.Pairs("x-trailer", "end", "x-seen-te", fmt.Sprint(in.Get("te"))))
	switch method {
	case "/test.Echo/Fail":
		return status.Error(codes.FailedPrecondition, "not now: 100 %")
	case "/test.Echo/Wait":
		<-stream.Context().Done()
		return status.FromContextError(stream.Context().Err()).Err()
	}
	for {
		var message []byte
		if err := stream.RecvMsg(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}

// grpcSystem is a gateway in front of a server of gRPC, and a connection to it.
func grpcSystem(t *testing.T, parts ...snapshot.Part) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(echoCalls), grpc.ForceServerCodec(bytesCodec{}))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	api := apiPart(snapshot.API{ID: "g", Type: "grpc", Path: "", ServiceURL: "grpc://" + listener.Addr().String()})
	s := newSystem(t, append([]snapshot.Part{api}, parts...)...)
	conn, err := grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	conn := grpcSystem(t)
	t.Run("unary", func(t *testing.T) {
		for _, size := range []int{0, 10, 300_000} {
			sent, got := make([]byte, size), []byte(nil)
			var trailer metadata.MD
			if err := conn.Invoke(within(t), "/test.Echo/Say", &sent, &got, grpc.Trailer(&trailer)); err != nil {
				t.Fatal(err)
			}
			if len(got) != size || len(trailer.Get("x-trailer")) != 1 {
				t.Errorf("%d bytes of %d, trailer %v", len(got), size, trailer)
			}
		}
	})
	t.Run("streams", func(t *testing.T) {
		stream, err := conn.NewStream(within(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/test.Echo/Chat")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 { // each comes back before the next one leaves
			sent, got := fmt.Appendf(nil, "message %d", i), []byte(nil)
			if err := errors.Join(stream.SendMsg(&sent), stream.RecvMsg(&got)); err != nil || string(got) != string(sent) {
				t.Fatalf("%q, %v", got, err)
			}
		}
		var rest []byte
		if err := errors.Join(stream.CloseSend()); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&rest); !errors.Is(err, io.EOF) {
			t.Errorf("end of stream: %v", err)
		}
		if got := stream.Trailer().Get("x-trailer"); len(got) != 1 {
			t.Errorf("trailer %v", stream.Trailer())
		}
	})
	t.Run("error", func(t *testing.T) {
		var sent, got []byte
		err := conn.Invoke(within(t), "/test.Echo/Fail", &sent, &got)
		if s := status.Convert(err); s.Code() != codes.FailedPrecondition || s.Message() != "not now: 100 %" {
			t.Errorf("%v", err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(within(t), 100*time.Millisecond)
		defer cancel()
		var sent, got []byte
		if err := conn.Invoke(ctx, "/test.Echo/Wait", &sent, &got); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("%v", err)
		}
	})
}

// TestGRPCFailures lets the gateway itself answer.
func TestGRPCFailures(t *testing.T) {
	t.Parallel()
	conn := grpcSystem(t,
		operationPart("g", "say", "POST /test.Echo/Say"),
		operationPart("g", "deny", "POST /test.Echo/Deny"),
		policyPart(t, "apis/g/operations/deny", `<policies><inbound><return-response><set-status code="401" reason="No" /><set-body>{"message":"who?"}</set-body></return-response></inbound></policies>`),
	)
	for method, want := range map[string]codes.Code{
		"/test.Echo/Say": codes.OK, "/test.Echo/Deny": codes.Unauthenticated, "/test.Echo/Unknown": codes.Unimplemented,
	} {
		var sent, got []byte
		err := conn.Invoke(within(t), method, &sent, &got)
		if status.Code(err) != want {
			t.Errorf("%s: %v", method, err)
		}
		if want == codes.Unauthenticated && status.Convert(err).Message() != "who?" {
			t.Errorf("%s: message %q", method, status.Convert(err).Message())
		}
	}
}
