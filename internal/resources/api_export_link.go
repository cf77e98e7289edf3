package resources

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/resource"
)

// ExportPath is where [NewExports] has to be mounted on the management listeners.
const ExportPath = "/exports/"

// exportLifetime is how long the link of an export works; that of API Management is the same.
const exportLifetime = 5 * time.Minute

// signExport makes a link to an API's description. Who has it needs no token, so it is signed with a key of the service,
// which every replica knows, and ends soon.
func signExport(x *resource.Reader, api arm.ID, format importer.Format) (string, error) {
	service, err := resource.Get[Service](x, x.Service)
	if err != nil {
		return "", err
	}
	expires := strconv.FormatInt(x.Now.Add(exportLifetime).Unix(), 10)
	q := url.Values{
		"api": {api.String()}, "format": {string(format)}, "expires": {expires},
		"signature": {base64.RawURLEncoding.EncodeToString(exportSignature(service, api.String(), string(format), expires))},
	}
	return x.BaseURL + ExportPath + "?" + q.Encode(), nil
}

func exportSignature(service *resource.Doc[Service], api, format, expires string) []byte {
	mac := hmac.New(sha256.New, service.Props.Properties.KeyHashKey)
	mac.Write([]byte("export\n" + api + "\n" + format + "\n" + expires))
	return mac.Sum(nil)
}

// NewExports serves the links of exports. It authenticates by their signatures.
func NewExports(engine *resource.Engine) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		q := r.URL.Query()
		var text []byte
		id, err := arm.ParseID(q.Get("api"))
		if err == nil {
			err = engine.ReadFunc(r.Context(), id.Service(), func(x *resource.Reader) (err error) {
				text, err = readExport(x, id, q)
				return err
			})
		}
		if err != nil {
			ae, _ := arm.AsError(err)
			arm.WriteError(w, ae)
			return
		}
		h := w.Header()
		h.Set("Content-Type", exportType(importer.Format(q.Get("format"))))
		h.Set("Content-Length", strconv.Itoa(len(text)))
		h.Set("Cache-Control", "private, no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method == http.MethodGet {
			_, _ = w.Write(text) // a client that has gone is no error of ours
		}
	})
}

// readExport checks a link and makes the description. Whatever is wrong with a link, the answer is the same.
func readExport(x *resource.Reader, id arm.ID, q url.Values) ([]byte, error) {
	refused := arm.Errorf(arm.CodeAuthorization, "The link is not valid or has expired. Export the API again.")
	service, err := resource.Get[Service](x, x.Service)
	if arm.IsNotFound(err) {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.DecodeString(q.Get("signature"))
	if err != nil || !hmac.Equal(signature, exportSignature(service, q.Get("api"), q.Get("format"), q.Get("expires"))) {
		return nil, refused
	}
	if expires, err := strconv.ParseInt(q.Get("expires"), 10, 64); err != nil || x.Now.Unix() > expires {
		return nil, refused
	}
	d, err := resource.Get[API](x, id)
	if err != nil {
		return nil, err
	}
	return exportAPI(x, d, importer.Format(q.Get("format")))
}

func exportType(f importer.Format) string {
	switch f {
	case importer.FormatOpenAPI:
		return "application/vnd.oai.openapi"
	case importer.FormatOpenAPIJSON:
		return "application/vnd.oai.openapi+json"
	case importer.FormatWADL:
		return "application/vnd.sun.wadl+xml"
	case importer.FormatWSDL:
		return "application/wsdl+xml"
	case importer.FormatOData:
		return "application/xml"
	case importer.FormatGraphQL, importer.FormatGRPC:
		return "text/plain; charset=utf-8"
	}
	return "application/json"
}
