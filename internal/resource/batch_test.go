package resource_test

import "testing"

// A batch writes all or nothing, in its order.
func TestBatch(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	s.Must(201, "PUT", "shelves/old", `{"properties":{"title":"Old"}}`)
	want(t, s.Must(200, "POST", "batch", `{"requests":[
		{"method":"put","path":"shelves/s","body":{"properties":{"title":"S"}}},
		{"method":"PUT","path":"/books/a","body":{"properties":{"title":"A","shelf":"/shelves/s"}}},
		{"method":"PUT","path":"shelves/s/books/a"},
		{"method":"PATCH","path":"shelves/s","body":{"properties":{"title":"T"}}},
		{"method":"DELETE","path":"shelves/old"}]}`),
		`{"responses":[{"status":201,"body":{"name":"s","properties":{"title":"S"}}},{"status":201},{"status":201},{"status":200,"body":{"properties":{"title":"T"}}},{"status":200}]}`)
	want(t, s.Must(200, "GET", "shelves/s", ""), `{"properties":{"title":"T"}}`)
	s.Must(404, "GET", "shelves/old", "")

	want(t, s.Must(400, "POST", "batch", `{"requests":[
		{"method":"PUT","path":"shelves/new","body":{"properties":{"title":"N"}}},
		{"method":"DELETE","path":"shelves/s"},
		{"method":"PUT","path":"books/b","body":{"properties":{}}}]}`),
		`{"error":{"code":"ValidationError","target":"requests[2].title"}}`)
	s.Must(404, "GET", "shelves/new", "")
	s.Must(200, "GET", "shelves/s", "")

	for _, body := range []string{
		``, `[]`, `{}`, `{"requests":[]}`, `{"requests":[{"method":"PUT","path":""}]}`, `{"requests":[{"method":"DELETE","path":"/"}]}`,
		`{"requests":[{"method":"PUT","path":"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ApiManagement/service/other/shelves/x"}]}`,
	} {
		s.Must(400, "POST", "batch", body)
	}
	want(t, s.Must(405, "POST", "batch", `{"requests":[{"method":"GET","path":"shelves/s"}]}`), `{"error":{"target":"requests[0]"}}`)
	s.Must(404, "POST", "batch", `{"requests":[{"method":"PUT","path":"nonsense/s"}]}`)
	s.Must(412, "POST", "batch", `{"requests":[{"method":"PUT","path":"shelves/s","ifMatch":"\"x\"","body":{"properties":{"title":"U"}}}]}`)
	s.Must(200, "POST", "batch", `{"requests":[{"method":"PUT","path":"shelves/s","ifMatch":"*","body":{"properties":{"title":"U"}}}]}`)
}
